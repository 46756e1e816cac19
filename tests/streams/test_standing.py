"""What a health check is told of a worker: what is due, what moves, why it is not ready."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from aiokafka import TopicPartition
from signaalwissel.console.settings import Settings
from signaalwissel.processors.progress import Idle
from signaalwissel.streams import standing
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.gate import Gate
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.standing import standing_of

from tests.streams.engine_worker import CountingCopier

SIGNALS, EVENTS = TopicPartition("signals", 0), TopicPartition("events", 0)
HOUR_S, HOUR_MS = 3_600, 3_600_000
NOW_MS = 1_000 * HOUR_MS
BOUND_S = Settings.model_fields["progress_timeout_s"].default


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
    built.stats.committed_offsets = {SIGNALS: 10, EVENTS: 10}
    built.retentions_ms = {"signals": 48 * HOUR_MS}
    return built


def test_a_worker_that_has_read_everything_has_nothing_due_and_is_ready(app: ChunkApp) -> None:
    found = standing_of(app)
    assert (found.due, found.unready, found.parts) == (None, (), ())


def test_unread_records_a_chunk_under_way_and_a_recovery_are_due(app: ChunkApp) -> None:
    app.stats.end_offsets = {SIGNALS: 13, EVENTS: 14}
    assert standing_of(app).due == "7 records are to be read and committed"
    app.stats.in_hand = 3
    assert standing_of(app).due == "a chunk of 3 records is under way"
    app.stats.in_hand, app.stats.end_offsets, app.stats.in_recovery = 0, {}, True
    assert standing_of(app).due == "partitions are to be taken over"
    assert standing_of(app).unready


def idle_s(app: ChunkApp, step: Callable[[int], None]) -> float:
    """What a health check counts in an hour of one look a second."""
    idle = Idle(0.0, standing_of(app).moved)
    for second in range(HOUR_S):
        step(second)
        idle = idle.after(float(second), standing_of(app))
    return idle.idle_s


def test_what_is_handled_and_not_committed_is_due_until_it_is(app: ChunkApp) -> None:
    app.stats.next_offsets[SIGNALS] = app.stats.end_offsets[SIGNALS] = 15  # type: ignore[index]
    assert standing_of(app).due == "5 records are to be read and committed"
    app.stats.committed_offsets[SIGNALS] = 15
    assert standing_of(app).due is None


def test_what_is_handled_is_due_although_nobody_has_seen_yet_that_the_log_goes_so_far(app: ChunkApp) -> None:
    app.stats.next_offsets[SIGNALS] = 15
    assert standing_of(app).due == "5 records are to be read and committed"


def test_a_worker_that_handles_and_commits_nothing_gets_idle(app: ChunkApp) -> None:
    def handles(second: int) -> None:
        app.stats.chunks += 1
        app.stats.next_offsets[SIGNALS] = app.stats.end_offsets[SIGNALS] = 10 + second  # type: ignore[index]

    assert idle_s(app, handles) > HOUR_S - 10


def test_a_partition_that_stands_still_gets_idle_beside_one_that_goes_on(app: ChunkApp) -> None:
    app.stats.end_offsets[EVENTS] = 110  # type: ignore[index]

    def goes_on(second: int) -> None:
        app.stats.advances += 1
        for offsets in (app.stats.next_offsets, app.stats.end_offsets, app.stats.committed_offsets):
            offsets[SIGNALS] = 10 + second  # type: ignore[index]

    assert idle_s(app, goes_on) > HOUR_S - 10


def test_a_partition_that_waits_for_the_turns_of_others_is_not_idle_for_all_of_that_time(
    app: ChunkApp,
) -> None:
    app.stats.end_offsets = {SIGNALS: 10**9, EVENTS: 10**9}

    def take_turns(second: int) -> None:
        app.stats.advances += 1
        app.stats.committed_offsets[(SIGNALS, EVENTS)[second // 200 % 2]] += 1

    most_s = 0.0
    idle = Idle(0.0, standing_of(app).moved)
    for second in range(HOUR_S):
        take_turns(second)
        idle = idle.after(float(second), standing_of(app))
        most_s = max(most_s, idle.idle_s)
    assert most_s == 100


def stuck_after_s(app: ChunkApp, within_s: int, step: Callable[[int], None]) -> int | None:
    """The second of one look a second at which a health check with the bound of the settings finds it stuck."""
    idle = Idle(0.0, standing_of(app).moved)
    for second in range(within_s):
        step(second)
        idle = idle.after(float(second), standing_of(app))
        if idle.stuck(BOUND_S):
            return second
    return None


BUSY = [TopicPartition("signals", number) for number in range(8)]


@pytest.fixture
def busy(app: ChunkApp) -> ChunkApp:
    """A worker with eight partitions of which each has something that is not committed yet, at every look."""
    app.stats.next_offsets = dict.fromkeys(BUSY, 10)
    app.stats.committed_offsets = dict.fromkeys(BUSY, 10)
    app.stats.end_offsets = dict.fromkeys(BUSY, 10**9)
    return app


def commit(app: ChunkApp, *but: TopicPartition) -> None:
    """Something of every partition but these."""
    app.stats.advances += 1
    for tp in BUSY:
        if tp not in but:
            app.stats.committed_offsets[tp] += 1


def rebalance_every_20_minutes(app: ChunkApp, second: int) -> bool:
    """Take partitions over for ten seconds; gives whether it is doing so. A restored table moves the whole."""
    app.stats.in_recovery = second % 1200 >= 1190
    if app.stats.in_recovery:
        app.stats.recovered += 1
    return app.stats.in_recovery


def test_one_stuck_partition_among_eight_busy_ones_is_found_after_four_times_the_bound(
    busy: ChunkApp,
) -> None:
    assert stuck_after_s(busy, 2 * HOUR_S, lambda _: commit(busy, BUSY[3])) == 4 * BOUND_S


def test_one_stuck_partition_is_found_although_partitions_are_taken_over_again_and_again(
    busy: ChunkApp,
) -> None:
    def step(second: int) -> None:
        if not rebalance_every_20_minutes(busy, second):
            commit(busy, BUSY[3])

    found = stuck_after_s(busy, 24 * HOUR_S, step)
    assert found is not None
    assert found <= 4 * BOUND_S + 30


def test_a_worker_whose_partitions_take_turns_is_never_stuck_however_often_it_takes_them_over(
    busy: ChunkApp,
) -> None:
    def step(second: int) -> None:
        if not rebalance_every_20_minutes(busy, second):
            its_turn = BUSY[second // 100 % len(BUSY)]
            commit(busy, *(tp for tp in BUSY if tp != its_turn))

    assert stuck_after_s(busy, 6 * HOUR_S, step) is None


def test_no_time_counts_for_a_partition_while_partitions_are_taken_over(app: ChunkApp) -> None:
    app.stats.end_offsets[EVENTS] = 110  # type: ignore[index]

    def taken_over_for_50_minutes(second: int) -> None:
        app.stats.recovered += 1
        app.stats.in_recovery = 100 <= second < 3100

    assert idle_s(app, taken_over_for_50_minutes) == HOUR_S - 3000 - 1


def test_a_partition_that_was_given_away_and_comes_back_begins_with_a_clock_of_its_own(app: ChunkApp) -> None:
    app.stats.end_offsets[EVENTS] = 110  # type: ignore[index]

    def away_for_a_minute(second: int) -> None:
        app.stats.recovered += 1
        app.stats.in_recovery = second in {2900, 3000}
        if second == 2901:
            del app.stats.next_offsets[EVENTS], app.stats.committed_offsets[EVENTS]
        if second == 3001:
            app.stats.next_offsets[EVENTS] = app.stats.committed_offsets[EVENTS] = 10

    assert idle_s(app, away_for_a_minute) == HOUR_S - 3001 - 1


def test_a_partition_of_which_something_was_committed_meanwhile_begins_anew_after_a_takeover(
    app: ChunkApp,
) -> None:
    app.stats.end_offsets[EVENTS] = 110  # type: ignore[index]

    def moved_in_a_takeover(second: int) -> None:
        app.stats.recovered += 1
        app.stats.in_recovery = 3000 <= second < 3010
        if second == 3005:
            app.stats.next_offsets[EVENTS] = app.stats.committed_offsets[EVENTS] = 20

    assert idle_s(app, moved_in_a_takeover) == HOUR_S - 3010 - 1


def test_a_loop_that_looks_at_no_log_any_more_is_due_although_no_record_waits(app: ChunkApp) -> None:
    app.stats.looked_monotonic = time.monotonic()
    assert standing_of(app).parts == ()
    app.stats.looked_monotonic -= 3600
    assert [part.due for part in standing_of(app).parts] == ["a look at the ends of the logs is due"]


def test_a_worker_that_failed_and_does_not_end_is_due(app: ChunkApp) -> None:
    app.consumer.transactions.broken = True
    assert [part.name for part in standing_of(app).parts] == ["commits"]
    app.failure = RuntimeError()
    assert standing_of(app).parts == ()


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
