import threading

import pytest
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.settings import ServiceAway, SinkError, SinkSettings


def test_a_service_that_comes_back_in_time_costs_nothing_but_time() -> None:
    tries = iter([True, True, False])

    def session() -> bool:
        if next(tries):
            raise ServiceAway("PostgreSQL: away")
        return True

    Patience(30.0, "the sink").keep_trying(session, threading.Event())
    assert next(tries, None) is None


def test_a_service_that_stays_away_is_named() -> None:
    def session() -> bool:
        raise ServiceAway("PostgreSQL: away")

    with pytest.raises(
        SinkError, match=r"the sink: gave up after 0\.3 s\. PostgreSQL: away\. Nothing is lost"
    ):
        Patience(0.3, "the sink").keep_trying(session, threading.Event())


def test_a_stop_ends_the_waiting() -> None:
    stopped = threading.Event()

    def session() -> bool:
        stopped.set()
        raise ServiceAway("PostgreSQL: away")

    Patience(1000.0, "the sink").keep_trying(session, stopped)


def test_a_session_that_got_something_done_starts_the_time_anew() -> None:
    sessions = iter([False, False, True])
    Patience(0.0, "the sink").keep_trying(lambda: next(sessions), threading.Event())
    assert next(sessions, None) is None


def test_another_error_passes_as_it_is() -> None:
    def session() -> bool:
        raise KeyError("defect")

    with pytest.raises(KeyError):
        Patience(30.0, "the sink").keep_trying(session, threading.Event())


@pytest.mark.parametrize(("instance", "instances"), [(1, 1), (-1, 2), (2, 2)])
def test_an_instance_outside_its_number_is_refused(instance: int, instances: int) -> None:
    with pytest.raises(SinkError, match="must lie between 0 and"):
        SinkSettings(bootstrap="", database_url="", instance=instance, instances=instances)
