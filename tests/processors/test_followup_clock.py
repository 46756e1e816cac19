"""What time does to each kind of task, rung by rung (domain 8.8 - 8.10)."""

from dataclasses import replace
from typing import Any

import pytest
from signaalwissel.processors.followup_clock import CLOCK_TRANSITIONS, tick
from signaalwissel.processors.followup_ladder import scheduled
from signaalwissel.processors.followup_tasks import ENDED, Task, ref_of
from signaalwissel.processors.followup_updates import TRANSITIONS
from signaalwissel.processors.policy_sections import Contacts
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import ResidentCommandKind

from tests.processors.clock_support import MONDAY, NOTHING, day, relapse, steps_on, what
from tests.processors.followup_support import (
    COUNSELLOR,
    MUNICIPALITY,
    POLICY,
    Desk,
    address_only,
    at_noon,
    decision,
    moment,
    update,
)


def calendar_task(kind: TaskKind, **changes: Any) -> Desk:
    """A task that opened on the second of March and is due on the thirtieth."""
    fields: dict[str, Any] = {
        "task_id": "task",
        "kind": kind,
        "municipality": MUNICIPALITY,
        "trajectory_id": "T-1",
        "team": "team-noord",
        "due_on": day(28),
        "opened_on": MONDAY,
        "next_on": None,
        "policy_version": POLICY.version,
        "assignee": "b-17",
        "version": 1,
    }
    desk = Desk()
    desk.tasks["task"] = scheduled(Task(**{**fields, **changes}), POLICY)
    return desk


# --- The ladder of a relapse ---


def test_the_ladder_climbs_from_reminder_to_team_to_offer_to_overdue() -> None:
    desk = relapse()
    seen = {}
    for number in range(45):
        steps = steps_on(desk, day(number))
        if steps:
            seen[number] = steps
    assert seen == {
        7: ["REMINDED"],
        14: ["REMINDED", "ESCALATED"],
        24: ["OFFERED_TO_REGULAR"],
        29: ["OVERDUE"],
        36: ["OVERDUE"],
        43: ["OVERDUE"],
    }


def test_a_reminder_leaves_the_owner_and_says_what_is_missing() -> None:
    desk = relapse()
    desk.tick(day(7))
    step = desk.only.history[-1]
    assert (desk.only.status, desk.only.assignee) == (TaskStatus.OPEN, COUNSELLOR.counsellor_id)
    assert (step.at, step.by, step.note) == (
        at_noon(day(7)),
        None,
        "Herinnering: er is nog geen contact met de inwoner.",
    )


def test_the_team_takes_over_from_the_counsellor_whose_name_stays_in_the_history() -> None:
    desk = relapse()
    desk.tick(day(14))
    assert (desk.only.status, desk.only.assignee, desk.only.team) == (
        TaskStatus.ESCALATED,
        None,
        COUNSELLOR.team,
    )
    assert "van b-17 naar het team" in (desk.only.history[-1].note or "")


def test_a_task_without_a_team_goes_to_the_team_of_the_policy() -> None:
    desk = relapse()
    (changed,) = tick(replace(desk.only, team=""), moment(day(14)), POLICY).tasks
    assert changed.team == POLICY.teams.default


def test_the_offer_is_one_command_to_the_matcher_about_the_signal() -> None:
    desk = relapse()
    desk.tick(day(24))
    ((match_key, command),) = desk.commands
    assert match_key == decision().match_key
    assert (command.kind, command.signal_ref) == (ResidentCommandKind.OFFER_TO_REGULAR, ref_of(decision()))
    assert (command.municipality, command.issued_at) == (MUNICIPALITY, at_noon(day(24)))
    assert (command.trajectory_id, command.client) == (None, None)
    assert [report.offered for report in desk.only.reports] == [True]


def test_after_an_outage_everything_that_was_missed_comes_at_once_in_one_version() -> None:
    desk = relapse()
    desk.tick(day(60))
    assert what(desk.only) == ["OPENED", "ESCALATED", "OFFERED_TO_REGULAR", "OVERDUE"]
    assert (desk.only.version, desk.only.next_on) == (2, day(64))
    assert {step.at for step in desk.only.history[1:]} == {at_noon(day(60))}


def test_a_reminder_that_a_later_rung_overtook_is_not_written() -> None:
    desk = relapse()
    assert steps_on(desk, day(15)) == ["ESCALATED"]


def test_overdue_it_never_falls_silent() -> None:
    desk = relapse()
    desk.tick(day(29))
    for week in range(1, 60):
        assert steps_on(desk, day(29 + 7 * week)) == ["OVERDUE"]
    assert len(desk.commands) == 1


def test_the_same_moment_again_changes_nothing() -> None:
    desk = relapse()
    desk.tick(day(30))
    outcome = tick(desk.only, moment(day(30)), POLICY)
    assert (outcome.tasks, outcome.commands) == ((), ())


@pytest.mark.parametrize("said", [TaskUpdateKind.ACCEPTED, TaskUpdateKind.CONTACT_ATTEMPTED])
def test_who_accepted_or_tried_still_climbs_because_the_resident_was_not_reached(
    said: TaskUpdateKind,
) -> None:
    desk = relapse()
    desk.update(update(said, desk.only.task_id))
    assert steps_on(desk, day(14)) == ["REMINDED", "ESCALATED"]
    assert steps_on(desk, day(24)) == ["OFFERED_TO_REGULAR"]


def test_a_task_of_the_team_that_somebody_accepts_goes_on_with_the_rungs_that_remain() -> None:
    desk = relapse()
    desk.tick(day(14))
    desk.update(update(TaskUpdateKind.ACCEPTED, desk.only.task_id, by="b-9"))
    assert (desk.only.status, desk.only.assignee, desk.only.next_on) == (TaskStatus.ACCEPTED, "b-9", day(24))
    assert steps_on(desk, day(29)) == ["OFFERED_TO_REGULAR", "OVERDUE"]
    assert desk.only.status is TaskStatus.ACCEPTED


def test_a_rejected_task_is_with_the_team_at_once_and_keeps_its_day() -> None:
    desk = relapse()
    desk.update(update(TaskUpdateKind.REJECTED, desk.only.task_id))
    assert (desk.only.assignee, desk.only.team, desk.only.next_on) == (None, COUNSELLOR.team, day(7))
    assert steps_on(desk, day(14)) == ["REMINDED", "ESCALATED"]


@pytest.mark.parametrize("said", [TaskUpdateKind.CONTACT_MADE, TaskUpdateKind.COMPLETED])
def test_after_the_contact_the_clock_is_silent(said: TaskUpdateKind) -> None:
    desk = relapse()
    desk.update(update(said, desk.only.task_id))
    assert (desk.only.status, desk.only.next_on) == (TaskStatus.DONE, None)
    assert tick(desk.only, moment(day(400)), POLICY).tasks == ()


# --- The other kinds ---


def test_a_verification_is_reminded_on_its_last_day_and_expires_visibly_while_it_can_still_be_answered() -> (
    None
):
    desk = Desk()
    desk.follow(address_only())
    assert steps_on(desk, day(13)) == NOTHING
    assert steps_on(desk, day(14)) == ["REMINDED"]
    assert steps_on(desk, day(33)) == NOTHING
    assert steps_on(desk, day(34)) == ["EXPIRED"]
    assert (desk.only.status, desk.only.next_on) == (TaskStatus.EXPIRED, None)


def test_a_verification_that_somebody_accepted_expires_too() -> None:
    desk = Desk()
    desk.follow(address_only())
    desk.update(update(TaskUpdateKind.ACCEPTED, desk.only.task_id))
    desk.tick(day(100))
    assert (desk.only.status, what(desk.only)) == (TaskStatus.EXPIRED, ["OPENED", "ACCEPTED", "EXPIRED"])


@pytest.mark.parametrize(
    "kind", [TaskKind.EVALUATE_PLAN, TaskKind.AFTERCARE_CONTACT, TaskKind.INFORM_RESIDENT]
)
def test_a_task_of_the_calendar_is_reminded_goes_to_the_team_and_stays_overdue(kind: TaskKind) -> None:
    desk = calendar_task(kind)
    assert steps_on(desk, day(27)) == NOTHING
    assert steps_on(desk, day(28)) == ["REMINDED"]
    assert steps_on(desk, day(29)) == ["ESCALATED"]
    assert (desk.only.status, desk.only.assignee) == (TaskStatus.ESCALATED, None)
    assert steps_on(desk, day(35)) == NOTHING
    assert steps_on(desk, day(36)) == ["OVERDUE"]
    assert steps_on(desk, day(43)) == ["OVERDUE"]
    assert desk.commands == []


def test_a_monthly_contact_is_reminded_a_week_before_and_missed_when_its_month_is_over() -> None:
    desk = calendar_task(TaskKind.MONTHLY_CONTACT)
    assert steps_on(desk, day(20)) == NOTHING
    assert steps_on(desk, day(21)) == ["REMINDED"]
    assert steps_on(desk, day(28)) == NOTHING
    assert steps_on(desk, day(29)) == ["MISSED"]
    assert (desk.only.status, desk.only.next_on) == (TaskStatus.EXPIRED, None)


def test_on_which_day_a_monthly_contact_is_reminded_is_the_policys() -> None:
    sooner = POLICY.model_copy(update={"contacts": Contacts(monthly_remind_days_before=10)})
    task = scheduled(calendar_task(TaskKind.MONTHLY_CONTACT).only, sooner)
    assert tick(task, moment(day(17)), sooner).tasks == ()
    (changed,) = tick(task, moment(day(18)), sooner).tasks
    assert what(changed) == ["REMINDED"]


# --- What holds for all ---


@pytest.mark.parametrize("kind", TaskKind)
def test_time_never_ends_a_task_as_done_and_leads_out_of_every_running_status(kind: TaskKind) -> None:
    for transition in CLOCK_TRANSITIONS[kind].values():
        assert set(transition) == set(TaskStatus) - ENDED
        assert TaskStatus.DONE not in transition.values()
    assert set(CLOCK_TRANSITIONS) == set(TRANSITIONS)


@pytest.mark.parametrize("status", sorted(ENDED))
def test_an_ended_task_is_left_alone(status: TaskStatus) -> None:
    task = replace(relapse().only, status=status)
    assert tick(task, moment(day(500)), POLICY).tasks == ()


def test_a_task_that_has_no_day_for_the_clock_gets_one() -> None:
    desk = relapse()
    (mended,) = tick(replace(desk.only, next_on=MONDAY), moment(day(1)), POLICY).tasks
    assert (mended.next_on, mended.version, what(mended)) == (day(7), 2, ["OPENED"])


def test_a_task_keeps_the_ladder_of_the_policy_under_which_it_opened() -> None:
    sooner = POLICY.model_copy(
        update={"ladder": POLICY.ladder.model_copy(update={"remind_after_days": (3,), "team_after_days": 5})}
    )
    task = relapse().only
    assert tick(task, moment(day(5)), POLICY).tasks == ()
    (changed,) = tick(task, moment(day(5)), sooner).tasks
    assert what(changed) == ["OPENED", "ESCALATED"]
