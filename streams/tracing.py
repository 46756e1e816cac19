"""What a handler passes on of a record's trace.

Flows in: the headers of a record. Flows out: the trace header for what the record causes. Without a tracer, or where a
trace is not sampled, that is the header as it came; otherwise it names the step of this stage as the parent.
"""

from collections.abc import Iterable

from signaalwissel.processors.emissions import DEAD_LETTERS, Emission
from signaalwissel.processors.traces import TRACE_HEADER, Span, Tracer, is_trace_context
from signaalwissel.streams.chunk import Headers, Record


class Step:
    """The handling of one record.

    Attributes:
        headers: The trace header for what it causes, or nothing.
    """

    __slots__ = ("_span", "headers")

    def __init__(self, headers: Headers, span: Span | None = None) -> None:
        self.headers = headers
        self._span = span

    def end(self, emissions: Iterable[Emission]) -> None:
        """It is handled; tells the tracer, where there is one."""
        if self._span is not None:
            self._span.end(refused=any(emission.topic == DEAD_LETTERS for emission in emissions))


NO_STEP = Step(())
"""Of a record without headers, which is most of them."""


class Tracing:
    """Begins steps.

    Args:
        tracer: Records them; None where nobody does.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer

    def step(self, record: Record) -> Step:
        """The step of a record that has headers."""
        passed_on = trace_of(record.headers)
        if not passed_on or self._tracer is None:
            return Step(passed_on)
        span = self._tracer.begin(record)
        return Step(passed_on) if span is None else Step([(TRACE_HEADER, span.header)], span)


def trace_of(headers: Headers) -> Headers:
    """The trace header of a record, as it came."""
    return [header for header in headers if header[0] == TRACE_HEADER and is_trace_context(header[1] or b"")]
