"""Of several threads of a role one works; what ends it is told, and its place is free for the next."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.settings import ServiceAway, SinkError, SinkSettings
from sqlalchemy import Connection, text

from tests.sinks.sink_support import until

ROLE = Role("tester", "the tester", lock=7_223_900, idle_s=0.05, stop_bound_s=30.0)
_SETTINGS = (
    "SELECT application_name, current_setting('idle_session_timeout') FROM pg_stat_activity WHERE pid = "
)


class Counting(ElectedThread):
    """Counts how often it worked, and fails where it is told to."""

    def __init__(self, database_url: str, role: Role = ROLE) -> None:
        super().__init__(SinkSettings(bootstrap="", database_url=database_url, retry_s=0.5), role)
        self.worked = self.sessions = self.elections = 0
        self.failing: list[Exception] = []
        self.told: tuple[str, str] = "", ""

    @contextmanager
    def _working(self) -> Iterator[Work]:
        self.sessions += 1
        yield self._once

    def _took_place(self) -> None:
        self.elections += 1

    def _once(self, connection: Connection) -> float:
        if self.failing:
            raise self.failing.pop()
        self.told = connection.execute(text(_SETTINGS + "pg_backend_pid()")).one()
        connection.rollback()
        self.worked += 1
        return ROLE.idle_s


@contextmanager
def running(*testers: Counting) -> Iterator[None]:
    for tester in testers:
        tester.start()
    try:
        yield
    finally:
        for tester in testers:
            tester.stop()
            assert not tester.is_alive()


def test_one_works_and_the_other_takes_its_place_when_it_is_stopped(database_url: str) -> None:
    first, second = Counting(database_url), Counting(database_url)
    with running(first):
        until(lambda: first.worked > 0, "the first")
        with running(second):
            until(lambda: second.sessions > 0 and first.worked > 5, "more work")
            assert second.worked == 0
            first.stop()
            until(lambda: second.worked > 0, "the second")
    assert (first.elections, second.elections) == (1, 1)
    assert (first.failure, second.failure) == (None, None)


def test_a_service_that_was_away_after_some_work_is_no_failure(database_url: str) -> None:
    tester = Counting(database_url)
    with running(tester):
        until(lambda: tester.worked > 0, "some work")
        tester.failing.append(ServiceAway("Kafka: away"))
        until(lambda: tester.elections == 2, "its second election")
    assert (tester.sessions, tester.failure) == (2, None)


def test_a_service_that_stays_away_ends_it_with_who_it_was(database_url: str) -> None:
    tester = Counting(database_url)
    tester.failing += [ServiceAway("Kafka: away")] * 1000
    tester.run()
    assert isinstance(tester.failure, SinkError)
    assert "the tester: gave up after 0.5 s. Kafka: away" in str(tester.failure)


def test_a_defect_ends_it_and_is_handed_on(database_url: str) -> None:
    tester = Counting(database_url)
    tester.failing.append(KeyError("defect"))
    tester.run()
    assert isinstance(tester.failure, KeyError)


@pytest.mark.parametrize(("silence_s", "told"), [(0.0, "1min"), (300.0, "5min")])
def test_its_session_has_its_name_and_may_be_silent_for_its_time(
    database_url: str, silence_s: float, told: str
) -> None:
    tester = Counting(database_url, ROLE._replace(silence_s=silence_s))
    with running(tester):
        until(lambda: tester.worked > 0, "some work")
    assert tester.told == ("signaalwissel-tester", told)


def test_one_that_was_never_started_can_be_stopped() -> None:
    tester = Counting("postgresql://nobody@127.0.0.1:9/none")
    tester.stop()
    assert tester.sessions == 0
