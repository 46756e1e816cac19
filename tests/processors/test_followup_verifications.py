from dataclasses import replace
from datetime import date

from signaalwissel.processors.followup_tasks import Task, identity_task_id, ref_of
from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.routing import Candidate, CorrectionAction, CorrectionCause

from tests.processors.followup_support import (
    MUNICIPALITY,
    Desk,
    address_only,
    decision,
    regular,
)


def ended(desk: Desk, status: TaskStatus) -> None:
    task = desk.only
    desk.put(replace(task, status=status).next_version())


def what(task: Task) -> list[str]:
    return [str(step.what) for step in task.history]


def test_a_possible_match_opens_a_verification_for_the_team() -> None:
    desk = Desk()
    made = address_only()
    desk.follow(made)
    task = desk.only
    assert task.task_id == identity_task_id(MUNICIPALITY, ref_of(made), 0)
    assert (task.kind, task.assignee, task.team) == (TaskKind.VERIFY_IDENTITY, None, "wijkteam")
    assert (task.due_on, task.trajectory_id) == (date(2026, 3, 16), None)
    assert "traject T-1, cliënt 0; traject T-2, cliënt 1" in (task.history[0].note or "")


def test_with_the_same_name_a_verification_is_due_the_same_day() -> None:
    desk = Desk()
    desk.follow(address_only(candidates=(Candidate("T-1", 1),), named=True))
    assert (desk.only.due_on, desk.only.trajectory_id) == (date(2026, 3, 2), "T-1")


def test_too_many_persons_are_only_counted() -> None:
    assert Desk().follow(address_only(candidates=())) == ()


def test_a_verification_whose_reason_is_gone_is_cancelled() -> None:
    desk = Desk()
    desk.follow(address_only(), regular(revision=1, cause=CorrectionCause.LIFECYCLE))
    assert desk.only.status is TaskStatus.CANCELLED


def test_a_verification_that_was_answered_elsewhere_is_done() -> None:
    desk = Desk()
    verified, contact = desk.follow(address_only(), decision(revision=1, cause=CorrectionCause.IDENTITY))
    assert verified.status is TaskStatus.DONE
    assert contact.kind is TaskKind.CONTACT_ON_RELAPSE


def test_a_hit_that_becomes_a_possible_match_goes_from_contact_to_verification() -> None:
    desk = Desk()
    cancelled, opened = desk.follow(
        decision(), address_only(revision=1, action=CorrectionAction.MOVED, cause=CorrectionCause.LIFECYCLE)
    )
    assert (cancelled.kind, cancelled.status) == (TaskKind.CONTACT_ON_RELAPSE, TaskStatus.CANCELLED)
    assert (opened.kind, opened.status) == (TaskKind.VERIFY_IDENTITY, TaskStatus.OPEN)


def test_a_possible_match_that_comes_back_reopens_its_verification() -> None:
    desk = Desk()
    desk.follow(address_only(), regular(revision=1), address_only(revision=2))
    assert desk.only.status is TaskStatus.OPEN
    assert what(desk.only) == ["OPENED", "CANCELLED", "REOPENED"]


def test_new_candidates_after_an_answer_get_a_verification_of_their_own() -> None:
    desk = Desk()
    desk.follow(address_only())
    ended(desk, TaskStatus.DONE)
    desk.follow(regular(revision=1), address_only(revision=2, candidates=(Candidate("T-9", 0),)))
    assert sorted(task.status for task in desk.tasks.values()) == [TaskStatus.DONE, TaskStatus.OPEN]


def test_other_candidates_change_the_running_verification() -> None:
    desk = Desk()
    desk.follow(address_only(), address_only(revision=1, candidates=(Candidate("T-9", 0),)))
    assert desk.only.candidates == (Candidate("T-9", 0),)
    assert what(desk.only) == ["OPENED", "CANDIDATES_CHANGED"]


def test_the_same_candidates_change_nothing() -> None:
    assert Desk().follow(address_only(), address_only(revision=1)) == ()


def test_a_name_that_turns_up_later_brings_the_deadline_forward() -> None:
    desk = Desk()
    desk.follow(address_only(), address_only(revision=1, candidates=(Candidate("T-9", 0),), named=True))
    assert desk.only.due_on == date(2026, 3, 2)
    desk.follow(address_only(revision=2, candidates=(Candidate("T-8", 0),)))
    assert desk.only.due_on == date(2026, 3, 2)


def test_a_verification_counts_from_the_day_of_receipt() -> None:
    desk = Desk()
    desk.follow(address_only())
    assert (desk.only.opened_on, desk.only.next_on) == (date(2026, 3, 2), date(2026, 3, 16))


def test_a_verification_that_ended_needs_no_clock() -> None:
    desk = Desk()
    desk.follow(address_only(), regular(revision=1))
    assert desk.only.next_on is None


def test_a_verification_that_expired_is_not_opened_again() -> None:
    desk = Desk()
    desk.follow(address_only())
    ended(desk, TaskStatus.EXPIRED)
    assert desk.follow(regular(revision=1), address_only(revision=2)) == ()


def test_a_verification_that_comes_back_goes_on_where_it_was() -> None:
    desk = Desk()
    desk.follow(address_only())
    desk.tick(date(2026, 3, 16))
    desk.follow(regular(revision=1), address_only(revision=2))
    assert (desk.only.rung, desk.only.next_on) == (1, date(2026, 4, 5))
