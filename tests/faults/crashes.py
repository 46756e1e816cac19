"""Named points at which a worker or sink kills itself: `kill -9` at the one moment that a random kill hardly ever hits.

Each point replaces one function of the product in this process by one that does the same and, the n-th time, dies.
"""

import itertools
import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from signaalwissel.processors.emissions import REGULAR_FLOW
from signaalwissel.sinks import relay, writer
from signaalwissel.sinks.process import _Sink
from signaalwissel.sinks.writer import Writer
from signaalwissel.streams.outputs import Batch
from signaalwissel.streams.processor import ChunkProcessor
from signaalwissel.streams.transactions import PartitionTransaction


def _dying_at(nth: int) -> Callable[[], None]:
    times = itertools.count(1)

    def pass_by() -> None:
        if next(times) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return pass_by


def _around_async(owner: Any, name: str, die: Callable[[], None], *, before: bool) -> None:
    original = getattr(owner, name)

    async def replaced(*given: Any, **named: Any) -> Any:
        if before:
            die()
        result = await original(*given, **named)
        if not before:
            die()
        return result

    setattr(owner, name, replaced)


def _around(owner: Any, name: str, die: Callable[[], None], *, before: bool) -> None:
    original = getattr(owner, name)

    def replaced(*given: Any, **named: Any) -> Any:
        if before:
            die()
        result = original(*given, **named)
        if not before:
            die()
        return result

    setattr(owner, name, replaced)


def _around_producer(name: str, die: Callable[[], None], *, before: bool) -> None:
    """Around a call of each transaction's producer, made anew with every assignment."""
    original = PartitionTransaction._new_producer

    def new_producer(self: PartitionTransaction) -> Any:
        producer = original(self)
        _around_async(producer, name, die, before=before)
        return producer

    PartitionTransaction._new_producer = new_producer  # type: ignore[method-assign]


STREAM_POINTS: dict[str, Callable[[Callable[[], None]], None]] = {
    "chunk-begins": lambda die: _around_async(ChunkProcessor, "_handle", die, before=True),
    "chunk-handled": lambda die: _around_async(ChunkProcessor, "_handle", die, before=False),
    "output-sent": lambda die: _around_async(PartitionTransaction, "_send", die, before=False),
    "outputs-acknowledged": lambda die: _around_async(
        PartitionTransaction, "_acknowledged", die, before=False
    ),
    "offsets-sent": lambda die: _around_producer("send_offsets_to_transaction", die, before=False),
    "before-commit": lambda die: _around_producer("commit_transaction", die, before=True),
    "after-commit": lambda die: _around_producer("commit_transaction", die, before=False),
}
"""Where intake and matcher may die."""

SINK_POINTS: dict[str, Callable[[Callable[[], None]], None]] = {
    "batch-begins": lambda die: _around(Writer, "store", die, before=True),
    "offsets-moved": lambda die: _around(writer.offsets, "advance", die, before=False),
    "audit-written": lambda die: _around(writer.audit, "record", die, before=False),
    "before-commit": lambda die: _around(Writer, "store", die, before=False),
    "after-commit": lambda die: _around(_Sink, "_store", die, before=False),
    "relay-reads": lambda die: _around(relay, "_send", die, before=True),
    "relay-sent": lambda die: _around(relay, "_send", die, before=False),
}
"""Where a sink may die; the relay is a thread of it."""


def _routes_before_commit(die: Callable[[], None]) -> None:
    """Before the first commit that holds a route; those of sweeps and trajectories pass."""
    routed = False
    original = PartitionTransaction._enqueue

    async def enqueue(self: PartitionTransaction, batches: Iterable[Batch]) -> None:
        nonlocal routed
        listed = list(batches)
        routed = routed or any(batch.topic.endswith(REGULAR_FLOW) for batch in listed)
        await original(self, listed)

    PartitionTransaction._enqueue = enqueue  # type: ignore[method-assign]
    _around_producer("commit_transaction", lambda: die() if routed else None, before=True)


def _decisions_written(die: Callable[[], None]) -> None:
    """Within the first transaction that stores a decision."""
    original = writer.audit.record

    def record(*given: Any) -> Any:
        fresh = original(*given)
        if fresh:
            die()
        return fresh

    writer.audit.record = record


TRIAL_POINTS: dict[str, Callable[[Callable[[], None]], None]] = {
    "routes-before-commit": _routes_before_commit,
    "decisions-written": _decisions_written,
}
"""Where a stage dies in the trials of defects: where there is something to lose or to double."""


def plant(point: str, nth: int) -> None:
    """Die the `nth` time that this process passes the point."""
    stage, name = point.split(".")
    points = SINK_POINTS if stage == "sink" else STREAM_POINTS
    (TRIAL_POINTS | points)[name](_dying_at(nth))
