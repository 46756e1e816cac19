from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from signaalwissel.processors.followup_notice_texts import LEGAL_GROUNDS
from signaalwissel.processors.followup_notices import (
    Found,
    Notice,
    first_found,
    notices_of_decision,
    notices_of_task,
)
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_updates import apply_update
from signaalwissel.processors.policy_sections import Feedback as FeedbackSettings
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import ContactOutcome, Feedback, NoticeKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, MatchedBy, TrueReason

from tests.processors.followup_support import (
    MUNICIPALITY,
    POLICY,
    Desk,
    address_only,
    decision,
    regular,
    to_regular,
    update,
)

TELLING = POLICY.model_copy(update={"feedback": FeedbackSettings(tell_known_to_debt_help=True)})
MADE, CLOSED = TaskUpdateKind.CONTACT_MADE, TaskUpdateKind.COMPLETED


def relapse(*more: Any) -> Task:
    desk = Desk()
    desk.follow(decision(), *more)
    return desk.only


def done(task: Task, kind: TaskUpdateKind = MADE, **how: Any) -> Task:
    (after,) = apply_update(update(kind, task.task_id, **how), task, POLICY).tasks
    return after


def feedback(task: Task, kind: TaskUpdateKind = MADE, **how: Any) -> list[Feedback | None]:
    policy = how.pop("policy", POLICY)
    return [notice.feedback for notice in notices_of_task(task, done(task, kind, **how), policy)]


# --- Feedback to the partner ---


def test_a_partner_hears_that_his_signal_was_taken_up_after_the_contact() -> None:
    task = relapse()
    (notice,) = notices_of_task(task, done(task), POLICY)
    assert (notice.kind, notice.feedback) == (NoticeKind.PARTNER_FEEDBACK, Feedback.TAKEN_UP)
    assert (notice.addressee, notice.signal_id, notice.occurred_on) == ("woonstad", "s-1", date(2026, 3, 5))


def test_without_a_contact_it_was_not_taken_up() -> None:
    assert feedback(relapse(), CLOSED) == [Feedback.NOT_TAKEN_UP]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (ContactOutcome.INCORRECT_SIGNAL, Feedback.NOT_TAKEN_UP),
        (ContactOutcome.NOT_TAKEN_UP, Feedback.NOT_TAKEN_UP),
        (ContactOutcome.NOT_A_RESIDENT, Feedback.NOT_TAKEN_UP),
        (ContactOutcome.PAID_OR_ARRANGED, Feedback.TAKEN_UP),
        (ContactOutcome.KNOWN_TO_DEBT_HELP, Feedback.TAKEN_UP),
    ],
)
def test_the_outcome_of_the_contact_may_say_that_it_was_not_taken_up(
    outcome: ContactOutcome, said: Feedback
) -> None:
    assert feedback(relapse(), outcome=outcome) == [said]


@pytest.mark.parametrize(
    ("kind", "outcome", "said"),
    [
        (MADE, ContactOutcome.PAID_OR_ARRANGED, Feedback.TAKEN_UP),
        (MADE, ContactOutcome.INCORRECT_SIGNAL, Feedback.NOT_TAKEN_UP),
        (CLOSED, None, Feedback.NOT_TAKEN_UP),
    ],
)
def test_of_a_signal_that_returns_to_a_done_task_its_partner_hears_what_came_of_that(
    kind: TaskUpdateKind, outcome: ContactOutcome | None, said: Feedback
) -> None:
    desk = Desk()
    desk.follow(decision(), decision("s-2", arrears=90_000), to_regular("s-2"))
    desk.update(update(kind, desk.only.task_id, outcome=outcome))
    before = desk.only
    desk.follow(decision("s-2", arrears=90_000, revision=2))
    (notice,) = notices_of_task(before, desk.only, POLICY)
    assert (notice.signal_id, notice.feedback) == ("s-2", said)


def test_a_repeated_report_after_the_contact_was_not_taken_up() -> None:
    desk = Desk()
    desk.follow(decision())
    desk.update(update(MADE, desk.only.task_id))
    before = desk.only
    desk.follow(decision("s-2", received_on=date(2026, 5, 4)))
    (notice,) = notices_of_task(before, desk.only, TELLING)
    assert (notice.signal_id, notice.feedback) == ("s-2", Feedback.NOT_TAKEN_UP)
    assert notice.occurred_on == date(2026, 5, 4)


def test_known_to_debt_help_is_told_by_policy_alone_and_only_of_what_was_taken_up() -> None:
    assert feedback(relapse(), policy=TELLING) == [Feedback.KNOWN_TO_DEBT_HELP]
    assert feedback(relapse(), CLOSED, policy=TELLING) == [Feedback.NOT_TAKEN_UP]


def test_feedback_never_leads_to_a_trajectory() -> None:
    task = relapse()
    for policy in (POLICY, TELLING):
        (notice,) = notices_of_task(task, done(task), policy)
        shown = str(notice.event())
        assert notice.trajectory_id is None
        assert "T-1" not in shown
        assert "nazorg" not in shown
        assert "schuldhulp" not in shown


def test_each_signal_that_the_task_holds_gets_feedback_and_one_that_left_none() -> None:
    task = relapse(decision("s-2"), decision("s-3", arrears=90_000), to_regular("s-2"))
    notices = notices_of_task(task, done(task), POLICY)
    assert [notice.signal_id for notice in notices] == ["s-1", "s-3"]
    assert len({notice.notice_id for notice in notices}) == 2


def test_a_signal_offered_to_the_regular_flow_hears_from_there_unless_somebody_reached_the_resident() -> None:
    task = relapse()
    task = replace(task, reports=tuple(report._replace(offered=True) for report in task.reports))
    assert feedback(task, CLOSED) == []
    assert feedback(task, MADE) == [Feedback.TAKEN_UP]


def test_a_task_that_is_cancelled_or_runs_gives_no_feedback() -> None:
    desk = Desk()
    desk.follow(decision())
    before = desk.only
    assert notices_of_task(None, before, POLICY) == ()
    desk.follow(to_regular())
    assert notices_of_task(before, desk.only, POLICY) == ()


def test_what_happens_to_a_task_after_it_was_done_repeats_no_feedback() -> None:
    after = done(relapse())
    assert notices_of_task(after, after.next_version(), POLICY) == ()


def test_other_tasks_give_no_feedback() -> None:
    desk = Desk()
    desk.follow(address_only())
    assert notices_of_task(desk.only, replace(desk.only, status=TaskStatus.DONE), POLICY) == ()


# --- Erasure ---


def test_an_erased_signal_is_told_without_partner_number_or_trajectory() -> None:
    erasure = to_regular(action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED)
    (notice,) = notices_of_decision(erasure)
    assert notice.kind is NoticeKind.DATA_DESTROYED
    assert (notice.signal_id, notice.trajectory_id) == (None, None)
    assert "woonstad" not in str(notice.event())
    assert notices_of_decision(erasure._replace(revision=2)) == (notice,)


def test_other_decisions_make_no_notice_by_themselves() -> None:
    for made in (decision(), regular(), to_regular(), address_only()):
        assert notices_of_decision(made) == ()


# --- What counts as found ---


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"reason": TrueReason.COMPLETED_OUTSIDE_WINDOW}, True),
        ({"reason": TrueReason.OBJECTION}, True),
        ({"matched_by": MatchedBy.ADDRESS}, True),
        ({"reason": TrueReason.DECEASED}, False),
        ({"reason": TrueReason.NO_TRAJECTORY, "trajectory_id": None, "client": None}, False),
        ({"reason": TrueReason.OBJECTION, "trajectory_id": None, "client": None}, False),
        ({"reason": TrueReason.ADDRESS_ONLY_MATCH}, False),
        ({"action": CorrectionAction.WITHDRAWN, "cause": CorrectionCause.ERASED}, False),
    ],
)
def test_a_trajectory_is_found_by_a_certain_match_hit_or_not(changes: dict[str, Any], counts: bool) -> None:
    found = first_found(decision(**changes))
    assert found == (Found("T-1", 0, date(2026, 3, 2)) if counts else None)


# --- On the topic ---


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_is_a_record_of_the_contract_with_its_legal_ground(kind: NoticeKind) -> None:
    notice = Notice("n-1", kind, MUNICIPALITY, "resident-1", date(2026, 3, 2), feedback=Feedback.TAKEN_UP)
    event = notice.event()
    assert event.legal_ground == LEGAL_GROUNDS[kind]
    assert event.legal_ground.startswith("AVG artikel")
    notices = codec("NoticeEvent")
    assert notices.decode(notices.encode(event)) == event
