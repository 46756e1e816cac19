"""What a decision does to the tasks (design 5, domain 8.8 - 8.11, 8.14).

In: a decision, the tasks that it may change, policies. Out: the changed tasks, each one version higher and with the
next day on which the clock must look at it. Called for every decision in the order of its topic partition,
corrections included.
"""

from dataclasses import replace

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_case import DecisionCase, Situation
from signaalwissel.processors.followup_deadlines import contact_due_on
from signaalwissel.processors.followup_repeats import recounted, repeats_any
from signaalwissel.processors.followup_tasks import (
    Owner,
    Report,
    Task,
    owner_of,
    relapse_task_id,
)
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.followup_verifications import verification
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.routing import (
    CorrectionAction,
    CorrectionCause,
    Decision,
    Route,
)


def touches_tasks(decision: Decision) -> bool:
    """Whether a decision can change tasks at all; most first decisions cannot."""
    return decision.revision > 0 or decision.route is Route.COUNSELLOR_FOLLOWUP or bool(decision.candidates)


def erases_signal(decision: Decision) -> bool:
    """Whether a decision says that the signal's resident was erased: nothing of the signal may stay."""
    return decision.action is CorrectionAction.WITHDRAWN and decision.cause is CorrectionCause.ERASED


def follow(decision: Decision, situation: Situation, policy: Policy) -> tuple[Task, ...]:
    """The tasks that a decision changes, in their new version; each at most once.

    Args:
        decision: Any decision, a correction included.
        situation: The tasks that it meets, and their policies.
        policy: The municipality's present policy; a new task opens under it.
    """
    case = DecisionCase(decision, situation, policy)
    if erases_signal(decision):
        return tuple(_erased(task, case) for task in situation.of_signal)
    if decision.action is CorrectionAction.ALSO_OFFERED:
        return tuple(_offered(task, case) for task in _relapses(situation) if task.holds(case.ref))
    changed = [_without(task, case) for task in _to_leave(case)]
    verified = verification(case)
    entered = _entered(case) if decision.route is Route.COUNSELLOR_FOLLOWUP else None
    return tuple(task for task in (*changed, verified, entered) if task is not None)


def _relapses(situation: Situation) -> list[Task]:
    return [task for task in situation.of_signal if task.kind is TaskKind.CONTACT_ON_RELAPSE]


def _to_leave(case: DecisionCase) -> list[Task]:
    decision = case.decision
    target = decision.trajectory_id if decision.route is Route.COUNSELLOR_FOLLOWUP else None
    return [t for t in _relapses(case.situation) if t.holds(case.ref) and t.trajectory_id != target]


def _without(task: Task, case: DecisionCase) -> Task:
    marked = tuple(r._replace(left=True, repeated=False) if r.ref == case.ref else r for r in task.reports)
    task = replace(task, reports=recounted(marked, case.policy_of(task)))
    if task.ended:
        # A repeated report that came late and repeats nothing here any more: see `followup_repeats.outlived`.
        return case.changed(task, StepKind.SIGNAL_LEFT, texts.SIGNAL_LEFT_AFTER_END)
    if not task.held:
        cancelled = task.ending(TaskStatus.CANCELLED)
        return case.changed(cancelled, StepKind.CANCELLED, texts.CANCELLED_WITHOUT_SIGNALS)
    task = case.with_reports(task, task.reports)
    return case.changed(task, StepKind.SIGNAL_LEFT, texts.SIGNAL_LEFT)


def _offered(task: Task, case: DecisionCase) -> Task:
    reports = tuple(r._replace(offered=True) if r.ref == case.ref else r for r in task.reports)
    return case.changed(replace(task, reports=reports), StepKind.ALSO_OFFERED, texts.ALSO_OFFERED)


def _erased(task: Task, case: DecisionCase) -> Task:
    task = replace(task, reports=tuple(report for report in task.reports if report.ref != case.ref))
    if task.kind is TaskKind.VERIFY_IDENTITY:
        # Whom the signal may have been about is data of the signal too, and stands in the notes.
        task = replace(task, candidates=(), history=tuple(s._replace(note=None) for s in task.history))
    if task.ended:
        return case.changed(task, StepKind.SIGNAL_ERASED, texts.SIGNAL_ERASED)
    if not task.held:
        cancelled = task.ending(TaskStatus.CANCELLED)
        return case.changed(cancelled, StepKind.CANCELLED, texts.CANCELLED_BY_ERASURE)
    task = case.with_reports(task, task.reports)
    return case.changed(task, StepKind.SIGNAL_ERASED, texts.SIGNAL_ERASED)


def _entered(case: DecisionCase) -> Task | None:
    report = case.report()
    of_trajectory = case.situation.of_trajectory
    if any(task.holds(report.ref) for task in of_trajectory):
        return None
    active = next((task for task in of_trajectory if not task.ended), None)
    if active is not None:
        return _joined(active, report, case)
    done = [task for task in of_trajectory if task.status is TaskStatus.DONE]
    handled = next((task for task in done if task.was_about(report.ref)), None)
    if handled is not None:
        return _returned(handled, report, case)
    said = next((task for task in done if repeats_any(report, task.attended, case.policy_of(task))), None)
    return _opened(report, case) if said is None else _counted(said, report)


def _counted(task: Task, report: Report) -> Task:
    """The task that is done with one more repeated report: the contact about these arrears has been (domain 8.14)."""
    others = (other for other in task.reports if other.ref != report.ref)
    return replace(task, reports=(*others, report._replace(repeated=True, late=True))).next_version()


def _joined(task: Task, report: Report, case: DecisionCase) -> Task:
    if task.knows(report.ref):
        return _returned(task, report, case)
    repeated = repeats_any(report, task.held, case.policy_of(task))
    joined = case.with_reports(task, (*task.reports, report._replace(repeated=repeated)))
    if repeated and joined.due_on >= task.due_on:
        return joined.next_version()
    note = texts.arrears_added(report.partner_kind, crisis=report.crisis)
    return case.changed(joined, StepKind.ARREARS_ADDED, note)


def _returned(task: Task, report: Report, case: DecisionCase) -> Task:
    reports = tuple(report if r.ref == report.ref else r for r in task.reports)
    return case.changed(case.with_reports(task, reports), StepKind.SIGNAL_RETURNED, texts.SIGNAL_RETURNED)


def _opened(report: Report, case: DecisionCase) -> Task | None:
    decision = case.decision
    trajectory_id = decision.trajectory_id
    if trajectory_id is None:
        raise ValueError(f"decision {decision.routing_id}: counsellor follow-up without a trajectory")
    task_id = relapse_task_id(decision.municipality, trajectory_id, report.ref)
    ended = next((task for task in case.situation.of_trajectory if task.task_id == task_id), None)
    if ended is not None and ended.status is TaskStatus.DONE:
        # Its signal was erased from it: what was done stays done.
        return None
    owner = _owner(case)
    task = Task(
        task_id=task_id,
        kind=TaskKind.CONTACT_ON_RELAPSE,
        municipality=decision.municipality,
        trajectory_id=trajectory_id,
        team=owner.team,
        due_on=contact_due_on(decision.last_day, crisis=decision.crisis, policy=case.policy),
        opened_on=decision.last_day,
        policy_version=case.policy.version,
        assignee=owner.assignee,
    )
    note = texts.opened if ended is None else texts.reopened
    return case.begun(task, ended, note(report.partner_kind, crisis=report.crisis))


def _owner(case: DecisionCase) -> Owner:
    # trajectory-states runs ahead of decisions or behind them; what it says last is what stands in the end.
    counsellor = case.situation.counsellor
    if counsellor is not None:
        return owner_of(counsellor, counsellor.team, case.policy)
    return owner_of(case.decision.counsellor, case.decision.team, case.policy)
