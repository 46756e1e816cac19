"""Which records a resident may see, and what of them: nothing of a second person (AVG 15)."""

import base64
import json
from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.identifiers import routing_id, signal_ref, signal_table_key
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.subject import Membership, known_in, person_of
from signaalwissel.processors.subject_records import Scope, Selector, trajectory_shown
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import NoticeEvent, NoticeKind, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.imports import CaseCourse, ImportedState
from signaalwissel.schemas.internal import (
    Delivery,
    IntakeCommand,
    IntakeCommandKind,
    IntakeSignal,
    TrajectoryState,
)
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import ExitReason
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import (
    ANNA,
    BRAM,
    admitted,
    applied,
    by_address,
    by_bsn,
    died,
    event,
    objected,
    signal,
)
from tests.processors.test_intake_trajectories import Desk
from tests.processors.test_subject import subject

KEYS = ThrowawayKeys()
MOMENT = 1_772_280_000_000
REF = signal_ref("0344", "woonstad", "S1", MOMENT)


def pseudonyms() -> PseudonymKeys:
    return KEYS.pseudonym_keys("0344")


def couple(*more: Any) -> TrajectoryState:
    desk = Desk(keys=KEYS)
    came = desk.take([*applied("2025-01-10", ANNA, BRAM), *(line for lines in more for line in lines)])
    return read_trajectory_state(came[-1].value)


def selector(who: dict[str, Any], state: TrajectoryState) -> Selector:
    known = known_in(person_of(subject(by_bsn(who)), pseudonyms()), [state])
    scope = Scope(
        person=known.person,
        memberships={one.trajectory_id: one for one in known.memberships},
        refs=frozenset({REF}),
        task_ids=frozenset({"task-his"}),
        shared_task_ids=frozenset({"task-shared"}),
        notice_ids=frozenset({"notice-his"}),
        addressees=frozenset({"resident-him"}),
    )
    return Selector(scope, pseudonyms(), KEYS.by_id)


def in_json(who: dict[str, Any]) -> list[str]:
    said = pseudonyms().pseudonym(subject(by_bsn(who) | {"surname": who["surname"]}))
    return [base64.b64encode(one).decode() for one in (said.bsn, said.surname) if one is not None]


@pytest.mark.parametrize(("who", "other"), [(ANNA, BRAM), (BRAM, ANNA)])
def test_of_a_trajectory_of_two_each_sees_his_half(who: dict[str, Any], other: dict[str, Any]) -> None:
    state = couple(objected("2025-02-01", other), died("2025-03-01", who), admitted("2025-02-02"))
    shown = selector(who, state).shown(state)
    assert shown is not None
    text = json.dumps(shown)
    assert all(one in text for one in in_json(who))
    assert not any(one in text for one in in_json(other))
    assert sorted(fact["kind"] for fact in shown["facts"]) == ["ADMITTED", "APPLIED", "EXITED"]


def test_a_trajectory_of_others_is_not_shown() -> None:
    assert selector(ANNA, couple()).shown(couple()._replace(trajectory_id="T2")) is None
    assert selector(ANNA, couple()).shown(couple()._replace(municipality="0363")) is None


def test_who_is_left_alone_sees_the_whole() -> None:
    state = couple(objected("2025-02-01", BRAM))
    shown = trajectory_shown(state, Membership("T1", 0, alone=True))
    assert len(shown["facts"]) == 2


@pytest.mark.parametrize(("who", "other"), [(ANNA, BRAM), (BRAM, ANNA)])
def test_of_what_the_importer_keeps_each_sees_his_half_and_not_how_it_ended(
    who: dict[str, Any], other: dict[str, Any]
) -> None:
    listed = tuple(pseudonyms().pseudonym(subject(one)) for one in (ANNA, BRAM))
    course = CaseCourse(date(2025, 1, 10), exited_on=date(2025, 3, 1), exit_reason=ExitReason.DECEASED)
    kept = ImportedState("vps", "0344", "T1", False, 3, False, False, listed, course)
    shown = selector(who, couple()).shown(kept)
    assert shown is not None
    text = json.dumps(shown)
    assert all(one in text for one in in_json(who))
    assert not any(one in text for one in in_json(other))
    assert "exit" not in text
    assert selector(who, couple()).shown(kept._replace(municipality="0363")) is None
    alone = selector(who, couple()).shown(kept._replace(clients=(pseudonyms().pseudonym(subject(who)),)))
    assert alone is not None
    assert alone["course"]["exit_reason"] == "DECEASED"


@pytest.mark.parametrize(
    ("clients", "seen"),
    [([ANNA, BRAM], [True, False]), ([BRAM, ANNA], [False, True]), ([BRAM], None), ([], [])],
)
def test_of_an_event_he_sees_his_own_entry(clients: list[dict[str, Any]], seen: list[bool] | None) -> None:
    value = event("CLIENT_CHANGED", "2025-02-01", clients=clients)[0]["value"]
    record = codec("TrajectoryEvent").from_json({"event_id": "e9", "sequence": 9, **value})
    shown = selector(ANNA, couple()).shown(record)
    assert (None if shown is None else [one is not None for one in shown["clients"]]) == seen


@pytest.mark.parametrize(
    ("about", "seen"),
    [
        (by_bsn(ANNA), True),
        (by_address(ANNA, "birth_date"), True),
        (by_address(ANNA), False),
        (by_bsn(BRAM), False),
    ],
)
def test_which_signals_he_sees(about: dict[str, Any], seen: bool) -> None:
    record: EarlySignal = codec("EarlySignal").from_json(signal(about=about)["value"])
    assert (selector(ANNA, couple()).shown(record) is not None) is seen


@pytest.mark.parametrize(("client", "seen"), [(0, True), (1, False), (None, False)])
def test_a_command_to_intake_is_his_by_position(client: int | None, seen: bool) -> None:
    command = IntakeCommand(
        "c1",
        IntakeCommandKind.OBJECT,
        "0344",
        "T1",
        client,
        subject(ANNA).birth_date or MOMENT,
        MOMENT,
    )
    assert (selector(ANNA, couple()).shown(command) is not None) is seen


@pytest.mark.parametrize(
    ("notice_id", "addressee", "seen"),
    [("notice-his", "x", True), ("other", "resident-him", True), ("other", "resident-her", False)],
)
def test_a_notice_is_his_by_id_or_addressee(notice_id: str, addressee: str, seen: bool) -> None:
    day = subject(ANNA).birth_date
    assert day is not None
    notice = NoticeEvent(
        notice_id=notice_id,
        version=1,
        kind=NoticeKind.OBJECTION_RECORDED,
        municipality="0344",
        addressee=addressee,
        due_on=None,
        legal_ground="AVG 21",
        trajectory_id=None,
        signal_id=None,
        feedback=None,
        occurred_on=day,
    )
    assert (selector(ANNA, couple()).shown(notice) is not None) is seen


@pytest.mark.parametrize(
    ("task_id", "seen"), [("task-his", True), ("task-shared", False), ("task-hers", False)]
)
def test_an_update_is_his_by_its_task(task_id: str, seen: bool) -> None:
    update = TaskUpdate("u1", task_id, MOMENT, TaskUpdateKind.ACCEPTED, None, None, None, None, None, "b-1")
    assert (selector(ANNA, couple()).shown(update) is not None) is seen


def test_an_entry_of_intakes_signals_is_his_by_match_key_or_number() -> None:
    his = selector(ANNA, couple())
    own = next(iter(person_of(subject(by_bsn(ANNA)), pseudonyms()).own_keys))
    by_key = IntakeSignal((Delivery(MOMENT, b"d", own),))
    elsewhere = IntakeSignal((Delivery(MOMENT, b"d", b"other"),))
    assert his.shown_entry(b"whatever", by_key) == {"received_at": [MOMENT]}
    assert his.shown_entry(signal_table_key("0344", "woonstad", "S1"), elsewhere) == {"received_at": [MOMENT]}
    assert his.shown_entry(signal_table_key("0344", "woonstad", "S2"), elsewhere) is None
    assert his.shown_entry(b"\xff", elsewhere) is None


def test_what_is_none_of_our_records_is_not_shown() -> None:
    assert selector(ANNA, couple()).shown_entry(b"k", None) is None
    assert routing_id(REF, 0).startswith(REF.hex())
