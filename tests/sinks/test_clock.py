import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.followup_tasks import Moment, Outcome, Task
from signaalwissel.schemas.followup import TaskStatus
from signaalwissel.sinks import clock, clock_batch
from signaalwissel.sinks.agendas import ClockStuck
from signaalwissel.sinks.clock import Clock
from signaalwissel.sinks.settings import SinkError, SinkSettings
from signaalwissel.sinks.tables import tasks
from sqlalchemy import text

from tests.processors.followup_support import decision
from tests.sinks.clock_support import MONDAY, Office, SetTime, steps
from tests.sinks.sink_support import POLICIES, SinkBench, until

ROOT = Path(__file__).parents[2]
LATER = MONDAY + timedelta(days=40)


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


class Watched:
    """A clock, and the steps that it told."""

    def __init__(self, office: Office, settings: SinkSettings | None = None) -> None:
        self.told: list[str] = []
        self.time = SetTime(LATER)
        self.clock = Clock(settings or office.settings, POLICIES, self.time, self.told.append)

    @property
    def elected(self) -> bool:
        return "clock.elected" in self.told


@contextmanager
def running(*clocks: Watched) -> Iterator[None]:
    for watched in clocks:
        watched.clock.start()
    try:
        yield
    finally:
        for watched in clocks:
            watched.clock.stop()
            assert not watched.clock.is_alive()


def nothing_due(office: Office) -> bool:
    return not any(row["next_on"] and row["next_on"] <= LATER for row in office.rows(tasks))


def test_of_two_clocks_one_works_and_the_other_takes_over_when_it_ends(office: Office) -> None:
    first, second = Watched(office), Watched(office)
    office.store(*(decision(f"s-{n}", trajectory_id=f"T-{n}") for n in range(5)))
    with running(first):
        until(lambda: nothing_due(office), "the first clock")
        with running(second):
            office.store(*(decision(f"s-{n}", trajectory_id=f"T-{n}") for n in range(5, 10)))
            until(lambda: nothing_due(office), "the first clock again")
            assert (first.elected, second.elected) == (True, False)
            first.clock.stop()
            office.store(decision("s-10", trajectory_id="T-10"))
            until(lambda: nothing_due(office), "the second clock")
            assert second.elected
    assert all(steps(task).count("OFFERED_TO_REGULAR") == 1 for task in office.tasks())


def test_when_the_elected_one_is_killed_the_other_takes_over(office: Office) -> None:
    office.store(*(decision(f"s-{n}", trajectory_id=f"T-{n}") for n in range(6)))
    plan = {
        "database_url": office.settings.database_url,
        "day": LATER.isoformat(),
        "batch": 2,
        "kills": [["clock.saved", 2]],
    }
    command = [sys.executable, "-m", "tests.sinks.clock_worker", json.dumps(plan)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL):
        waiting = Watched(office)
        until(lambda: any(task.version > 1 for task in office.tasks()), "the one that is killed")
        with running(waiting):
            until(lambda: nothing_due(office), "the other")
    assert waiting.elected
    assert [task.version for task in office.tasks()] == [2] * 6


def test_a_new_day_needs_no_news_from_anybody(office: Office) -> None:
    office.store(decision())
    watched = Watched(office)
    watched.time.day = MONDAY
    with running(watched):
        until(lambda: watched.elected, "its election")
        watched.time.day = LATER
        until(lambda: office.only.status is TaskStatus.ESCALATED, "the new day")


def test_a_connection_that_is_cut_is_made_again_and_the_place_taken_again(office: Office) -> None:
    watched = Watched(office)
    with running(watched):
        until(lambda: watched.elected, "its election")
        with office.engine.begin() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
            connection.execute(text(cut), {"name": "signaalwissel-clock"})
        until(lambda: watched.told.count("clock.elected") == 2, "its second election")
        office.store(decision())
        until(lambda: nothing_due(office), "its work")
    assert watched.clock.failure is None


def test_a_database_that_stays_away_ends_the_clock_with_a_clear_error(office: Office) -> None:
    away = SinkSettings(bootstrap="", database_url="postgresql://nobody@127.0.0.1:9/none", retry_s=0.3)
    ends = Clock(away, POLICIES)
    ends.run()
    assert isinstance(ends.failure, SinkError)
    assert "the clock: gave up after 0.3 s. PostgreSQL: " in str(ends.failure)


def test_while_the_sink_has_much_to_store_the_clock_rests_between_batches(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(database_url, clock_batch=1)
    office.store(*(decision(f"s-{n}", trajectory_id=f"T-{n}") for n in range(20)))
    # However long the machine takes for the batches, they are still in the sink's way.
    monkeypatch.setattr(clock, "_BUSY_S", 3600.0)
    rested: list[float] = []

    class Resting(threading.Event):
        """Notes for how long the clock would pause."""

        def wait(self, timeout: float | None = None) -> bool:
            rested.append(timeout or 0.0)
            return super().wait(0)

    for busy in (False, True):
        watched = Watched(office)
        watched.clock._stopped = Resting()
        if busy:
            watched.clock.make_way()
        with running(watched):
            until(lambda: nothing_due(office), "the backlog")
        assert bool(set(rested) - {0.0, clock._ROLE.idle_s}) is busy
        office.store(*(decision(f"b-{n}", trajectory_id=f"U-{n}") for n in range(20)))


def test_a_clock_that_fails_ends_the_sink(bench: SinkBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(task: Task, _: Moment, __: object) -> Outcome:
        return Outcome((task.next_version(),))

    monkeypatch.setattr(clock_batch, "tick", stuck)
    bench.decide([decision()])
    with bench.running(failing=True, clock=True) as sink:
        until(lambda: sink.failure is not None, "the end of the sink")
    assert isinstance(sink.failure, ClockStuck)


def test_a_sink_lets_deadlines_run_by_the_databases_time(bench: SinkBench) -> None:
    bench.decide([decision()])
    bench.drain()
    assert bench.rows(tasks)[0]["status"] == "OPEN"
    with bench.running(clock=True):
        until(lambda: bench.rows(tasks)[0]["status"] == "ESCALATED", "the clock")
        until(bench.drained, "the relay")
    assert bench.task_events(2)[-1].status is TaskStatus.ESCALATED
