"""What a health check is told of a worker: what is due, what moves, why it is not ready."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from signaalwissel.streams import standing
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.standing import standing_of

from tests.streams.engine_worker import CountingCopier

SIGNALS, EVENTS = TopicPartition("signals", 0), TopicPartition("events", 0)
HOUR_MS = 3_600_000
NOW_MS = 1_000 * HOUR_MS


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ChunkApp:
    """A worker that has read everything and whose gate is open."""
    monkeypatch.setattr(standing, "now_ms", lambda: NOW_MS)
    built = build_app(
        EngineSettings(app_id="app", bootstrap="nowhere:1"),
        lambda tables: CountingCopier(tables, {"out": "out"}),
        inputs=["signals", "events"],
        tables=["counts"],
        gate=Gate(frozenset({"signals"}), frozenset({"events"}), 300.0),
    )
    built.stats.gate_open = True
    built.stats.in_recovery = False
    built.stats.next_offsets = {SIGNALS: 10, EVENTS: 10}
    built.stats.end_offsets = {SIGNALS: 10, EVENTS: 10}
    built.retentions_ms = {"signals": 48 * HOUR_MS}
    return built


def test_a_worker_that_has_read_everything_has_nothing_due_and_is_ready(app: ChunkApp) -> None:
    found = standing_of(app)
    assert (found.due, found.unready) == (None, ())


def test_unread_records_a_chunk_under_way_and_a_recovery_are_due(app: ChunkApp) -> None:
    app.stats.end_offsets = {SIGNALS: 13, EVENTS: 14}
    assert standing_of(app).due == "7 records are to be read"
    app.stats.in_hand = 3
    assert standing_of(app).due == "a chunk of 3 records is under way"
    app.stats.in_hand, app.stats.end_offsets, app.stats.in_recovery = 0, {}, True
    assert standing_of(app).due == "partitions are to be taken over"
    assert standing_of(app).unready


def test_topics_that_the_cold_start_gate_holds_are_not_due_but_the_worker_is_not_ready(app: ChunkApp) -> None:
    app.stats.gate_open = False
    app.stats.end_offsets = {SIGNALS: 99, EVENTS: 10}
    found = standing_of(app)
    assert found.due is None
    assert found.unready == ("the cold-start gate is shut: signals wait for trajectories",)


def test_commits_of_sweeps_are_no_progress_but_offsets_and_a_recovery_are(app: ChunkApp) -> None:
    before = standing_of(app).moved
    app.stats.commits += 5
    assert standing_of(app).moved == before
    app.stats.advances += 1
    app.stats.note_recovered(1)
    assert standing_of(app).moved == before + 2


@pytest.mark.parametrize(
    ("handled_h", "caught_up_h", "ready"),
    [
        pytest.param(25, None, False, id="the last one handled is older than half the retention"),
        pytest.param(23, None, True, id="the last one handled is younger"),
        pytest.param(25, 1, True, id="an hour ago nothing was unread"),
        pytest.param(None, None, True, id="nothing is known"),
    ],
)
def test_a_worker_is_unready_when_the_oldest_unread_record_waits_for_more_than_half_the_retention(
    app: ChunkApp, handled_h: int | None, caught_up_h: int | None, ready: bool
) -> None:
    app.stats.end_offsets = {SIGNALS: 11, EVENTS: 11}
    if handled_h is not None:
        app.stats.handled_ms = dict.fromkeys((SIGNALS, EVENTS), NOW_MS - handled_h * HOUR_MS)
    if caught_up_h is not None:
        app.stats.caught_up_ms[SIGNALS] = NOW_MS - caught_up_h * HOUR_MS
    told = "the oldest unread record has waited for more than half the retention: signals[0]"
    assert standing_of(app).unready == (() if ready else (told,))
