"""Who is meant, in which trajectories he is a client, and which signals are his (domain 8.6, 8.8)."""

from typing import Any

import pytest
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.subject import Membership, Person, SubjectUnclear, known_in, person_of
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.signal import Subject
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import (
    ANNA,
    AWAY,
    BRAM,
    HOME,
    applied,
    by_address,
    by_bsn,
    client_changed,
    without,
)
from tests.processors.test_intake_erasure import erase
from tests.processors.test_intake_trajectories import Desk

TWIN = {**BRAM, "birth_date": ANNA["birth_date"]}
UNKNOWN_BSN = without(ANNA, "bsn")
KEYS = ThrowawayKeys()


def subject(person: dict[str, Any]) -> Subject:
    found: Subject = codec("SealedSubject").from_json({"subject": person}).subject
    return found


def keys() -> PseudonymKeys:
    return KEYS.pseudonym_keys("0344")


def person(who: dict[str, Any]) -> Person:
    return person_of(subject({name: value for name, value in who.items() if name != "surname"}), keys())


def state(*story: Any) -> TrajectoryState:
    desk = Desk(keys=KEYS)
    return read_trajectory_state(desk.take([line for lines in story for line in lines])[-1].value)


@pytest.mark.parametrize("who", [{}, HOME, {"birth_date": "1980-05-17"}, {**HOME, "surname": "Jansen"}])
def test_who_is_not_told_apart_is_refused(who: dict[str, Any]) -> None:
    with pytest.raises(SubjectUnclear, match="bsn"):
        person_of(subject(who), keys())


@pytest.mark.parametrize(
    ("who", "places"),
    [
        pytest.param(by_bsn(ANNA), [("T1", 0, False)], id="by BSN"),
        pytest.param(by_address(BRAM, "birth_date"), [("T1", 1, False)], id="by address and birth date"),
        pytest.param({"bsn": "999990019"}, [], id="a stranger"),
        pytest.param({**HOME, "birth_date": "2001-01-01"}, [], id="a housemate"),
    ],
)
def test_as_whom_he_is_found(who: dict[str, Any], places: list[tuple[str, int, bool]]) -> None:
    known = known_in(person(who), [state(applied("2025-01-10", ANNA, BRAM))])
    assert list(known.memberships) == [Membership(*place) for place in places]


def test_what_one_trajectory_tells_finds_him_in_the_next() -> None:
    first = state(applied("2025-01-10", ANNA))
    second = state(applied("2025-01-10", UNKNOWN_BSN))._replace(trajectory_id="T2")
    known = known_in(person(by_bsn(ANNA)), [second, first])
    assert [one.trajectory_id for one in known.memberships] == ["T1", "T2"]


def test_an_old_address_is_his_too() -> None:
    moved = state(applied("2025-01-10", ANNA), client_changed("2025-03-01", {**ANNA, **AWAY}))
    known = known_in(person(by_bsn(ANNA)), [moved]).person
    assert known.is_subject(keys().pseudonym(subject(by_address(ANNA, "birth_date"))))


@pytest.mark.parametrize(
    ("said", "his"),
    [
        (by_bsn(ANNA), True),
        (by_address(ANNA, "birth_date"), True),
        (by_address(ANNA), False),
        (by_bsn(BRAM), False),
        (by_address(BRAM, "birth_date"), False),
        ({**by_address(ANNA, "birth_date"), "bsn": BRAM["bsn"]}, False),
    ],
)
def test_which_signals_are_his(said: dict[str, Any], his: bool) -> None:
    known = known_in(person(ANNA), [state(applied("2025-01-10", ANNA, BRAM))]).person
    assert known.is_subject(keys().pseudonym(subject(said))) is his


def test_where_two_share_a_birth_date_only_a_bsn_tells() -> None:
    known = known_in(person(ANNA), [state(applied("2025-01-10", ANNA, TWIN))]).person
    assert not known.is_subject(keys().pseudonym(subject(by_address(ANNA, "birth_date"))))
    assert known.is_subject(keys().pseudonym(subject(by_bsn(ANNA))))


@pytest.mark.parametrize("other", [TWIN, without(TWIN, "bsn")])
def test_two_who_cannot_be_told_apart_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises(SubjectUnclear, match="give the bsn"):
        known_in(person(UNKNOWN_BSN), [state(applied("2025-01-10", without(ANNA, "bsn"), other))])


def test_who_is_left_alone_takes_the_trajectory_with_him() -> None:
    desk = Desk(keys=KEYS)
    desk.take(applied("2025-01-10", ANNA, BRAM))
    left = read_trajectory_state(erase(desk, 1)[-1].value)
    assert known_in(person(by_bsn(ANNA)), [left]).memberships == (Membership("T1", 0, alone=True),)
    assert known_in(person(by_bsn(BRAM)), [left]).memberships == ()


def test_an_erased_trajectory_is_nobodys() -> None:
    gone = state(applied("2025-01-10", ANNA))._replace(erased=True, facts=())
    assert known_in(person(by_bsn(ANNA)), [gone]).memberships == ()
