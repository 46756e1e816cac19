"""How a worker stands, for a health check that asks from another thread.

Flows in: a running app. Flows out: a `Standing`. Everything here is a copy of plain values: the app's own loop may
hang, and must not be needed for finding that out.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiokafka import TopicPartition
from signaalwissel.processors.progress import Standing, record_age_ms
from signaalwissel.streams.app import ChunkApp
from signaalwissel.streams.clock import now_ms


def standing_of(app: ChunkApp) -> Standing:
    """What is due in this worker, whether it moves, and what keeps it from full work."""
    stats = app.stats
    # Commits of sweeps do not count: they go on while nothing is read.
    return Standing(_due(app), stats.advances + stats.recovered, tuple(_unready(app)))


def _due(app: ChunkApp) -> str | None:
    stats = app.stats
    if stats.in_hand:
        return f"a chunk of {stats.in_hand} records is under way"
    if behind := sum(_wanted_lag(app).values()):
        return f"{behind} records are to be read"
    if stats.in_recovery:
        return "partitions are to be taken over"
    return None


def _wanted_lag(app: ChunkApp) -> dict[TopicPartition, int]:
    """The lag without topics that wait for others at the start: they are held on purpose, for a bounded time."""
    return {tp: behind for tp, behind in app.stats.lag().items() if not app.cold_start.holds(tp.topic)}


def _unready(app: ChunkApp) -> Iterator[str]:
    if app.stats.in_recovery:
        yield "tables and positions are being restored after an assignment"
    if not app.stats.gate_open:
        yield "the cold-start gate is shut: signals wait for trajectories"
    late = sorted(tp for tp, behind in app.stats.lag().items() if behind and _too_old(app, tp))
    if late:
        places = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in late)
        yield f"the oldest unread record has waited for more than half the retention: {places}"


def _too_old(app: ChunkApp, tp: TopicPartition) -> bool:
    retention_ms = app.retentions_ms.get(tp.topic)
    age_ms = record_age_ms(now_ms(), app.stats.handled_ms.get(tp), app.stats.caught_up_ms.get(tp))
    return retention_ms is not None and age_ms is not None and age_ms * 2 > retention_ms
