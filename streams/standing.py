"""How a worker stands, for a health check that asks from another thread.

Flows in: a running app. Flows out: a `Standing`. Everything here is a copy of plain values: the app's own loop may
hang, and must not be needed for finding that out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from aiokafka import TopicPartition
from signaalwissel.processors.progress import Part, Standing, record_age_ms
from signaalwissel.streams.app import LOOK_S, ChunkApp
from signaalwissel.streams.clock import now_ms

TURNS = 4
"""Partitions wait for the turns of so many at most. Nearly every busy partition has something that is not committed yet:
one that stands still beside many of them must be found all the same."""

LOOK_OVERDUE_S = 2 * LOOK_S
"""The app's loop looks at the ends of the logs more often than that, or waits for the broker, which has a bound."""


def standing_of(app: ChunkApp) -> Standing:
    """What is due in this worker, whether it moves, and what keeps it from full work.

    The whole moves when anything is committed or restored. Beside it each partition must move by itself, from what is
    committed to the end of its log (the last stable offset): a busy one says nothing about the one beside it. And what
    looks at these ends must go on, or nothing would ever be due again. While partitions are taken over the clocks of
    those that were read until then stand still: a rebalance moves nothing, and must not make a stuck one look fresh.
    """
    stats = app.stats
    behind = _uncommitted(app)
    parts = (*_partitions(app, behind), *_loop(app))
    # Commits of sweeps do not count: they go on while nothing is read.
    return Standing(
        _due(app, behind), stats.advances + stats.recovered, tuple(_unready(app)), parts, _resting(app)
    )


def _due(app: ChunkApp, behind: dict[TopicPartition, int]) -> str | None:
    stats = app.stats
    if stats.in_hand:
        return f"a chunk of {stats.in_hand} records is under way"
    if behind:
        return f"{sum(behind.values())} records are to be read and committed"
    if stats.in_recovery:
        return "partitions are to be taken over"
    return None


def _uncommitted(app: ChunkApp) -> dict[TopicPartition, int]:
    """What is due in each partition that has something.

    Topics that wait for others at the start have nothing: they are held on purpose, for a bounded time.
    """
    found = app.stats.uncommitted()
    return {tp: behind for tp, behind in found.items() if behind > 0 and not app.cold_start.holds(tp.topic)}


def _partitions(app: ChunkApp, behind: dict[TopicPartition, int]) -> Iterator[Part]:
    if app.stats.in_recovery:
        return  # nobody reads them until they are taken over
    committed = app.stats.committed_offsets.copy()
    for tp, count in behind.items():
        told = f"{count} records of {_place(tp)} are to be read and committed"
        yield Part(_place(tp), told, committed.get(tp, 0), turns=min(len(behind), TURNS))


def _resting(app: ChunkApp) -> Mapping[str, int]:
    """The partitions that were read until they are taken over anew, and what is committed of each."""
    if not app.stats.in_recovery:
        return {}
    return {_place(tp): offset for tp, offset in app.stats.committed_offsets.copy().items()}


def _place(tp: TopicPartition) -> str:
    return f"{tp.topic}[{tp.partition}]"


def _loop(app: ChunkApp) -> Iterator[Part]:
    """What may stand still although no record waits."""
    if app.should_stop:
        return  # bounded by whoever stops it
    looked_s = app.stats.looked_monotonic
    if looked_s is not None and time.monotonic() - looked_s > LOOK_OVERDUE_S:
        yield Part("looks", "a look at the ends of the logs is due", 0)
    if app.broken and app.failure is None:
        yield Part("commits", "after a failure nothing is committed any more", 0)


def _unready(app: ChunkApp) -> Iterator[str]:
    if app.stats.in_recovery:
        yield "tables and positions are being restored after an assignment"
    if not app.stats.gate_open:
        yield "the cold-start gate is shut: signals wait for trajectories"
    late = sorted(tp for tp, behind in app.stats.lag().items() if behind and _too_old(app, tp))
    if late:
        places = ", ".join(map(_place, late))
        yield f"the oldest unread record has waited for more than half the retention: {places}"


def _too_old(app: ChunkApp, tp: TopicPartition) -> bool:
    retention_ms = app.retentions_ms.get(tp.topic)
    age_ms = record_age_ms(now_ms(), app.stats.handled_ms.get(tp), app.stats.caught_up_ms.get(tp))
    return retention_ms is not None and age_ms is not None and age_ms * 2 > retention_ms
