"""Informing residents (AVG 13 and 14, domain 8.18), and the notices that a trajectory's facts lead to.

In: a Case. Out: new notices, the INFORM_RESIDENT task where it must change, and the days on which to look again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from signaalwissel.processors import followup_notice_texts as texts
from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.followup_ladder import scheduled
from signaalwissel.processors.followup_notices import (
    Notice,
    digest,
    notice_id,
    resident,
    resident_ids,
)
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_view import (
    DAY,
    Case,
    Plan,
    done_on,
    facts_of,
    open_on,
    present_on,
)
from signaalwissel.processors.trajectory import Client, Trajectory
from signaalwissel.schemas.followup import NoticeKind, TaskKind, TaskStatus, TaskStep
from signaalwissel.schemas.trajectory import TrajectoryEventKind

_Event = TrajectoryEventKind
_OF_FACTS = {
    _Event.RESIDENT_INFORMED: NoticeKind.PROCESSING_NOTICE_GIVEN,
    _Event.OBJECTION_LODGED: NoticeKind.OBJECTION_RECORDED,
    _Event.OBJECTION_WITHDRAWN: NoticeKind.OBJECTION_WITHDRAWN,
}


class Duty(NamedTuple):
    """That a resident must hear of a test, by when, and whether a notice said so before."""

    notice: Notice
    settled: bool

    @property
    def due_on(self) -> date:
        """The last day."""
        return self.notice.due_on or self.notice.occurred_on


def notices_of_facts(case: Case) -> Iterator[Notice]:
    """What the facts tell: informed, objection lodged or withdrawn, erased. One per event and client."""
    if case.erased:
        yield _destroyed(case)
    if case.trajectory is None:
        return
    for fact in facts_of(case.view, *_OF_FACTS):
        for position in case.concerned(fact):
            yield _told(
                case.trajectory, case, position, _Cause(_OF_FACTS[fact.kind], fact.event_id, fact.occurred_on)
            )
    task = _informing(case)
    day = None if task is None else done_on(task)
    if task is not None and day is not None:
        cause = _Cause(NoticeKind.PROCESSING_NOTICE_GIVEN, task.task_id, day)
        for position in present_on(case.trajectory, day):
            yield _told(case.trajectory, case, position, cause)


def duties(case: Case) -> list[Duty]:
    """PROCESSING_NOTICE_DUE for each client for whom the trajectory was found and whom nobody informed yet."""
    trajectory, view = case.trajectory, case.view
    if trajectory is None:
        return []
    return [_duty(trajectory, case, position) for position in _uninformed(case) if position in view.found]


def inform_task(case: Case, due: list[Duty]) -> Task | None:
    """The INFORM_RESIDENT task where it must open, change or be cancelled; None where it is as it should be.

    Args:
        case: The trajectory.
        due: Its duties.
    """
    task = _informing(case)
    # A notice that was settled before without a task here belongs to another trajectory of this resident.
    after_test = [duty.due_on for duty in due if task is not None or not duty.settled]
    after_admission = _due_after_admission(case)
    days = [*after_test, *([] if after_admission is None else [after_admission])]
    if task is not None and not task.ended:
        reason = case.closed or _settled(case, days)
        return case.cancelled(task, reason) if reason else _brought_forward(case, task, due)
    done = task is not None and task.status is not TaskStatus.CANCELLED
    if done or case.closed is not None or _settled(case, days):
        return None
    note = texts.INFORM_AFTER_TEST if after_test else texts.INFORM_AFTER_ADMISSION
    return case.opened(Plan(_task_id(case), TaskKind.INFORM_RESIDENT, case.today, min(days), note))


def days_to_look_again(case: Case) -> Iterator[date]:
    """Days on which informing may change though nothing arrives, past ones among them."""
    trajectory = case.trajectory
    if trajectory is None:
        return
    if trajectory.admitted_on is not None:
        yield trajectory.admitted_on + case.policy.inform.open_after_admission_days * DAY
    for client in trajectory.clients:
        yield from (stay.last + DAY for stay in client.identity.member if stay.last is not None)
        yield from (stay.first for stay in client.identity.member if stay.first is not None)
        for period in client.running:
            yield period.begin
            if period.end is not None:
                yield period.end
                yield add_months(period.end, case.policy.window.months) + DAY
    for service in trajectory.services:
        yield service.begin
        if service.end is not None:
            yield service.end + DAY


class _Cause(NamedTuple):
    kind: NoticeKind
    id: str
    day: date


def _destroyed(case: Case) -> Notice:
    erased = facts_of(case.view, _Event.ERASED)
    municipality, trajectory_id = case.view.municipality, case.view.trajectory_id
    return Notice(
        notice_id=notice_id(NoticeKind.DATA_DESTROYED, municipality, "trajectory", trajectory_id),
        kind=NoticeKind.DATA_DESTROYED,
        municipality=municipality,
        # Of the persons nothing is left that an id could be made of.
        addressee="trajectory-" + digest(municipality, trajectory_id),
        occurred_on=erased[0].occurred_on if erased else case.today,
        trajectory_id=trajectory_id,
    )


def _told(trajectory: Trajectory, case: Case, position: int, cause: _Cause) -> Notice:
    municipality, trajectory_id = case.view.municipality, case.view.trajectory_id
    addressee = resident(municipality, trajectory, position)
    made = notice_id(cause.kind, municipality, trajectory_id, cause.id, str(position))
    if cause.kind is NoticeKind.PROCESSING_NOTICE_GIVEN:
        # A BSN that was mended since changes the addressee, but is no second notice.
        before = (one for one in case.view.settled_notices if one.startswith(made))
        made = next(before, f"{made}{_to(addressee)}")
    return Notice(
        notice_id=made,
        kind=cause.kind,
        municipality=municipality,
        addressee=addressee,
        occurred_on=cause.day,
        trajectory_id=trajectory_id,
    )


def _told_before(case: Case, residents: frozenset[str]) -> bool:
    """Whether one of these ids was told of the processing, because of whatever trajectory."""
    ends = tuple(_to(addressee) for addressee in residents)
    return any(made.endswith(ends) for made in case.view.settled_notices)


def _to(addressee: str) -> str:
    """How the id of a PROCESSING_NOTICE_GIVEN ends: so it tells who was informed, also in another trajectory."""
    return f"-{digest(addressee)}"


def _duty(trajectory: Trajectory, case: Case, position: int) -> Duty:
    municipality, day = case.view.municipality, case.view.found[position]
    kind, addressee = NoticeKind.PROCESSING_NOTICE_DUE, resident(municipality, trajectory, position)
    known = {notice_id(kind, municipality, one) for one in resident_ids(municipality, trajectory, position)}
    notice = Notice(
        notice_id=notice_id(kind, municipality, addressee),
        kind=kind,
        municipality=municipality,
        addressee=addressee,
        occurred_on=day,
        due_on=add_months(day, case.policy.inform.notice_within_months),
        trajectory_id=trajectory.trajectory_id,
    )
    return Duty(notice, settled=not known.isdisjoint(case.view.settled_notices))


def _informing(case: Case) -> Task | None:
    return next(
        (task for task in case.tasks(TaskKind.INFORM_RESIDENT) if task.task_id == _task_id(case)), None
    )


def _uninformed(case: Case) -> list[int]:
    """The clients whom we may contact and whom nobody informed; a task that was done informed everybody."""
    task, trajectory, municipality = _informing(case), case.trajectory, case.view.municipality
    if trajectory is None or (task is not None and task.status is TaskStatus.DONE):
        return []
    informed = _informed_here(case)
    return [
        position
        for position in case.present
        if position not in informed
        and not _told_before(case, resident_ids(municipality, trajectory, position))
    ]


def _informed_here(case: Case) -> set[int]:
    facts = facts_of(case.view, _Event.RESIDENT_INFORMED)
    return {position for fact in facts for position in case.concerned(fact)}


def _settled(case: Case, days: list[date]) -> str | None:
    """Why nobody needs to be informed, in a Dutch sentence; `days` are those by which somebody should be."""
    if not _uninformed(case):
        here = _informed_here(case).issuperset(case.present)
        return texts.ALREADY_INFORMED if here else texts.INFORMED_ELSEWHERE
    return None if days else texts.NO_LONGER_TESTED


def _brought_forward(case: Case, task: Task, due: list[Duty]) -> Task | None:
    day = min((duty.due_on for duty in due if not duty.settled), default=task.due_on)
    if day >= task.due_on:
        return None
    task = scheduled(replace(task, due_on=day), case.policy_of(task))
    step = TaskStep(case.moment.at, texts.CalendarStep.DUE_EARLIER, None, texts.due_earlier(day))
    return task.with_step(step).next_version()


def _due_after_admission(case: Case) -> date | None:
    """By when to inform because of the admission; None where it is too early, or signals are not tested any more."""
    trajectory = case.trajectory
    admitted_on = None if trajectory is None else trajectory.admitted_on
    if trajectory is None or admitted_on is None or not _is_tested(case, trajectory):
        return None
    if case.today < admitted_on + case.policy.inform.open_after_admission_days * DAY:
        return None
    return max(case.today, add_months(admitted_on, case.policy.inform.notice_within_months))


def _is_tested(case: Case, trajectory: Trajectory) -> bool:
    """Whether a signal of today would lead to the counsellor: running, something open, or in the window (domain 8)."""
    lasting = (*trajectory.services, *trajectory.monitoring, *trajectory.aftercare)
    return open_on(lasting, case.today) is not None or any(
        _runs_or_in_window(case, trajectory.clients[position]) for position in case.present
    )


def _runs_or_in_window(case: Case, client: Client) -> bool:
    today, window = case.today, case.policy.window
    if any(p.begin <= today and (p.end is None or today < p.end) for p in client.running):
        return True
    ended = [(p.end, p.exit_reason) for p in client.running if p.end is not None and p.end <= today]
    last_end, reason = max(ended, key=lambda end: end[0], default=(None, None))
    return (
        last_end is not None
        and reason in window.reasons_that_count
        and today <= add_months(last_end, window.months)
    )


def _task_id(case: Case) -> str:
    return "inform-" + digest(case.view.municipality, case.view.trajectory_id, "inform")
