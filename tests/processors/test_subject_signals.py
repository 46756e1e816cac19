"""Erasing a resident at a match key: his signals are withdrawn on both sides, nobody else's (design 2; domain 8.8)."""

from typing import Any

import pytest
from signaalwissel.processors.matcher import Clock
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import ClientPseudonym, ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.schemas.signal import Subject

from tests.processors.given import (
    ANNA,
    BRAM,
    Case,
    _printed,
    applied,
    by_address,
    by_bsn,
    event,
    running,
    signal,
    without,
)

TWIN = {**BRAM, "birth_date": ANNA["birth_date"]}


def pseudonym(case: Case, person: dict[str, Any]) -> ClientPseudonym:
    keys = case.simulation._trajectories._keys.pseudonym_keys("0344")
    subject: Subject = codec("SealedSubject").from_json({"subject": person}).subject
    return keys.pseudonym(subject)


def erase(case: Case, person: dict[str, Any], signal_id: str = "S1", **whom: Any) -> list[dict[str, Any]]:
    """Erase a resident at the match key of a signal."""
    about = case.decision(signal_id)
    command = ResidentCommand(
        command_id="erase-1",
        kind=ResidentCommandKind.ERASE_RESIDENT,
        municipality="0344",
        signal_ref=b"",
        trajectory_id=whom.get("trajectory"),
        client=whom.get("client"),
        issued_at=about.decided_at,
        person=ClientPseudonym(*pseudonym(case, person)[:2]),
    )
    matcher, state = case.simulation._matcher, case.simulation._state
    clock = Clock(about.decided_at, about.decided_at)
    value = codec("ResidentCommand").encode(command)
    came = [out for e in matcher.step(state, about.match_key, value, clock) for out in _printed(e)]
    case.outputs += came
    return came


def erased(case: Case, signal_id: str = "S1") -> bool:
    last = case.decision(signal_id)
    return (last.action, last.cause) == (CorrectionAction.WITHDRAWN, CorrectionCause.ERASED)


def test_a_signal_by_his_bsn_is_withdrawn_and_never_says_whither() -> None:
    case = Case()
    case.feed(running(), signal())
    came = erase(case, ANNA)
    assert erased(case)
    assert [(one["topic"], one["value"]["action"]) for one in came[:-1]] == [
        ("counsellor-corrections", "WITHDRAWN")
    ]
    assert all(one["value"].get("to") is None for one in came)
    assert case.decision().sealed_subject == b""


def test_what_was_offered_is_withdrawn_on_both_sides() -> None:
    case = Case()
    case.feed(running(), signal())
    case.command("OFFER_TO_REGULAR")
    topics = [one["topic"] for one in erase(case, ANNA)]
    assert topics == ["counsellor-corrections", "regular-corrections", "decisions"]


def test_the_trajectory_that_goes_after_him_moves_nothing_any_more() -> None:
    case = Case()
    case.feed(running(), signal())
    erase(case, ANNA)
    before = len(case.outputs)
    case.feed(event("ERASED", "2026-03-01"))
    assert case.outputs[before:] == []


def test_a_later_signal_is_a_new_signal() -> None:
    case = Case()
    case.feed(signal())
    erase(case, ANNA)
    case.feed(signal(signal_id="S2"))
    assert erased(case)
    assert (case.decision("S2").revision, erased(case, "S2")) == (0, False)


def test_the_same_signal_again_stays_absorbed() -> None:
    case = Case()
    case.feed(signal())
    erase(case, ANNA)
    assert case.feed(signal()) == []


@pytest.mark.parametrize(
    ("given", "about", "gone"),
    [
        pytest.param([], by_address(ANNA, "birth_date"), True, id="his address and birth date"),
        pytest.param([], by_address(ANNA), False, id="his address alone: anybody's"),
        pytest.param([], by_address(ANNA, "surname"), False, id="his address and surname: no proof"),
        pytest.param([], by_address(BRAM, "birth_date"), False, id="a housemate's birth date"),
        pytest.param(
            applied("2025-01-10", ANNA, BRAM), by_address(BRAM, "birth_date"), False, id="his wife's"
        ),
        pytest.param(
            applied("2025-01-10", ANNA, TWIN), by_address(ANNA, "birth_date"), False, id="a twin's or his"
        ),
        pytest.param(
            applied("2025-01-10", TWIN),
            by_address(ANNA, "birth_date"),
            False,
            id="somebody else is known there",
        ),
        pytest.param(
            applied("2025-01-10", without(ANNA, "bsn")),
            by_address(ANNA, "birth_date"),
            True,
            id="he is known there without a BSN",
        ),
    ],
)
def test_at_an_address(given: list[Any], about: dict[str, Any], gone: bool) -> None:
    case = Case()
    case.feed(given, signal(about=about))
    erase(case, ANNA)
    assert erased(case) is gone


@pytest.mark.parametrize(("client", "gone"), [(0, True), (1, False)])
def test_a_signal_by_address_that_was_confirmed_is_his_whose_it_was_confirmed_to_be(
    client: int,
    gone: bool,
) -> None:
    case = Case()
    case.feed(applied("2025-01-10", ANNA, BRAM), signal(about=by_address(ANNA)))
    case.command("CONFIRM_IDENTITY", trajectory="T1", client=client)
    erase(case, ANNA, trajectory="T1", client=0)
    assert erased(case) is gone


def test_under_his_key_a_signal_with_another_bsn_stays() -> None:
    case = Case()
    case.feed(signal(about=by_bsn(BRAM)))
    assert erase(case, ANNA) == []
