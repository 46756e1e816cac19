"""The agenda of a trajectory: which calendar tasks and notices there should be today (issue 4, domain 8.18).

In: a TrajectoryView, today, the policy. Out: an Agenda: the tasks that change, the notices that are new, and the next
day to look again. Derived from what stands, not from what just happened: nothing fires twice, and missed time is
caught up. No clock.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from signaalwissel.processors import followup_contacts as contacts
from signaalwissel.processors import followup_informing as informing
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_deaths import relapses_told_of_deaths
from signaalwissel.processors.followup_informing import Duty
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.processors.followup_relapses import relapses_to_attend
from signaalwissel.processors.followup_tasks import Moment, Task
from signaalwissel.processors.followup_view import Case, TrajectoryView, case_of
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind

__all__ = ["Agenda", "TrajectoryView", "reconcile"]


class Agenda(NamedTuple):
    """What must change so that a trajectory has the calendar tasks and notices that it should have.

    Attributes:
        tasks: Changed and new tasks, each in its next version and at most once.
        notices: New notices; none of them is among the view's `settled_notices`.
        next_on: The first day after today on which something may change though nothing arrives; None where nothing
            can.
    """

    tasks: tuple[Task, ...] = ()
    notices: tuple[Notice, ...] = ()
    next_on: date | None = None


def reconcile(view: TrajectoryView, moment: Moment, policy: Policy) -> Agenda:
    """What is missing and what is too much, today.

    Reconciling again with the result changes nothing. A running MONTHLY_CONTACT whose month is over is ended here as
    `followup_clock.tick` would, so that it does not matter which of the two comes first.

    Args:
        view: The trajectory, after decisions, updates and states were applied.
        moment: Today in Amsterdam, and the moment that new steps in a history carry.
        policy: The municipality's policy.
    """
    if not view.facts and not view.erased:
        # No state came yet; that is no reason to take anything away.
        return Agenda()
    view, expired = _months_ended(view, moment, policy)
    case = case_of(view, moment, policy)
    relapses = relapses_to_attend(case)
    case = case.with_tasks(relapses)
    told = relapses_told_of_deaths(case, relapses)
    case = case.with_tasks(told)
    due = informing.duties(case)
    changed = (
        expired,
        *{task.task_id: task for task in (*relapses, *told)}.values(),
        contacts.monthly_contact(case),
        contacts.aftercare_contact(case),
        *contacts.plan_evaluations(case),
        informing.inform_task(case, due),
    )
    new = {notice.notice_id: notice for notice in _notices(case, due)}
    tasks = tuple(task for task in changed if task is not None)
    return Agenda(
        tasks,
        tuple(notice for notice in new.values() if notice.notice_id not in view.settled_notices),
        _next_on(case),
    )


def _months_ended(view: TrajectoryView, moment: Moment, policy: Policy) -> tuple[TrajectoryView, Task | None]:
    """The view with a running MONTHLY_CONTACT whose month is over ended, and that task."""
    for task in view.tasks:
        if task.kind is TaskKind.MONTHLY_CONTACT and not task.ended and task.due_on < moment.today:
            (expired,) = tick(task, moment, view.policies.get(task.policy_version, policy)).tasks
            tasks = tuple(expired if other is task else other for other in view.tasks)
            return view._replace(tasks=tasks), expired
    return view, None


def _notices(case: Case, due: Iterable[Duty]) -> Iterator[Notice]:
    yield from informing.notices_of_facts(case)
    yield from (duty.notice for duty in due if not duty.settled)


def _next_on(case: Case) -> date | None:
    days = (*contacts.days_to_look_again(case), *informing.days_to_look_again(case))
    return min((day for day in days if day > case.today), default=None)
