"""Traces by `traceparent` (W3C): what a record says of the trace that it belongs to, and who takes note of its handling.

In: the value of a record's header. Out: trace, parent and whether it is sampled; None for what is no trace context.
What a tracer notes is where a record lay and how long it took: never a key, a value or an id of it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

TRACE_HEADER = "traceparent"
_CONTEXT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1


class TraceParent(NamedTuple):
    """A trace, the step before, and whether whoever began the trace wants it recorded."""

    trace_id: int
    span_id: int
    flags: int

    @property
    def sampled(self) -> bool:
        """Whether steps of this trace are recorded."""
        return bool(self.flags & _SAMPLED)

    def header(self, span_id: int) -> bytes:
        """The header for what follows from a step of this trace."""
        return b"00-%032x-%016x-%02x" % (self.trace_id, span_id, self.flags)


class TracedRecord(Protocol):
    """A Kafka record, as far as a trace tells of it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Span(Protocol):
    """A step of a trace that is under way."""

    @property
    def header(self) -> bytes:
        """The header for the records that this step sends."""

    def end(self, *, refused: bool = False) -> None:
        """The step is done; `refused` where the record became a dead letter."""


class Tracer(Protocol):
    """Records the steps of sampled traces, and nothing of others."""

    def begin(self, record: TracedRecord, began_ns: int | None = None) -> Span | None:
        """A step begins, now or at `began_ns` since 1970; None where the record's trace is not to be recorded."""


def is_trace_context(value: bytes) -> bool:
    """Whether a header has the form of a W3C trace context, and may be passed on: anything else could be anything."""
    return _CONTEXT.fullmatch(value) is not None


def read_parent(headers: Sequence[tuple[str, bytes | None]]) -> TraceParent | None:
    """The trace context in a record's headers; None where there is none, or one that cannot be."""
    for name, value in headers:
        if name == TRACE_HEADER and (found := _PARENT.fullmatch(value or b"")) is not None:
            parent = TraceParent(int(found[1], 16), int(found[2], 16), int(found[3], 16))
            return parent if parent.trace_id and parent.span_id else None
    return None
