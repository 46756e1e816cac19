"""What another policy would change, signal by signal."""

from typing import Any

import pytest
from signaalwissel.processors.comparison import Comparison, Trial
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.simulation import Simulation
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import (
    ANNA,
    BRAM,
    COUNSELLOR,
    Line,
    Story,
    by_address,
    by_bsn,
    completed,
    numbered,
    policy_with,
    running,
    signal,
)

A = policy_with()


def compared(other: Policy, *stories: Story | Line, under: Policy = A) -> Comparison:
    """What `other` changes about the lines."""
    trials = [
        Trial(Simulation(Policies(policy, for_every_code=True), ThrowawayKeys(), fresh_nonce))
        for policy in (under, other)
    ]
    for line in numbered(*stories):
        for trial in trials:
            trial.feed(line)
    before, after = (trial.answers() for trial in trials)
    return Comparison(before, after)


def kinds(comparison: Comparison) -> list[tuple[str, list[str]]]:
    return [(difference.delivery.signal_id, difference.kinds) for difference in comparison.differences]


FOUR_MONTHS_AGO = completed("2025-10-20", counsellor=COUNSELLOR)


def test_the_same_policy_changes_nothing() -> None:
    comparison = compared(
        A, FOUR_MONTHS_AGO, signal("2026-02-10"), signal("2026-02-10", by_bsn(BRAM), signal_id="S2")
    )
    assert (comparison.differences, comparison.unchanged) == ([], 2)
    assert set(comparison.totals.values()) == {0}


def test_a_shorter_window_changes_route_and_reason_and_takes_owner_and_date_away() -> None:
    comparison = compared(policy_with(window={"months": 3}), FOUR_MONTHS_AGO, signal("2026-02-10"))
    assert kinds(comparison) == [("S1", ["route", "reason", "trajectory", "owner", "due_on", "steps"])]
    (told,) = comparison.to_json()["signals"]
    assert told == {
        "municipality": "0344",
        "partner_id": "woonstad",
        "signal_id": "S1",
        "received_at": "2026-02-10T12:00:00.000Z",
        "from": {
            "route": "COUNSELLOR_FOLLOWUP",
            "reason": "COMPLETED_WITHIN_WINDOW",
            "trajectory_id": "T1",
            "assignee": "b-17",
            "team": "team-noord",
            "due_on": "2026-03-10",
            "steps": [
                {"what": "REMINDED", "on": "2026-02-17"},
                {"what": "REMINDED", "on": "2026-02-24"},
                {"what": "ESCALATED", "on": "2026-02-24"},
                {"what": "OFFERED_TO_REGULAR", "on": "2026-03-06"},
            ],
        },
        "to": {
            "route": "REGULAR_FLOW",
            "reason": "COMPLETED_OUTSIDE_WINDOW",
            "trajectory_id": None,
            "assignee": None,
            "team": None,
            "due_on": None,
            "steps": [],
        },
    }


@pytest.mark.parametrize(
    ("other", "when", "then"),
    [
        pytest.param(
            {"deadlines": {"contact_days": 26}}, signal("2026-02-10"), ["due_on"], id="the contact date"
        ),
        pytest.param(
            {
                "deadlines": {"crisis_working_days": 2},
                "ladder": {"crisis_team_after_working_days": 0, "crisis_offer_after_working_days": 1},
            },
            signal("2026-02-10", crisis=True),
            ["due_on", "steps"],
            id="the date in a threatening situation",
        ),
        pytest.param(
            {"deadlines": {"verify_identity_days": 20}},
            signal("2026-02-10", by_address(ANNA)),
            ["due_on", "steps"],
            id="the date of the identity check",
        ),
        pytest.param(
            {"teams": {"default": "elsewhere"}},
            signal("2026-02-10", by_address(ANNA)),
            ["owner"],
            id="the team that checks the identity",
        ),
        pytest.param(
            {"teams": {"unavailable": ["b-17"]}}, signal("2026-02-10"), ["owner"], id="the counsellor"
        ),
        pytest.param(
            {"identity": {"name_and_address": "hit"}},
            signal("2026-02-10", by_address(ANNA, "surname")),
            ["route", "reason", "trajectory", "owner", "due_on", "steps"],
            id="a name as proof",
        ),
        pytest.param(
            {"ladder": {"remind_after_days": [7], "team_after_days": 10}},
            signal("2026-02-10"),
            ["steps"],
            id="the day of the team",
        ),
        pytest.param(
            {"ladder": {"offer_to_regular_after_days": 20}},
            signal("2026-02-10"),
            ["steps"],
            id="the day of the offer",
        ),
        pytest.param(
            {"deadlines": {"verify_identity_expires_days": 30}},
            signal("2026-02-10", by_address(ANNA)),
            ["steps"],
            id="the day on which the identity check expires",
        ),
        pytest.param(
            {"intake": {"signal_age_days_max": 5}},
            signal("2026-02-10", signalled_on="2026-01-20"),
            ["accepted"],
            id="what is let in",
        ),
        pytest.param({"repeats": {"period_days": 100}}, signal("2026-02-10"), None, id="nothing of it"),
    ],
)
def test_each_kind_of_change_is_told(other: dict[str, Any], when: Line, then: list[str] | None) -> None:
    comparison = compared(policy_with(**other), running(counsellor=COUNSELLOR), when)
    assert kinds(comparison) == ([] if then is None else [("S1", then)])
    assert comparison.totals == {kind: int(kind in (then or [])) for kind in comparison.totals}


def test_of_two_signals_in_one_task_each_has_its_own_day_of_the_offer() -> None:
    comparison = compared(
        policy_with(ladder={"offer_to_regular_after_days": 20}),
        running(counsellor=COUNSELLOR),
        signal("2026-02-10"),
        signal("2026-02-20", signal_id="S2", arrears="999.00"),
    )
    offers = [
        [step["on"] for step in told["to"]["steps"] if step["what"] == "OFFERED_TO_REGULAR"]
        for told in comparison.to_json()["signals"]
    ]
    assert offers == [["2026-03-02"], ["2026-03-12"]]


def test_a_signal_that_one_policy_refuses_has_no_answer_there() -> None:
    strict = policy_with(intake={"signal_age_days_max": 5})
    comparison = compared(strict, running(), signal("2026-02-10", signalled_on="2026-01-20"))
    (told,) = comparison.to_json()["signals"]
    assert told["to"] is None
    assert told["from"]["reason"] == "RUNNING_TRAJECTORY"


def test_what_counts_is_the_last_answer() -> None:
    """The exit becomes known later; under the longer horizon alone it still corrects."""
    late = completed("2026-02-01", reason="NO_SHOW", counsellor=COUNSELLOR)[1:]
    late[0]["value"]["recorded_at"] = "2026-03-20T12:00:00Z"
    comparison = compared(
        policy_with(corrections={"period_days": 60}),
        running(counsellor=COUNSELLOR),
        signal("2026-02-10"),
        late,
    )
    (difference,) = comparison.differences
    assert (difference.before, difference.after) != (None, None)
    assert difference.kinds[:2] == ["route", "reason"]
