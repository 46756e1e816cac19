"""How facts merge, and which make a trajectory (design 2, 3)."""

from datetime import date

import pytest
from signaalwissel.processors.facts import horizon_of, merged, stands, within_horizon
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import TrajectoryEventKind

from tests.processors.given import default_policies

Kind = TrajectoryEventKind
DAY = date(2026, 3, 1)


def fact(event_id: str, sequence: int = 1, kind: Kind = Kind.ADMITTED, recorded_at: int = 1000) -> Fact:
    return Fact(event_id, sequence, DAY, recorded_at, kind)


def test_facts_stand_in_the_order_of_the_case_system_and_then_of_their_ids() -> None:
    facts: tuple[Fact, ...] = ()
    for one in (fact("b", 2), fact("c", 1), fact("a", 2), fact("d", 0)):
        facts = merged(facts, one)
    assert [one.event_id for one in facts] == ["d", "c", "a", "b"]


def test_the_same_event_again_changes_nothing() -> None:
    facts = merged((), fact("a"))
    assert merged(facts, fact("a")) == facts


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_with_one_id_the_one_recorded_first_stands(first: int) -> None:
    two = [fact("a", 1, recorded_at=1000), fact("a", 7, recorded_at=2000)]
    assert merged(merged((), two[first]), two[1 - first]) == (two[0],)


@pytest.mark.parametrize("first", [0, 1])
def test_recorded_at_one_moment_the_content_decides(first: int) -> None:
    two = [fact("a", 1, Kind.ADMITTED), fact("a", 1, Kind.PLAN_ADOPTED)]
    assert merged(merged((), two[first]), two[1 - first]) == (min(two, key=repr),)


def test_the_horizon_is_the_end_of_the_35th_day_after_receipt() -> None:
    horizon = horizon_of(date(2026, 2, 20), default_policies().default)
    inside, outside = fact("a", recorded_at=horizon - 1), fact("b", recorded_at=horizon)
    erased = fact("c", kind=Kind.ERASED, recorded_at=horizon)
    assert list(within_horizon((inside, outside, erased), horizon)) == [inside, erased]
    facts = (inside, erased)
    assert within_horizon(facts, horizon) is facts


@pytest.mark.parametrize(
    ("facts", "then"),
    [
        pytest.param([], False, id="no facts"),
        pytest.param([fact("a", 1)], False, id="no application"),
        pytest.param([fact("a", 1, Kind.APPLIED)], True, id="an application"),
        pytest.param([fact("a", 1, Kind.APPLIED), fact("b", 0, Kind.ERASED)], False, id="erased, whenever"),
        pytest.param(
            [fact("a", 1, Kind.APPLIED), fact("b", 2, Kind.WITHDRAWN_IN_ERROR)], False, id="withdrawn"
        ),
        pytest.param(
            [fact("b", 1, Kind.WITHDRAWN_IN_ERROR), fact("a", 1, Kind.APPLIED)],
            False,
            id="applied for again at the same point of the story",
        ),
        pytest.param(
            [fact("b", 1, Kind.WITHDRAWN_IN_ERROR), fact("a", 2, Kind.APPLIED)],
            True,
            id="applied for again after it",
        ),
        pytest.param(
            [
                fact("a", 2, Kind.APPLIED),
                fact("b", 1, Kind.WITHDRAWN_IN_ERROR),
                fact("c", 3, Kind.WITHDRAWN_IN_ERROR),
            ],
            False,
            id="the last withdrawal counts",
        ),
    ],
)
def test_which_facts_make_a_trajectory(facts: list[Fact], then: bool) -> None:
    assert stands(facts) is then
