"""On which days the rungs come: several signals, corrections, threatening situations (domain 8.9 - 8.11)."""

from datetime import date, timedelta

import pytest
from signaalwissel.processors.followup_ladder import next_on, scheduled
from signaalwissel.processors.followup_tasks import ref_of
from signaalwissel.schemas.followup import TaskStatus
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause

from tests.processors.clock_support import MONDAY, day, relapse, steps_on, what
from tests.processors.followup_support import COUNSELLOR, POLICY, decision, to_regular


def test_a_task_that_opens_is_looked_at_on_its_first_rung() -> None:
    task = relapse().only
    assert (task.opened_on, task.rung, task.policy_version) == (MONDAY, 0, POLICY.version)
    assert task.next_on == next_on(task, POLICY) == day(7)
    assert scheduled(task, POLICY) == task


def test_a_signal_that_comes_late_is_looked_at_at_once() -> None:
    desk = relapse()
    desk.follow(decision("s-0", arrears=90_000, received_on=day(-30)))
    assert (desk.only.opened_on, desk.only.due_on, desk.only.next_on) == (MONDAY, day(-2), day(-23))


# --- Several signals in one relapse ---


@pytest.mark.parametrize("arrears", [50_000, 90_000], ids=["repeated", "new arrears"])
def test_a_signal_that_joins_is_offered_on_its_own_day(arrears: int) -> None:
    desk = relapse()
    desk.follow(decision("s-2", arrears=arrears, received_on=day(20)))
    assert steps_on(desk, day(24)) == ["ESCALATED", "OFFERED_TO_REGULAR"]
    assert [report.offered for report in desk.only.reports] == [True, False]
    assert "OFFERED_TO_REGULAR" not in steps_on(desk, day(43))
    assert steps_on(desk, day(44)) == ["OFFERED_TO_REGULAR"]
    assert len({command.command.command_id for command in desk.commands}) == 2


def test_a_crisis_that_joins_brings_the_next_day_forward() -> None:
    desk = relapse()
    desk.follow(decision("s-2", arrears=90_000, received_on=date(2026, 3, 5), crisis=True))
    assert (desk.only.due_on, desk.only.next_on) == (date(2026, 3, 10), date(2026, 3, 6))
    assert steps_on(desk, date(2026, 3, 6)) == ["ESCALATED"]
    assert steps_on(desk, date(2026, 3, 9)) == ["OFFERED_TO_REGULAR"]
    assert [report.offered for report in desk.only.reports] == [False, True]
    assert steps_on(desk, date(2026, 3, 11)) == ["OVERDUE"]


def test_a_signal_that_left_is_not_offered_and_its_days_go_with_it() -> None:
    desk = relapse(crisis=True)
    desk.follow(decision("s-2", received_on=MONDAY), to_regular())
    assert (desk.only.due_on, desk.only.next_on) == (day(28), day(7))
    desk.tick(day(24))
    assert [command.command.signal_ref for command in desk.commands] == [ref_of(decision("s-2"))]


def test_a_deadline_that_has_passed_stands_though_its_signal_left() -> None:
    desk = relapse(crisis=True)
    desk.follow(decision("s-2", received_on=MONDAY))
    desk.tick(day(4))
    desk.follow(to_regular())
    assert (desk.only.due_on, desk.only.next_on) == (day(3), day(11))


def test_when_the_last_signal_to_offer_leaves_the_next_rung_counts() -> None:
    desk = relapse()
    desk.follow(decision("s-2", arrears=90_000, received_on=day(10)))
    desk.tick(day(24))
    assert desk.only.next_on == day(29)
    desk.tick(day(29))
    assert desk.only.next_on == day(34)
    desk.follow(to_regular("s-2", received_on=day(10)))
    assert desk.only.next_on == day(36)


def test_on_another_trajectory_the_ladder_begins_anew_but_what_was_offered_stays_offered() -> None:
    desk = relapse()
    desk.tick(day(24))
    left, joined = desk.follow(decision(trajectory_id="T-2", revision=2))
    assert (left.status, left.next_on) == (TaskStatus.CANCELLED, None)
    assert (joined.status, joined.rung, joined.opened_on) == (TaskStatus.OPEN, 0, MONDAY)
    assert [report.offered for report in joined.reports] == [True]
    desk.tick(day(40))
    assert len(desk.commands) == 1


def test_a_signal_that_comes_back_from_the_regular_flow_is_offered_again_by_another_command() -> None:
    """An offer that met the signal at the regular flow did nothing; the matcher drops a second one that is too many."""
    desk = relapse()
    desk.tick(day(24))
    desk.follow(to_regular(), decision(revision=2))
    desk.tick(day(25))
    assert len({command.command.command_id for command in desk.commands}) == 2


def test_an_offer_that_the_matcher_made_on_its_own_is_not_made_again() -> None:
    desk = relapse()
    desk.follow(decision(revision=1, action=CorrectionAction.ALSO_OFFERED, cause=CorrectionCause.NOT_REACHED))
    desk.tick(day(40))
    assert desk.commands == []


def test_a_task_that_is_reopened_goes_on_where_it_was() -> None:
    desk = relapse()
    desk.tick(day(14))
    desk.follow(to_regular())
    assert desk.only.next_on is None
    desk.follow(decision(revision=2))
    assert (desk.only.status, desk.only.assignee) == (TaskStatus.ESCALATED, None)
    assert steps_on(desk, day(24)) == ["OFFERED_TO_REGULAR"]
    assert what(desk.only).count("ESCALATED") == 1


def test_a_task_that_is_reopened_early_is_with_the_counsellor_again() -> None:
    desk = relapse()
    desk.tick(day(7))
    desk.follow(to_regular(), decision(revision=2))
    assert (desk.only.status, desk.only.assignee) == (TaskStatus.OPEN, COUNSELLOR.counsellor_id)
    assert desk.only.next_on == day(14)


# --- Threatening situations: working days ---


@pytest.mark.parametrize(
    ("received_on", "team", "offer", "due_on"),
    [
        pytest.param("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", id="on a monday"),
        pytest.param("2026-03-05", "2026-03-06", "2026-03-09", "2026-03-10", id="over a weekend"),
        pytest.param("2026-03-07", "2026-03-09", "2026-03-10", "2026-03-11", id="on a saturday"),
        pytest.param("2026-04-24", "2026-04-28", "2026-04-29", "2026-04-30", id="before king's day"),
        pytest.param("2026-04-25", "2026-04-28", "2026-04-29", "2026-04-30", id="saturday before king's day"),
        pytest.param("2026-12-23", "2026-12-24", "2026-12-28", "2026-12-29", id="before christmas"),
        pytest.param("2026-12-25", "2026-12-28", "2026-12-29", "2026-12-30", id="on christmas day"),
    ],
)
def test_a_crisis_climbs_in_working_days_without_reminders(
    received_on: str, team: str, offer: str, due_on: str
) -> None:
    desk = relapse(received_on=date.fromisoformat(received_on), crisis=True)
    assert desk.only.due_on == date.fromisoformat(due_on)
    seen = {}
    for number in range(12):
        today = day(number, date.fromisoformat(received_on))
        steps = steps_on(desk, today)
        if steps:
            seen[today.isoformat()] = steps
    overdue = (date.fromisoformat(due_on) + timedelta(days=1)).isoformat()
    first = dict(list(seen.items())[:3])
    assert first == {team: ["ESCALATED"], offer: ["OFFERED_TO_REGULAR"], overdue: ["OVERDUE"]}
