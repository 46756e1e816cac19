"""What is passed on of a record's trace, with and without somebody who records it."""

from signaalwissel.processors.emissions import DEAD_LETTERS, Emission
from signaalwissel.processors.traces import Span, TracedRecord
from signaalwissel.streams.tracing import Tracing, trace_of

from tests.streams.handler_support import TRACE, Arrived

OURS = b"00-0af7651916cd43dd8448eb211c80319c-00000000000000aa-01"


class Recorded:
    """A tracer that notes what it is told."""

    def __init__(self, *, samples: bool) -> None:
        self.samples = samples
        self.began: list[TracedRecord] = []
        self.ended: list[bool] = []
        self.header = OURS

    def begin(self, record: TracedRecord, began_ns: int | None = None) -> Span | None:
        assert began_ns is None
        self.began.append(record)
        return self if self.samples else None

    def end(self, *, refused: bool = False) -> None:
        self.ended.append(refused)


def test_of_the_headers_of_a_record_only_the_trace_goes_on() -> None:
    assert list(trace_of([("ce_id", b"theirs"), TRACE, ("tracestate", b"x")])) == [TRACE]
    assert list(trace_of([("ce_id", b"theirs")])) == []
    assert list(trace_of(())) == []


def test_without_a_tracer_the_trace_goes_on_as_it_came() -> None:
    step = Tracing().step(Arrived("signals", b"", headers=[("ce_id", b"theirs"), TRACE]))
    assert list(step.headers) == [TRACE]
    step.end([])


def test_what_a_sampled_record_causes_names_the_step_as_its_parent() -> None:
    tracer = Recorded(samples=True)
    record = Arrived("signals", b"", headers=[TRACE])
    step = Tracing(tracer).step(record)
    assert list(step.headers) == [("traceparent", OURS)]
    assert (tracer.began, tracer.ended) == ([record], [])
    step.end([Emission("regular-flow", b"k", b"v")])
    assert tracer.ended == [False]


def test_a_refusal_is_told() -> None:
    tracer = Recorded(samples=True)
    Tracing(tracer).step(Arrived("signals", b"", headers=[TRACE])).end([Emission(DEAD_LETTERS, b"k", b"v")])
    assert tracer.ended == [True]


def test_a_trace_that_is_not_sampled_goes_on_as_it_came() -> None:
    tracer = Recorded(samples=False)
    assert list(Tracing(tracer).step(Arrived("signals", b"", headers=[TRACE])).headers) == [TRACE]


def test_a_record_without_a_trace_is_no_matter_for_the_tracer() -> None:
    tracer = Recorded(samples=True)
    assert list(Tracing(tracer).step(Arrived("signals", b"", headers=[("ce_id", b"x")])).headers) == []
    assert tracer.began == []
