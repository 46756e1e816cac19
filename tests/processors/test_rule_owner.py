"""The owner of a hit is the counsellor who ran the trajectory, or the team: never nobody (domain 8.7)."""

import pytest
from signaalwissel.schemas.trajectory import Counsellor

from tests.processors.given import (
    COUNSELLOR,
    Case,
    Story,
    admitted,
    decision,
    event,
    policy_with,
    running,
    signal,
)

OTHER = {"counsellor_id": "b-18", "team": "team-zuid"}
NOW = signal(on="2026-02-20")
TEAMS = {"default": "wijkteam", "unavailable": ["b-17"], "administrators": ["b-18"]}


@pytest.mark.parametrize(
    ("given", "counsellor", "team"),
    [
        pytest.param(running(), None, "schuldhulpverlening", id="unknown: the team's queue"),
        pytest.param(
            running(counsellor=COUNSELLOR),
            Counsellor("b-17", "team-noord"),
            "team-noord",
            id="whoever took it in",
        ),
        pytest.param(
            [*running(counsellor=COUNSELLOR), *event("COUNSELLOR_ASSIGNED", "2025-03-01", counsellor=OTHER)],
            Counsellor("b-18", "team-zuid"),
            "team-zuid",
            id="whoever was assigned last",
        ),
        pytest.param(
            [*running(), *admitted("2025-02-01", counsellor=OTHER), *event("PLAN_ADOPTED", "2025-03-01")],
            Counsellor("b-18", "team-zuid"),
            "team-zuid",
            id="any event may name the counsellor, and one without leaves him",
        ),
    ],
)
def test_the_counsellor_of_the_trajectory_owns_the_hit(
    given: Story, counsellor: Counsellor | None, team: str
) -> None:
    found = decision(given, NOW)
    assert (found.counsellor, found.team) == (counsellor, team)


@pytest.mark.parametrize(
    "whose", [pytest.param(COUNSELLOR, id="gone or outsourced"), pytest.param(OTHER, id="an administrator")]
)
def test_who_may_not_own_it_leaves_it_to_the_team(whose: dict[str, str]) -> None:
    found = decision(running(counsellor=whose), NOW, policy_with(teams=TEAMS))
    assert (found.counsellor, found.team) == (None, "wijkteam")


def test_a_new_counsellor_changes_no_route() -> None:
    case = Case()
    case.feed(running(counsellor=COUNSELLOR), NOW)
    assert not case.feed(event("COUNSELLOR_ASSIGNED", "2026-02-21", counsellor=OTHER))
