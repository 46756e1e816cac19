"""Sessions end when they should, are read by nobody and made by nobody else."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.access import Principal, Role
from signaalwissel.security.running_sessions import RunningHere
from signaalwissel.security.sessions import (
    PROVEN_S,
    EndedHere,
    Session,
    Sessions,
    SessionsUnusable,
    digest_of_everybody,
    digest_of_person,
    same_token,
)

SECRET, OLD = "a" * 32, "b" * 40
SOMEBODY = Principal(
    "s", frozenset({Role.COUNSELLOR}), frozenset({"0344"}), "c-7", frozenset({"team-oost"}), name="Een naam"
)


class Clock:
    now = 1_780_000_000.0

    def __call__(self) -> float:
        return self.now


def made(clock: Clock, *secrets: str) -> Sessions:
    return Sessions(secrets or (SECRET,), idle_s=1800, life_s=36_000, now=clock)


def test_a_session_is_as_it_was() -> None:
    sessions = made(Clock())
    session = sessions.begin(SOMEBODY)
    assert sessions.open(sessions.seal(session)) == session
    assert session.principal == SOMEBODY


def test_a_session_ends_after_half_an_hour_of_rest() -> None:
    clock = Clock()
    sessions = made(clock)
    cookie = sessions.seal(sessions.begin(SOMEBODY))
    clock.now += 1800
    assert sessions.open(cookie) is not None
    clock.now += 1
    assert sessions.open(cookie) is None


def test_a_session_ends_after_ten_hours_however_busy() -> None:
    clock = Clock()
    sessions = made(clock)
    session = sessions.begin(SOMEBODY)
    for _ in range(39):
        clock.now += 900
        again = sessions.open(sessions.seal(session))
        assert again == session
    clock.now += 900
    assert sessions.open(sessions.seal(session)) is None


def test_a_cookie_that_comes_again_after_the_logout_is_no_session() -> None:
    sessions = made(Clock())
    session = sessions.begin(SOMEBODY)
    cookie = sessions.seal(session)
    sessions.end(session)
    assert sessions.open(cookie) is None
    assert sessions.open(sessions.seal(sessions.begin(SOMEBODY))) is not None


def test_a_secret_is_changed_without_logging_anybody_out() -> None:
    clock = Clock()
    cookie = made(clock, OLD).seal(made(clock, OLD).begin(SOMEBODY))
    assert made(clock, SECRET, OLD).open(cookie) is not None
    assert made(clock, SECRET).open(cookie) is None


@given(st.text(max_size=300))
def test_no_text_is_a_session(text: str) -> None:
    assert made(Clock()).open(text) is None


def test_a_changed_cookie_is_no_session() -> None:
    sessions = made(Clock())
    cookie = sessions.seal(sessions.begin(SOMEBODY))
    for at in range(0, len(cookie), 7):
        changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
        assert sessions.open(changed) is None


def test_a_cookie_shows_nothing() -> None:
    sessions = made(Clock())
    cookie = sessions.seal(sessions.begin(SOMEBODY))
    assert not [word for word in ("c-7", "0344", "naam", "counsellor") if word in cookie]


def test_what_was_sealed_for_something_else_is_no_session_and_the_other_way_round() -> None:
    sessions = made(Clock())
    login = sessions.seal_for("login", {"p": "x"})
    assert sessions.open(login) is None
    assert sessions.open_for("login", sessions.seal(sessions.begin(SOMEBODY)), 600) is None
    assert sessions.open_for("other", login, 600) is None
    assert sessions.open_for("login", login, 600) == {"p": "x"}


def test_a_login_must_be_finished_in_time() -> None:
    clock = Clock()
    sessions = made(clock)
    kept = sessions.seal_for("login", {})
    clock.now += 601
    assert sessions.open_for("login", kept, 600) is None


def test_each_session_has_a_token_of_its_own() -> None:
    sessions = made(Clock())
    one, other = sessions.begin(SOMEBODY), sessions.begin(SOMEBODY)
    assert same_token(one, one.csrf_token)
    assert not same_token(one, other.csrf_token)
    assert not same_token(one, "")
    assert not same_token(one, "é")


@pytest.mark.parametrize("secrets", [(), ("short",), (SECRET, "short")])
def test_short_secrets_are_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SessionsUnusable, match="32"):
        Sessions(secrets)


def test_a_stranger_with_another_key_makes_no_session() -> None:
    assert made(Clock()).open(Fernet(Fernet.generate_key()).encrypt(b"{}").decode()) is None


def test_what_one_process_ended_is_no_session_in_another() -> None:
    ended, clock = EndedHere(), Clock()
    here, there = (Sessions([SECRET], ended, now=clock) for _ in range(2))
    session = here.begin(SOMEBODY)
    cookie = here.seal(session)
    assert there.open(cookie) == session
    here.end(session)
    assert there.open(cookie) is None


def test_a_logout_counts_in_a_process_whose_clock_is_behind() -> None:
    ended, ahead, behind = EndedHere(), Clock(), Clock()
    ahead.now += 20
    session = Sessions([SECRET], ended, now=ahead).begin(SOMEBODY)
    there = Sessions([SECRET], ended, now=behind)
    there.end(session)
    assert there.open(there.seal(session)) is None


@pytest.mark.parametrize("whose", [digest_of_person("s"), digest_of_everybody()], ids=["person", "everybody"])
def test_ended_by_an_administrator_old_sessions_are_over_and_a_new_login_counts(whose: bytes) -> None:
    ended, clock = EndedHere(), Clock()
    sessions = Sessions([SECRET], ended, now=clock)
    old = sessions.seal(sessions.begin(SOMEBODY))
    ended.end(whose, int(clock.now))
    assert sessions.open(old) is None
    clock.now += 1
    new = sessions.begin(SOMEBODY)
    assert sessions.open(sessions.seal(new)) == new


def test_ended_for_somebody_else_a_session_goes_on() -> None:
    ended, clock = EndedHere(), Clock()
    sessions = Sessions([SECRET], ended, now=clock)
    session = sessions.begin(SOMEBODY)
    ended.end(digest_of_person("another"), int(clock.now))
    assert sessions.open(sessions.seal(session)) == session


def two_of_somebody(clock: Clock) -> tuple[Sessions, list[Session]]:
    sessions = Sessions([SECRET], running=RunningHere(), now=clock)
    return sessions, [sessions.list(sessions.begin(SOMEBODY, proven=True)) for _ in range(2)]


def test_a_session_that_is_used_is_put_on_the_list_once_a_minute() -> None:
    clock = Clock()
    sessions, (mine, _) = two_of_somebody(clock)
    clock.now += 59
    assert sessions.list(mine) is mine
    clock.now += 1
    again = sessions.open(sessions.seal(sessions.list(mine)))
    assert again is not None
    assert again.listed_s == clock.now
    assert {one.seen_s - one.began_s for one in sessions.running(mine)} == {0, 60}


def test_a_session_at_rest_for_half_an_hour_is_not_listed_any_more() -> None:
    clock = Clock()
    sessions, (mine, other) = two_of_somebody(clock)
    clock.now += 1800
    mine = sessions.list(mine)
    assert other.digest in {one.digest for one in sessions.running(mine)}
    clock.now += 60
    assert [one.digest for one in sessions.running(mine)] == [mine.digest]


@pytest.mark.parametrize("whose", [digest_of_person("s"), digest_of_everybody()], ids=["person", "everybody"])
def test_what_an_administrator_ended_is_not_listed(whose: bytes) -> None:
    clock, ended = Clock(), EndedHere()
    sessions = Sessions([SECRET], ended, RunningHere(), now=clock)
    sessions.list(sessions.begin(SOMEBODY))
    ended.end(whose, int(clock.now))
    clock.now += 1
    mine = sessions.list(sessions.begin(SOMEBODY))
    assert [one.digest for one in sessions.running(mine)] == [mine.digest]


def test_one_that_somebody_ended_is_over_and_their_own_never_is() -> None:
    clock = Clock()
    sessions, (mine, other) = two_of_somebody(clock)
    cookie = sessions.seal(other)
    assert sessions.end_others(mine, lambda _: True) == 1
    assert sessions.open(cookie) is None
    assert sessions.open(sessions.seal(mine)) == mine


def test_a_new_login_proves_for_five_minutes_who_somebody_is_and_an_ordinary_one_never() -> None:
    clock = Clock()
    sessions, (mine, _) = two_of_somebody(clock)
    ordinary = sessions.begin(SOMEBODY)
    assert sessions.may_end_others(mine)
    assert not sessions.may_end_others(ordinary)
    clock.now += PROVEN_S
    assert not sessions.may_end_others(mine)
