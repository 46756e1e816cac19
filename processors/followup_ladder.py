"""The ladder of a task: what time does to it, and on which days (domain 8.8 - 8.10, issue 4).

In: a task and the policy under which it was opened. Out: the days of its rungs and offers, and the next day on which
the clock must look at it. Dates follow from the signals that the task holds and from its due date, never from the day
on which somebody looked: whoever looks late finds all that was missed. No clock.

The rungs of a kind are numbered in their order, the overdue reminders without end; `Task.rung` is the number of the
first that is not behind it. So none comes twice, also where a signal that joins or leaves moves the days.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from signaalwissel.processors.followup_deadlines import contact_due_on, working_days_after
from signaalwissel.processors.followup_tasks import Report, Task
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind

_DAY = timedelta(days=1)
_WITH_TEAM = frozenset(
    {
        TaskKind.CONTACT_ON_RELAPSE,
        TaskKind.EVALUATE_PLAN,
        TaskKind.AFTERCARE_CONTACT,
        TaskKind.INFORM_RESIDENT,
    }
)


class Rung(NamedTuple):
    """A step of the ladder: its number, what the clock does, and on which day."""

    number: int
    what: StepKind
    on: date


def rungs_ahead(task: Task, policy: Policy, until: date) -> tuple[Rung, ...]:
    """The rungs that are not behind the task and come on or before `until`, in their order."""
    fixed = [rung for rung in _fixed(task, policy) if task.rung <= rung.number and rung.on <= until]
    return (*fixed, *_overdue(task, policy, until))


def offers_ahead(task: Task, policy: Policy, until: date) -> tuple[tuple[date, Report], ...]:
    """The signals to be offered to the regular flow on or before `until`, each with its day, in order of days."""
    ahead = [(day, report) for day, report in _offers(task, policy) if day <= until]
    return tuple(sorted(ahead, key=lambda offer: offer[0]))


def steps_of(task: Task, signal: bytes, policy: Policy) -> tuple[tuple[StepKind, date], ...]:
    """What time does to a task about a signal and on which day, whether it is behind or ahead; without the overdue reminders.

    Args:
        task: A task that holds the signal; one that ended has no steps.
        signal: The signal's ref.
        policy: The policy under which the task was opened.
    """
    if task.ended:
        return ()
    steps = [(rung.what, rung.on) for rung in _fixed(task, policy)]
    if task.kind is TaskKind.CONTACT_ON_RELAPSE:
        steps += [
            (StepKind.OFFERED_TO_REGULAR, _offered_on(report, policy))
            for report in task.held
            if report.ref == signal
        ]
    return tuple(sorted(steps, key=lambda step: step[1]))


def next_on(task: Task, policy: Policy) -> date | None:
    """The next day on which the clock must act on the task, which may lie in the past; None for one that ended."""
    if task.ended:
        return None
    days = [rung.on for rung in _fixed(task, policy) if task.rung <= rung.number]
    days += [day for day, _ in _offers(task, policy)]
    if task.kind in _WITH_TEAM:
        days.append(_overdue_on(task, policy, max(task.rung, _first_overdue(task, policy))))
    return min(days)


def scheduled(task: Task, policy: Policy) -> Task:
    """The task with its `next_on`: for whoever opens or changes one."""
    return replace(task, next_on=next_on(task, policy))


def rescheduled(task: Task, policy: Policy) -> Task:
    """A CONTACT_ON_RELAPSE task after its signals changed: due when the first of those that it holds is.

    Once it was overdue the deadline stands: the reminders that follow count from it.
    """
    if task.held and not task.ended and task.rung <= _first_overdue(task, policy):
        task = replace(
            task, due_on=min(contact_due_on(r.last_day, crisis=r.crisis, policy=policy) for r in task.held)
        )
    return scheduled(task, policy)


def past_the_team(task: Task, policy: Policy) -> bool:
    """Whether the task went to the team already: reopened, it is with the team still."""
    return task.kind in _WITH_TEAM and task.rung >= _first_overdue(task, policy)


def _fixed(task: Task, policy: Policy) -> list[Rung]:
    """The rungs that a task of this kind has once, in their order."""
    if task.kind is TaskKind.CONTACT_ON_RELAPSE:
        return _relapse(task, policy)
    if task.kind is TaskKind.VERIFY_IDENTITY:
        expires_on = task.opened_on + timedelta(days=policy.deadlines.verify_identity_expires_days)
        return [Rung(0, StepKind.REMINDED, task.due_on), Rung(1, StepKind.EXPIRED, expires_on)]
    if task.kind is TaskKind.MONTHLY_CONTACT:
        remind_on = task.due_on - timedelta(days=policy.contacts.monthly_remind_days_before)
        return [Rung(0, StepKind.REMINDED, remind_on), Rung(1, StepKind.MISSED, task.due_on + _DAY)]
    return [Rung(0, StepKind.REMINDED, task.due_on), Rung(1, StepKind.ESCALATED, task.due_on + _DAY)]


def _relapse(task: Task, policy: Policy) -> list[Rung]:
    ladder = policy.ladder
    received = [report.last_day for report in task.held if not report.crisis]
    rungs = []
    if received:
        # In a threatening situation the team comes before any reminder could.
        first = min(received)
        rungs = [
            Rung(number, StepKind.REMINDED, first + timedelta(days=days))
            for number, days in enumerate(ladder.remind_after_days)
        ]
    team = min(_after(r, ladder.team_after_days, ladder.crisis_team_after_working_days) for r in task.held)
    return [*rungs, Rung(len(ladder.remind_after_days), StepKind.ESCALATED, team)]


def _offers(task: Task, policy: Policy) -> Iterator[tuple[date, Report]]:
    if task.kind is TaskKind.CONTACT_ON_RELAPSE:
        for report in task.held:
            if not report.offered:
                yield _offered_on(report, policy), report


def _offered_on(report: Report, policy: Policy) -> date:
    ladder = policy.ladder
    return _after(report, ladder.offer_to_regular_after_days, ladder.crisis_offer_after_working_days)


def _after(report: Report, days: int, working_days: int) -> date:
    if report.crisis:
        return working_days_after(report.last_day, working_days)
    return report.last_day + timedelta(days=days)


def _overdue(task: Task, policy: Policy, until: date) -> list[Rung]:
    """The overdue reminders up to `until`: the latest one alone, as it tells all that the others would."""
    if task.kind not in _WITH_TEAM:
        return []
    first = _first_overdue(task, policy)
    begins_on = _overdue_on(task, policy, first)
    latest = first + (until - begins_on).days // policy.ladder.overdue_remind_every_days
    if latest < max(first, task.rung):
        return []
    return [Rung(latest, StepKind.OVERDUE, _overdue_on(task, policy, latest))]


def _first_overdue(task: Task, policy: Policy) -> int:
    if task.kind is TaskKind.CONTACT_ON_RELAPSE:
        return len(policy.ladder.remind_after_days) + 1
    return 2


def _overdue_on(task: Task, policy: Policy, number: int) -> date:
    every = policy.ladder.overdue_remind_every_days
    # The other kinds go to the team on the day after the deadline; that is reminder enough for that day.
    begins_on = (
        task.due_on + _DAY if task.kind is TaskKind.CONTACT_ON_RELAPSE else task.due_on + timedelta(1 + every)
    )
    return begins_on + timedelta(days=every * (number - _first_overdue(task, policy)))
