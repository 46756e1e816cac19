"""Municipalities are isolated: nobody is tested against another municipality's trajectories (domain 8.13)."""

import pytest
from signaalwissel.schemas.routing import TrueReason

from tests.processors.given import (
    ANNA,
    Case,
    Person,
    by_address,
    by_bsn,
    decision,
    event,
    exited,
    running,
    signal,
)

ELSEWHERE = "0363"
RUNNING, NOBODY = TrueReason.RUNNING_TRAJECTORY, TrueReason.NO_TRAJECTORY


@pytest.mark.parametrize(
    "about",
    [pytest.param(by_bsn(ANNA), id="by BSN"), pytest.param(by_address(ANNA, "birth_date"), id="by address")],
)
def test_a_trajectory_is_tested_in_its_own_municipality_only(about: Person) -> None:
    given = running(municipality=ELSEWHERE)
    assert decision(given, signal(on="2026-02-20", about=about)).reason is NOBODY
    assert decision(given, signal(on="2026-02-20", about=about, municipality=ELSEWHERE)).reason is RUNNING


def test_two_municipalities_may_use_the_same_trajectory_number() -> None:
    case = Case()
    case.feed(running(), running(municipality=ELSEWHERE))
    case.feed(exited("2026-01-10", "SELF"))
    case.feed(
        signal(on="2026-02-20", signal_id="HERE"),
        signal(on="2026-02-20", signal_id="THERE", municipality=ELSEWHERE),
    )
    assert [case.decision(s).reason for s in ("HERE", "THERE")] == [TrueReason.EXIT_NOT_COMPLETED, RUNNING]


def test_erasing_one_leaves_the_other() -> None:
    case = Case()
    case.feed(running(), running(municipality=ELSEWHERE), event("ERASED", "2026-01-10"))
    case.feed(signal(on="2026-02-20", municipality=ELSEWHERE))
    assert case.decision().reason is RUNNING


def test_the_same_resident_has_other_keys_in_each() -> None:
    case = Case()
    case.feed(
        signal(on="2026-02-20", signal_id="A"), signal(on="2026-02-20", signal_id="B", municipality=ELSEWHERE)
    )
    assert case.decision("A").match_key != case.decision("B").match_key


def test_two_municipalities_may_be_sent_the_same_signal_number() -> None:
    case = Case()
    case.feed(signal(on="2026-02-20"), signal(on="2026-02-20", municipality=ELSEWHERE))
    first, second = case.decisions()
    assert (first.revision, second.revision) == (0, 0)
    assert first.routing_id != second.routing_id
