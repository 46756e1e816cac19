from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from signaalwissel.processors.followup_decisions import erases_signal, touches_tasks
from signaalwissel.processors.followup_tasks import Task, ref_of, relapse_task_id
from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, TrueReason
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.schemas.trajectory import Counsellor

from tests.processors.followup_support import (
    COUNSELLOR,
    MUNICIPALITY,
    Desk,
    address_only,
    decision,
    regular,
    to_regular,
)

INSURER = Partner("zorg-noord", PartnerKind.HEALTH_INSURANCE)
ENDED = [TaskStatus.DONE, TaskStatus.CANCELLED, TaskStatus.EXPIRED]


def ended(desk: Desk, status: TaskStatus) -> None:
    task = desk.only
    desk.put(replace(task, status=status).next_version())


def what(task: Task) -> list[str]:
    return [str(step.what) for step in task.history]


def open_tasks(desk: Desk) -> list[Task]:
    return [task for task in desk.tasks.values() if not task.ended]


# --- One task per relapse ---


def test_a_hit_opens_one_task_for_who_ran_the_trajectory() -> None:
    desk = Desk()
    made = decision()
    desk.follow(made)
    task = desk.only
    assert task.task_id == relapse_task_id(MUNICIPALITY, "T-1", ref_of(made))
    assert (task.kind, task.status) == (TaskKind.CONTACT_ON_RELAPSE, TaskStatus.OPEN)
    assert (task.assignee, task.team) == (COUNSELLOR.counsellor_id, COUNSELLOR.team)
    assert task.due_on == date(2026, 3, 30)
    assert (task.history[0].what, task.history[0].at) == ("OPENED", made.decided_at)
    assert [signal.routing_id for signal in task.event().signals] == [made.routing_id]


def test_new_arrears_join_the_running_task_and_raise_it() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", arrears=90_000, received_on=date(2026, 3, 9)))
    assert what(desk.only) == ["OPENED", "ARREARS_ADDED"]
    assert [report.repeated for report in desk.only.reports] == [False, False]
    assert desk.only.due_on == date(2026, 3, 30)


def test_a_repeated_report_only_counts() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", received_on=date(2026, 3, 9)))
    assert what(desk.only) == ["OPENED"]
    assert [report.repeated for report in desk.only.reports] == [False, True]


def test_a_crisis_moves_the_deadline_forward() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", arrears=90_000, received_on=date(2026, 3, 9), crisis=True))
    assert desk.only.due_on == date(2026, 3, 12)


def test_a_crisis_in_a_repeated_report_moves_the_deadline_too() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", received_on=date(2026, 3, 9), crisis=True))
    assert desk.only.due_on == date(2026, 3, 12)
    assert what(desk.only) == ["OPENED", "ARREARS_ADDED"]
    assert desk.only.reports[1].repeated


def test_a_deadline_never_moves_back() -> None:
    desk = Desk()
    desk.follow(decision(crisis=True), decision("s-2", arrears=90_000, received_on=date(2026, 3, 9)))
    assert desk.only.due_on == date(2026, 3, 5)


def test_the_same_decision_again_changes_nothing() -> None:
    desk = Desk()
    assert desk.follow(decision(), decision()) == ()


def test_after_the_follow_up_a_repeated_report_counts_and_opens_nothing() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    again = decision("s-2", received_on=date(2026, 5, 4))
    desk.follow(again)
    assert desk.only.status is TaskStatus.DONE
    assert what(desk.only) == ["OPENED"]
    assert [(r.signal_id, r.repeated, r.late) for r in desk.only.held] == [
        ("s-1", False, False),
        ("s-2", True, True),
    ]
    assert desk.follow(again) == ()
    assert [signal.repeated for signal in desk.only.event().signals] == [False, True]


def test_after_the_contact_about_one_client_the_arrears_of_the_other_get_a_contact_of_their_own() -> None:
    desk = Desk()
    desk.follow(decision(partner=INSURER))
    ended(desk, TaskStatus.DONE)
    desk.follow(decision("s-2", partner=INSURER, client=1, received_on=date(2026, 5, 4)))
    (opened,) = open_tasks(desk)
    assert [(r.signal_id, r.repeated, r.late) for r in opened.held] == [("s-2", False, False)]


def test_what_repeats_a_late_report_alone_opens_a_new_relapse() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    desk.follow(decision("s-2", received_on=date(2026, 8, 31)))
    assert len(desk.tasks) == 1
    desk.follow(decision("s-3", received_on=date(2026, 9, 2)))
    assert len(desk.tasks) == 2


def test_a_late_report_that_left_and_comes_back_counts_again_or_opens_a_relapse() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    late = {"received_on": date(2026, 5, 4)}
    desk.follow(decision("s-2", **late), to_regular("s-2", **late), decision("s-2", revision=2, **late))
    assert [(r.signal_id, r.late) for r in desk.only.held] == [("s-1", False), ("s-2", True)]
    desk.follow(to_regular("s-2", revision=3, **late), to_regular(), decision("s-2", revision=4, **late))
    (opened,) = open_tasks(desk)
    assert [(r.signal_id, r.repeated, r.late) for r in opened.held] == [("s-2", False, False)]


@pytest.mark.parametrize("status", [TaskStatus.CANCELLED, TaskStatus.EXPIRED])
def test_after_a_task_that_nobody_did_a_repeated_report_opens_a_new_relapse(status: TaskStatus) -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, status)
    desk.follow(decision("s-2", received_on=date(2026, 5, 4)))
    assert len(open_tasks(desk)) == 1


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("news", [{"arrears": 50_001}, {"arrears_since": date(2026, 4, 1)}])
def test_after_the_follow_up_new_or_higher_arrears_open_a_new_relapse(
    status: TaskStatus, news: dict[str, Any]
) -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, status)
    (opened,) = desk.follow(decision("s-2", received_on=date(2026, 5, 4), **news))
    assert (opened.version, opened.status) == (1, TaskStatus.OPEN)
    assert len(desk.tasks) == 2


def test_another_trajectory_is_another_relapse() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", trajectory_id="T-2"))
    assert len(open_tasks(desk)) == 2


def test_the_latest_state_of_the_trajectory_says_who_owns_a_new_task() -> None:
    desk = Desk()
    desk.counsellor = Counsellor("b-18", "team-zuid")
    desk.follow(decision())
    assert (desk.only.assignee, desk.only.team) == ("b-18", "team-zuid")


def test_a_hit_without_a_trajectory_is_a_defect() -> None:
    with pytest.raises(ValueError, match="without a trajectory"):
        Desk().follow(decision(trajectory_id=None))


# --- Corrections of hits ---


def test_the_last_signal_that_leaves_cancels_the_task() -> None:
    desk = Desk()
    desk.follow(decision(), to_regular())
    assert desk.only.status is TaskStatus.CANCELLED
    assert what(desk.only) == ["OPENED", "CANCELLED"]
    assert "vervalt" in (desk.only.history[-1].note or "")
    assert desk.only.event().signals == ()


def test_a_task_with_other_signals_goes_on() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2"), to_regular())
    assert desk.only.status is TaskStatus.OPEN
    assert what(desk.only) == ["OPENED", "SIGNAL_LEFT"]
    assert [(s.signal_id, s.repeated) for s in desk.only.event().signals] == [("s-2", False)]


def test_a_signal_that_belongs_to_another_trajectory_moves() -> None:
    desk = Desk()
    left, joined = desk.follow(decision(), decision(trajectory_id="T-2", revision=1))
    assert (left.trajectory_id, left.status) == ("T-1", TaskStatus.CANCELLED)
    assert (joined.trajectory_id, joined.status) == ("T-2", TaskStatus.OPEN)


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_task_gets_a_step_and_keeps_its_status(status: TaskStatus) -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, status)
    desk.follow(to_regular())
    assert desk.only.status is status
    assert what(desk.only)[-1] == "SIGNAL_LEFT"


def test_a_regular_signal_that_becomes_a_hit_opens_or_joins() -> None:
    desk = Desk()
    desk.follow(regular(), decision(revision=1), regular("s-2"), decision("s-2", revision=1, arrears=90_000))
    assert [report.signal_id for report in desk.only.reports] == ["s-1", "s-2"]


@pytest.mark.parametrize("status", [TaskStatus.CANCELLED, TaskStatus.EXPIRED])
def test_a_signal_that_comes_back_reopens_the_task_that_it_opened(status: TaskStatus) -> None:
    desk = Desk()
    desk.follow(decision(), to_regular())
    ended(desk, status)
    desk.follow(decision(revision=2))
    assert desk.only.status is TaskStatus.OPEN
    assert what(desk.only) == ["OPENED", "CANCELLED", "REOPENED"]
    assert [signal.signal_id for signal in desk.only.event().signals] == ["s-1"]


def test_a_signal_that_comes_back_to_a_running_task_is_in_it_once() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2"), to_regular("s-2"), decision("s-2", revision=2))
    assert [report.signal_id for report in desk.only.held] == ["s-1", "s-2"]
    assert what(desk.only) == ["OPENED", "SIGNAL_LEFT", "SIGNAL_RETURNED"]


def test_a_signal_that_comes_back_to_a_done_task_needs_no_second_contact() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    desk.follow(to_regular(), decision(revision=2))
    assert desk.only.status is TaskStatus.DONE
    assert what(desk.only)[-1] == "SIGNAL_RETURNED"
    assert desk.follow(decision(revision=3)) == ()


def test_an_offer_to_the_regular_flow_is_a_step() -> None:
    desk = Desk()
    offered = decision(revision=1, action=CorrectionAction.ALSO_OFFERED, cause=CorrectionCause.NOT_REACHED)
    desk.follow(decision(), offered)
    assert desk.only.status is TaskStatus.OPEN
    assert what(desk.only)[-1] == "ALSO_OFFERED"


# --- Erasure ---


def erasure(signal_id: str = "s-1", revision: int = 1) -> Any:
    return to_regular(signal_id, revision, action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED)


def test_an_erased_signal_is_gone_and_its_task_with_it() -> None:
    desk = Desk()
    desk.follow(decision(), erasure())
    assert desk.only.reports == ()
    assert desk.only.status is TaskStatus.CANCELLED


def test_an_erased_signal_leaves_the_others_alone() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2"), erasure())
    assert [report.signal_id for report in desk.only.reports] == ["s-2"]
    assert desk.only.status is TaskStatus.OPEN


def test_an_erased_signal_is_gone_from_a_done_task_too() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    desk.follow(erasure())
    assert (desk.only.reports, desk.only.status) == ((), TaskStatus.DONE)


def test_an_erased_signal_leaves_no_candidates() -> None:
    desk = Desk()
    desk.follow(address_only(), erasure())
    assert desk.only.candidates == ()
    assert desk.only.status is TaskStatus.CANCELLED
    assert not any("T-1" in (step.note or "") for step in desk.only.history)


def test_a_done_task_never_reopens_though_it_knows_its_signal_no_more() -> None:
    desk = Desk()
    desk.follow(decision())
    ended(desk, TaskStatus.DONE)
    desk.follow(erasure())
    assert desk.follow(decision(revision=2)) == ()


def test_an_erased_trajectory_erases_no_signal() -> None:
    assert not erases_signal(to_regular(cause=CorrectionCause.ERASED))


# --- What need not be looked at ---


@pytest.mark.parametrize(
    ("made", "touches"),
    [
        pytest.param(regular(), False, id="regular"),
        pytest.param(address_only(candidates=()), False, id="too many persons"),
        pytest.param(
            regular(reason=TrueReason.COMPLETED_OUTSIDE_WINDOW, trajectory_id="T-1"), False, id="late"
        ),
        pytest.param(decision(), True, id="hit"),
        pytest.param(address_only(), True, id="possible match"),
        pytest.param(regular(revision=1), True, id="correction"),
    ],
)
def test_most_first_decisions_touch_no_task(made: Any, touches: bool) -> None:
    assert touches_tasks(made) is touches
    if not touches:
        assert Desk().follow(made) == ()


def test_every_step_of_a_long_story_is_one_version_and_in_order() -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", arrears=90_000), to_regular(), to_regular("s-2"))
    assert desk.only.version == len(desk.only.history) == 4
    assert all(before.at <= after.at for before, after in pairwise(desk.only.history))


@pytest.mark.parametrize("kind", PartnerKind)
def test_every_kind_of_partner_has_its_dutch_word(kind: PartnerKind) -> None:
    desk = Desk()
    desk.follow(decision(partner=Partner("p", kind)))
    assert (desk.only.history[0].note or "").startswith(
        "Terugval: neem persoonlijk contact op. Achterstand: "
    )
