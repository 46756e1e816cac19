"""Contacts by the calendar: monthly while monitoring lasts, one after it, and the plan after a relapse (issue 4).

In: a Case. Out: the tasks that must change, each in its next version, and the days on which to look again. At most
one contact task runs for a trajectory: a relapse goes before the calendar, monitoring before aftercare.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from signaalwissel.processors import followup_notice_texts as texts
from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.followup_notices import digest
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_view import (
    DAY,
    Case,
    Plan,
    contacted_on,
    done_on,
    facts_of,
    open_on,
)
from signaalwissel.processors.periods import Days, Period, overlap
from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.trajectory import TrajectoryEventKind

_MONTHS = 12
_MONTH_DAYS_MAX = 31


class Stretch(NamedTuple):
    """What an aftercare contact follows: monitoring, or aftercare that had no monitoring before it.

    Attributes:
        begin: Its first day; the id of the task is made of it.
        counts_from: A contact that opened on or after this day was for this stretch, whatever its id says: a mended
            begin makes no second one.
        due_since: The day from which there should be a contact.
    """

    begin: date
    counts_from: date
    due_since: date


def monthly_contact(case: Case) -> Task | None:
    """The MONTHLY_CONTACT that must open, or be cancelled; None where it is as it should be.

    The months count from the first day of monitoring; only the one that today lies in is looked at. A month is the
    month of the task that shares half of its days or more, so that a begin mended by some days opens no second
    contact.
    """
    month = month_on(case)
    running = case.running(TaskKind.MONTHLY_CONTACT)
    if running is not None:
        reason = case.closed or (texts.MONITORING_ENDED if month is None else None)
        if reason is None and month is not None and _covered_by_relapse(case, month):
            reason = texts.COVERED_BY_RELAPSE
        return None if reason is None else case.cancelled(running, reason)
    if month is None or case.closed is not None or not case.policy.contacts.monthly:
        return None
    known = [task for task in case.tasks(TaskKind.MONTHLY_CONTACT) if task.status is not TaskStatus.CANCELLED]
    if _covered_by_relapse(case, month) or any(_shares_half(task, month) for task in known):
        return None
    return _month_opened(case, month, missed=_missed_before(known, month))


def month_on(case: Case) -> Period | None:
    """The month of monitoring that today lies in, both ends included; None where monitoring is not open today."""
    monitoring = None if case.trajectory is None else open_on(case.trajectory.monitoring, case.today)
    if monitoring is None:
        return None
    first, today = monitoring.begin, case.today
    number = (today.year - first.year) * _MONTHS + today.month - first.month
    if add_months(first, number) > today:
        number -= 1
    return Period(add_months(first, number), add_months(first, number + 1) - DAY)


def aftercare_contact(case: Case) -> Task | None:
    """The AFTERCARE_CONTACT that must open, or be cancelled; None where it is as it should be.

    One for the last monitoring that was closed; without any monitoring one for the last aftercare.
    """
    postponed = case.closed or _aftercare_postponed(case)
    running = case.running(TaskKind.AFTERCARE_CONTACT)
    if running is not None:
        return None if postponed is None else case.cancelled(running, postponed)
    stretch = _stretch_to_follow(case)
    if postponed is not None or stretch is None or not case.policy.contacts.aftercare:
        return None
    task_id = _task_id(case, "aftercare", stretch.begin.isoformat())
    made = [
        task for task in case.tasks(TaskKind.AFTERCARE_CONTACT) if task.status is not TaskStatus.CANCELLED
    ]
    if any(task.task_id == task_id or task.opened_on >= stretch.counts_from for task in made):
        return None
    if case.today > add_months(stretch.due_since, case.policy.window.months):
        return None
    due_on = case.today + case.policy.deadlines.aftercare_contact_days * DAY
    return case.opened(Plan(task_id, TaskKind.AFTERCARE_CONTACT, case.today, due_on, texts.AFTERCARE))


def plan_evaluations(case: Case) -> Iterator[Task]:
    """The EVALUATE_PLAN tasks that must open, or be cancelled: one for each relapse with a contact (design 5)."""
    known = {task.task_id: task for task in case.tasks(TaskKind.EVALUATE_PLAN)}
    if case.closed is not None:
        yield from (case.cancelled(task, case.closed) for task in known.values() if not task.ended)
        return
    adopted = [fact.occurred_on for fact in facts_of(case.view, TrajectoryEventKind.PLAN_ADOPTED)]
    for relapse in case.tasks(TaskKind.CONTACT_ON_RELAPSE):
        day = contacted_on(relapse) if relapse.status is TaskStatus.DONE else None
        if day is None or not any(plan <= day for plan in adopted):
            continue
        task_id = "evaluate-" + digest(relapse.task_id)
        made = known.get(task_id)
        if made is not None and made.status is not TaskStatus.CANCELLED:
            continue
        if case.today <= add_months(day, case.policy.window.months):
            due_on = day + case.policy.deadlines.evaluate_plan_days * DAY
            yield case.opened(Plan(task_id, TaskKind.EVALUATE_PLAN, case.today, due_on, texts.EVALUATE_PLAN))


def days_to_look_again(case: Case) -> Iterator[date]:
    """Days on which the contacts may change though nothing arrives, past ones among them."""
    if case.trajectory is None:
        return
    month = month_on(case)
    if month is not None and month.end is not None:
        yield month.end + DAY
    for period in (*case.trajectory.monitoring, *case.trajectory.aftercare):
        yield period.begin
        if period.end is not None:
            yield period.end + DAY


def _month_opened(case: Case, month: Period, *, missed: bool) -> Task:
    plan = Plan(
        task_id=_task_id(case, "monthly", month.begin.isoformat()),
        kind=TaskKind.MONTHLY_CONTACT,
        opened_on=month.begin,
        due_on=month.end or month.begin,
        note=texts.MONTHLY_AFTER_A_MISSED_MONTH if missed else texts.MONTHLY,
    )
    return case.opened(plan, to_team=missed)


def _covered_by_relapse(case: Case, month: Period) -> bool:
    """Whether a contact about a relapse runs, or was closed within the month: that is the month's contact.

    A cancelled one is not: nobody contacted anybody.
    """
    for relapse in case.tasks(TaskKind.CONTACT_ON_RELAPSE):
        closed_on = done_on(relapse)
        if not relapse.ended or (
            closed_on is not None and month.begin <= closed_on <= (month.end or closed_on)
        ):
            return True
    return False


def _shares_half(task: Task, month: Period) -> bool:
    common = overlap((Days(task.opened_on, task.due_on), month.through_end()))
    return common is not None and 2 * _length(common) >= _length(month.through_end())


def _length(days: Days) -> int:
    return 0 if days.first is None or days.last is None else (days.last - days.first).days + 1


def _missed_before(known: list[Task], month: Period) -> bool:
    before = [task for task in known if task.due_on < (month.end or month.begin)]
    last = max(before, key=lambda task: task.due_on, default=None)
    if last is None or last.status is not TaskStatus.EXPIRED:
        return False
    return (month.begin - last.due_on).days <= _MONTH_DAYS_MAX


def _aftercare_postponed(case: Case) -> str | None:
    """Why an aftercare contact must wait, in a Dutch sentence."""
    if case.running(TaskKind.CONTACT_ON_RELAPSE) is not None:
        return texts.RELAPSE_FIRST
    if month_on(case) is not None:
        return texts.MONITORING_RESUMED
    return texts.TRAJECTORY_REOPENED if _reopened(case) else None


def _reopened(case: Case) -> bool:
    """Whether the trajectory runs again since monitoring or aftercare ended."""
    stretch = _stretch_to_follow(case)
    if case.trajectory is None or stretch is None:
        return False
    again = [period for client in case.trajectory.clients for period in client.running[1:]]
    return any(
        stretch.due_since < p.begin <= case.today and (p.end is None or case.today < p.end) for p in again
    )


def _stretch_to_follow(case: Case) -> Stretch | None:
    if case.trajectory is None:
        return None
    begun = [period for period in case.trajectory.aftercare if period.begin <= case.today]
    if case.trajectory.monitoring:
        closed = [period for period in case.trajectory.monitoring if period.end is not None]
        last = closed[-1] if closed else None
        if last is None or last.end is None:
            return None
        over = last.end < case.today or any(period.begin >= last.begin for period in begun)
        return Stretch(last.begin, last.end, last.end) if over else None
    if not begun:
        return None
    before = [period.end for period in begun[:-1] if period.end is not None]
    return Stretch(begun[-1].begin, max(before, default=date.min), begun[-1].begin)


def _task_id(case: Case, prefix: str, period: str) -> str:
    return f"{prefix}-{digest(case.view.municipality, case.view.trajectory_id, prefix, period)}"
