"""What time does to a task: reminders, the team, the offer to the regular flow, the end (domain 8.8 - 8.10, issue 4).

In: a task, the moment, the policy under which the task was opened. Out: the task with everything done that was due,
one step in its history for each, and the commands that follow. DONE is not among it: that takes a task update.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_ladder import Rung, next_on, offers_ahead, rungs_ahead, scheduled
from signaalwissel.processors.followup_tasks import Command, Moment, Outcome, Report, Task, offer_command_id
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep
from signaalwissel.schemas.internal import ResidentCommand, ResidentCommandKind

Transition = Mapping[TaskStatus, TaskStatus]

_Is = TaskStatus
_RUNNING = (_Is.OPEN, _Is.ACCEPTED, _Is.ESCALATED)
_STAYS: Transition = {status: status for status in _RUNNING}
_ESCALATES: Transition = dict.fromkeys(_RUNNING, _Is.ESCALATED)
_EXPIRES: Transition = dict.fromkeys(_RUNNING, _Is.EXPIRED)

_LADDER: Mapping[StepKind, Transition] = {
    StepKind.REMINDED: _STAYS,
    StepKind.ESCALATED: _ESCALATES,
    StepKind.OVERDUE: _STAYS,
}

CLOCK_TRANSITIONS: Mapping[TaskKind, Mapping[StepKind, Transition]] = {
    TaskKind.CONTACT_ON_RELAPSE: {**_LADDER, StepKind.OFFERED_TO_REGULAR: _STAYS},
    TaskKind.VERIFY_IDENTITY: {StepKind.REMINDED: _STAYS, StepKind.EXPIRED: _EXPIRES},
    TaskKind.EVALUATE_PLAN: _LADDER,
    TaskKind.MONTHLY_CONTACT: {StepKind.REMINDED: _STAYS, StepKind.MISSED: _EXPIRES},
    TaskKind.AFTERCARE_CONTACT: _LADDER,
    TaskKind.INFORM_RESIDENT: _LADDER,
}
"""Task kind, what time brought, status before -> status after. Time ends a task nowhere else, and never as DONE."""


class _Due(NamedTuple):
    """Something to do now: a rung, or a signal to offer."""

    on: date
    what: StepKind
    report: Report | None = None


def tick(task: Task, moment: Moment, policy: Policy) -> Outcome:
    """The task after everything that was due on or before today, in one new version; nothing where nothing was due.

    The result ended, or its `next_on` lies after today; ticking it again at the same moment changes nothing.

    Args:
        task: Any task, an ended one too.
        moment: Today in Amsterdam, and the instant that the new steps bear.
        policy: The policy with the task's `policy_version`.
    """
    if task.ended:
        return Outcome()
    rungs = rungs_ahead(task, policy, moment.today)
    done = task
    commands = []
    for due in _in_order(task, rungs, moment.today, policy):
        if due.report is not None:
            commands.append(_offer(task, due.report, moment))
        done = _after(done, due, moment, policy)
    if rungs:
        done = replace(done, rung=rungs[-1].number + 1)
    if done == task and task.next_on == next_on(task, policy):
        return Outcome()
    return Outcome((scheduled(done, policy).next_version(),), tuple(commands))


def _in_order(task: Task, rungs: tuple[Rung, ...], today: date, policy: Policy) -> list[_Due]:
    """What is due, by day; on one day in the order of the ladder, the offer to the regular flow after the team."""
    due = [_Due(rung.on, rung.what) for rung in _not_overtaken(rungs, today)]
    due += [_Due(on, StepKind.OFFERED_TO_REGULAR, report) for on, report in offers_ahead(task, policy, today)]
    return sorted(due, key=lambda each: each.on)


def _not_overtaken(rungs: tuple[Rung, ...], today: date) -> Iterator[Rung]:
    # A reminder that nobody sent in time says nothing once the task is a rung further.
    for rung in rungs:
        later = [other for other in rungs if other.number > rung.number]
        if rung.what is not StepKind.REMINDED or all(rung.on == other.on == today for other in later):
            yield rung


def _after(task: Task, due: _Due, moment: Moment, policy: Policy) -> Task:
    status = CLOCK_TRANSITIONS[task.kind][due.what][task.status]
    note = texts.clock_note(due.what, task.kind, task.assignee)
    if due.what is StepKind.ESCALATED:
        task = replace(task, assignee=None, team=task.team or policy.teams.default)
    if due.report is not None:
        task = _offered(task, due.report)
    return replace(task, status=status).with_step(TaskStep(moment.at, due.what, None, note))


def _offered(task: Task, report: Report) -> Task:
    return replace(
        task, reports=tuple(r._replace(offered=True) if r.ref == report.ref else r for r in task.reports)
    )


def _offer(task: Task, report: Report, moment: Moment) -> Command:
    return Command(
        report.match_key,
        ResidentCommand(
            command_id=offer_command_id(task.task_id, report.routing_id),
            kind=ResidentCommandKind.OFFER_TO_REGULAR,
            municipality=task.municipality,
            signal_ref=report.ref,
            trajectory_id=None,
            client=None,
            issued_at=moment.at,
        ),
    )
