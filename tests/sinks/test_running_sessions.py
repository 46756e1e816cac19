"""The list of sessions in the database: every process sees it, and nobody stays on it longer than a session can be old."""

import pytest
from signaalwissel.security.running_sessions import Running
from signaalwissel.security.sessions import LIFE_S, EndsAway
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.running_sessions import StoredSessions
from signaalwissel.sinks.session_tables import running_sessions
from sqlalchemy import func, select

NOW_S = 1_780_000_000
ME, OTHER = b"p" * 32, b"q" * 32
ONE = Running(b"1" * 32, ME, NOW_S, NOW_S)
TWO = Running(b"2" * 32, ME, NOW_S + 5, NOW_S + 9)
THEIRS = Running(b"3" * 32, OTHER, NOW_S, NOW_S)


def of(database_url: str) -> StoredSessions:
    return StoredSessions(open_engine(database_url, name="test"))


def found(listed: StoredSessions, person: bytes = ME) -> list[Running]:
    return list(listed.of(person, began_after_s=NOW_S - LIFE_S, seen_after_s=NOW_S - 1800))


def test_what_one_process_lists_another_sees_and_of_each_person_only_their_own(database_url: str) -> None:
    migrate(database_url)
    for one in (ONE, TWO, THEIRS):
        of(database_url).see(one)
    assert found(of(database_url)) == [TWO, ONE]
    assert found(of(database_url), OTHER) == [THEIRS]


def test_used_again_a_session_stands_there_once_and_is_never_moved_back(database_url: str) -> None:
    migrate(database_url)
    listed = of(database_url)
    for seen_s in (NOW_S, NOW_S + 60, NOW_S + 30):
        listed.see(ONE._replace(seen_s=seen_s))
    assert found(listed) == [ONE._replace(seen_s=NOW_S + 60)]


def test_what_is_too_old_or_too_long_at_rest_does_not_run(database_url: str) -> None:
    migrate(database_url)
    listed = of(database_url)
    listed.see(ONE._replace(began_s=NOW_S - LIFE_S))
    listed.see(TWO._replace(seen_s=NOW_S - 1800))
    assert found(listed) == []


def test_a_session_that_is_ended_goes_and_the_others_stay(database_url: str) -> None:
    migrate(database_url)
    listed = of(database_url)
    listed.see(ONE)
    listed.see(TWO)
    listed.forget(ONE.digest)
    assert found(listed) == [TWO]


def test_a_row_goes_when_no_session_can_be_so_old_and_not_before(database_url: str) -> None:
    migrate(database_url)
    listed = of(database_url)
    listed.see(ONE)
    for later, rows in ((2 * LIFE_S, 2), (2 * LIFE_S + 1, 1)):
        listed.see(THEIRS._replace(began_s=NOW_S + later, seen_s=NOW_S + later))
        with open_engine(database_url, name="test").connect() as connection:
            assert connection.execute(select(func.count()).select_from(running_sessions)).scalar_one() == rows


def test_without_the_table_it_says_that_it_cannot_tell(empty_database_url: str) -> None:
    for ask in (lambda one: one.see(ONE), found, lambda one: one.forget(ONE.digest)):
        with pytest.raises(EndsAway):
            ask(of(empty_database_url))
