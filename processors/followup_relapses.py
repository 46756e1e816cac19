"""Reports that nobody attends to because what they repeated was corrected away (domain 8.10, 8.14).

In: a Case. Out: the tasks that change so that each such report gets a contact: the task that is done lets it go, and
the relapse that runs takes it in, or a new one opens.
"""

from dataclasses import replace

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_case import reopened
from signaalwissel.processors.followup_deadlines import contact_due_on
from signaalwissel.processors.followup_ladder import rescheduled, scheduled
from signaalwissel.processors.followup_repeats import outlived, repeats_any
from signaalwissel.processors.followup_tasks import Report, Task, owner_of, relapse_task_id
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.followup_view import Case
from signaalwissel.schemas.followup import TaskKind, TaskStep


def relapses_to_attend(case: Case) -> tuple[Task, ...]:
    """The tasks that change, each in its next version and once; none where the trajectory asks for no contact."""
    if case.closed is not None:
        return ()
    relapses = {task.task_id: task for task in case.tasks(TaskKind.CONTACT_ON_RELAPSE)}
    left: list[Task] = []
    unattended: list[Report] = []
    for task in relapses.values():
        gone = outlived(task, case.policy_of(task))
        if gone:
            left.append(_without(task, gone, case))
            unattended += gone
    if not unattended:
        return ()
    running = next((task for task in relapses.values() if not task.ended), None)
    first, *others = unattended
    relapse = _opened(first, relapses, case) if running is None else _joined(running, first, case)
    for report in others:
        relapse = _joined(relapse, report, case)
    before = relapses.get(relapse.task_id)
    return (*left, replace(relapse, version=1 if before is None else before.version + 1))


def _without(task: Task, gone: tuple[Report, ...], case: Case) -> Task:
    reports = tuple(r._replace(left=True, repeated=False) if r in gone else r for r in task.reports)
    return _told(
        replace(task, reports=reports), StepKind.SIGNAL_LEFT, texts.REPEATS_NOTHING, case
    ).next_version()


def _opened(report: Report, relapses: dict[str, Task], case: Case) -> Task:
    counsellor = case.view.counsellor
    owner = owner_of(counsellor, counsellor and counsellor.team, case.policy)
    report = report._replace(repeated=False, late=False)
    task_id = relapse_task_id(case.view.municipality, case.view.trajectory_id, report.ref)
    task = Task(
        task_id=task_id,
        kind=TaskKind.CONTACT_ON_RELAPSE,
        municipality=case.view.municipality,
        trajectory_id=case.view.trajectory_id,
        team=owner.team,
        due_on=contact_due_on(report.last_day, crisis=report.crisis, policy=case.policy),
        opened_on=report.last_day,
        policy_version=case.policy.version,
        assignee=owner.assignee,
        reports=(report,),
    )
    ended = relapses.get(task_id)
    if ended is None:
        note = texts.opened(report.partner_kind, crisis=report.crisis)
        return scheduled(_told(task, StepKind.OPENED, note, case), case.policy)
    again = reopened(task, ended, report, case.policy_of(ended))
    return _told(again, StepKind.REOPENED, texts.reopened(report.partner_kind, crisis=report.crisis), case)


def _joined(task: Task, report: Report, case: Case) -> Task:
    policy = case.policy_of(task)
    others = tuple(other for other in task.reports if other.ref != report.ref)
    repeated = repeats_any(report, (other for other in others if not other.left), policy)
    report = report._replace(repeated=repeated, late=False)
    task = rescheduled(replace(task, reports=(*others, report)), policy)
    note = texts.arrears_added(report.partner_kind, crisis=report.crisis)
    return task if repeated else _told(task, StepKind.ARREARS_ADDED, note, case)


def _told(task: Task, what: StepKind, note: str, case: Case) -> Task:
    return task.with_step(TaskStep(case.moment.at, what, None, note))
