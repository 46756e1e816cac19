"""Ends of sessions in the database: every process sees them, and they go once no session can be so old."""

import pytest
from signaalwissel.security.sessions import LIFE_S, EndsAway
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.ended_sessions import EndedSessions
from signaalwissel.sinks.session_tables import ended_sessions
from sqlalchemy import func, select

NOW_S = 1_780_000_000
ONE, OTHER = b"1" * 32, b"2" * 32


def of(database_url: str) -> EndedSessions:
    return EndedSessions(open_engine(database_url, name="test"))


def test_what_one_process_ended_another_sees(database_url: str) -> None:
    migrate(database_url)
    of(database_url).end(ONE, NOW_S)
    assert of(database_url).latest_s([OTHER, ONE]) == NOW_S
    assert of(database_url).latest_s([OTHER]) is None


def test_an_end_is_never_moved_back(database_url: str) -> None:
    migrate(database_url)
    ends = of(database_url)
    for at_s in (NOW_S, NOW_S + 5, NOW_S - 5):
        ends.end(ONE, at_s)
    assert ends.latest_s([ONE]) == NOW_S + 5


def test_an_end_goes_when_no_session_can_be_so_old_and_not_before(database_url: str) -> None:
    migrate(database_url)
    ends = of(database_url)
    ends.end(ONE, NOW_S)
    ends.end(OTHER, NOW_S + LIFE_S)
    assert ends.latest_s([ONE]) == NOW_S
    ends.end(OTHER, NOW_S + 2 * LIFE_S + 1)
    assert ends.latest_s([ONE]) is None
    with open_engine(database_url, name="test").connect() as connection:
        assert connection.execute(select(func.count()).select_from(ended_sessions)).scalar_one() == 1


def test_without_a_database_or_its_table_it_says_that_it_cannot_tell(empty_database_url: str) -> None:
    with pytest.raises(EndsAway):
        of(empty_database_url).latest_s([ONE])
    with pytest.raises(EndsAway):
        of("postgresql://nobody@127.0.0.1:1/none").end(ONE, NOW_S)
