"""What a decision does to the tasks (design 5, domain 8.8 - 8.11, 8.14).

In: a decision, the tasks that it may change, the policy. Out: the changed tasks, each one version higher. Called for
every decision in the order of its topic partition, corrections included.
"""

from dataclasses import replace
from typing import NamedTuple

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_deadlines import contact_due_on, verify_due_on
from signaalwissel.processors.followup_repeats import recounted, repeats_any
from signaalwissel.processors.followup_tasks import (
    Owner,
    Report,
    Task,
    identity_task_id,
    owner_of,
    ref_of,
    relapse_task_id,
    report_of,
)
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep
from signaalwissel.schemas.routing import (
    CorrectionAction,
    CorrectionCause,
    Decision,
    Evidence,
    Route,
    TrueReason,
)
from signaalwissel.schemas.trajectory import Counsellor


class Situation(NamedTuple):
    """What a decision meets.

    Attributes:
        of_signal: Every task that the signal is or was in.
        of_trajectory: Every CONTACT_ON_RELAPSE task of the decision's trajectory, in order of opening.
        counsellor: Who runs that trajectory by its latest state; None where the decision alone tells.
    """

    of_signal: tuple[Task, ...] = ()
    of_trajectory: tuple[Task, ...] = ()
    counsellor: Counsellor | None = None


def touches_tasks(decision: Decision) -> bool:
    """Whether a decision can change tasks at all; most first decisions cannot."""
    return decision.revision > 0 or decision.route is Route.COUNSELLOR_FOLLOWUP or bool(decision.candidates)


def erases_signal(decision: Decision) -> bool:
    """Whether a decision says that the signal's resident was erased: nothing of the signal may stay."""
    return decision.action is CorrectionAction.WITHDRAWN and decision.cause is CorrectionCause.ERASED


def follow(decision: Decision, situation: Situation, policy: Policy) -> tuple[Task, ...]:
    """The tasks that a decision changes, in their new version; each at most once."""
    ref = ref_of(decision)
    if erases_signal(decision):
        return tuple(_erased(task, ref, decision) for task in situation.of_signal)
    if decision.action is CorrectionAction.ALSO_OFFERED:
        step = _step(decision, StepKind.ALSO_OFFERED, texts.ALSO_OFFERED)
        return tuple(task.with_step(step).next_version() for task in _relapses(situation) if task.holds(ref))
    changed = [_without(task, ref, decision, policy) for task in _to_leave(decision, situation, ref)]
    verified = _verification(decision, situation, policy)
    entered = _entered(decision, situation, policy) if decision.route is Route.COUNSELLOR_FOLLOWUP else None
    return tuple(task for task in (*changed, verified, entered) if task is not None)


def _relapses(situation: Situation) -> list[Task]:
    return [task for task in situation.of_signal if task.kind is TaskKind.CONTACT_ON_RELAPSE]


def _to_leave(decision: Decision, situation: Situation, ref: bytes) -> list[Task]:
    target = decision.trajectory_id if decision.route is Route.COUNSELLOR_FOLLOWUP else None
    return [task for task in _relapses(situation) if task.holds(ref) and task.trajectory_id != target]


def _without(task: Task, ref: bytes, decision: Decision, policy: Policy) -> Task:
    marked = (r._replace(left=True, repeated=False) if r.ref == ref else r for r in task.reports)
    task = replace(task, reports=recounted(marked, policy))
    if task.ended:
        step = _step(decision, StepKind.SIGNAL_LEFT, texts.SIGNAL_LEFT_AFTER_END)
    elif task.held:
        step = _step(decision, StepKind.SIGNAL_LEFT, texts.SIGNAL_LEFT)
    else:
        task = replace(task, status=TaskStatus.CANCELLED)
        step = _step(decision, StepKind.CANCELLED, texts.CANCELLED_WITHOUT_SIGNALS)
    return task.with_step(step).next_version()


def _erased(task: Task, ref: bytes, decision: Decision) -> Task:
    task = replace(task, reports=tuple(report for report in task.reports if report.ref != ref))
    if task.kind is TaskKind.VERIFY_IDENTITY:
        # Whom the signal may have been about is data of the signal too, and stands in the notes.
        task = replace(task, candidates=(), history=tuple(s._replace(note=None) for s in task.history))
    if task.ended or task.held:
        return task.with_step(_step(decision, StepKind.SIGNAL_ERASED, texts.SIGNAL_ERASED)).next_version()
    step = _step(decision, StepKind.CANCELLED, texts.CANCELLED_BY_ERASURE)
    return replace(task, status=TaskStatus.CANCELLED).with_step(step).next_version()


def _entered(decision: Decision, situation: Situation, policy: Policy) -> Task | None:
    report = report_of(decision)
    active = next((task for task in situation.of_trajectory if not task.ended), None)
    if active is not None:
        return None if active.holds(report.ref) else _joined(active, report, decision, policy)
    handled = next(
        (t for t in situation.of_trajectory if t.status is TaskStatus.DONE and t.knows(report.ref)), None
    )
    if handled is not None:
        return None if handled.holds(report.ref) else _returned(handled, report, decision)
    if repeats_any(report, (r for task in situation.of_trajectory for r in task.held), policy):
        # It is in the audit trail; the contact about these arrears has been (domain 8.14).
        return None
    return _opened(report, decision, situation, policy)


def _joined(task: Task, report: Report, decision: Decision, policy: Policy) -> Task:
    if task.knows(report.ref):
        return _returned(task, report, decision)
    repeated = repeats_any(report, task.held, policy)
    due_on = contact_due_on(decision.last_day, crisis=decision.crisis, policy=policy)
    earlier = due_on < task.due_on
    task = replace(
        task,
        reports=(*task.reports, report._replace(repeated=repeated)),
        due_on=min(due_on, task.due_on),
    )
    if not repeated or earlier:
        note = texts.arrears_added(report.partner_kind, crisis=report.crisis)
        task = task.with_step(_step(decision, StepKind.ARREARS_ADDED, note))
    return task.next_version()


def _returned(task: Task, report: Report, decision: Decision) -> Task:
    reports = tuple(report if r.ref == report.ref else r for r in task.reports)
    step = _step(decision, StepKind.SIGNAL_RETURNED, texts.SIGNAL_RETURNED)
    return replace(task, reports=reports).with_step(step).next_version()


def _opened(report: Report, decision: Decision, situation: Situation, policy: Policy) -> Task:
    trajectory_id = decision.trajectory_id
    if trajectory_id is None:
        raise ValueError(f"decision {decision.routing_id}: counsellor follow-up without a trajectory")
    task_id = relapse_task_id(decision.municipality, trajectory_id, report.ref)
    cancelled = next((task for task in situation.of_trajectory if task.task_id == task_id), None)
    owner = _owner(decision, situation, policy)
    what, note = StepKind.OPENED, texts.opened(report.partner_kind, crisis=report.crisis)
    if cancelled is not None:
        what, note = StepKind.REOPENED, texts.reopened(report.partner_kind, crisis=report.crisis)
    task = Task(
        task_id=task_id,
        kind=TaskKind.CONTACT_ON_RELAPSE,
        municipality=decision.municipality,
        trajectory_id=trajectory_id,
        team=owner.team,
        due_on=contact_due_on(decision.last_day, crisis=decision.crisis, policy=policy),
        assignee=owner.assignee,
    )
    return _begun(task, cancelled, report, _step(decision, what, note))


def _owner(decision: Decision, situation: Situation, policy: Policy) -> Owner:
    # trajectory-states runs ahead of decisions or behind them; what it says last is what stands in the end.
    if situation.counsellor is not None:
        return owner_of(situation.counsellor, situation.counsellor.team, policy)
    return owner_of(decision.counsellor, decision.team, policy)


def _verification(decision: Decision, situation: Situation, policy: Policy) -> Task | None:
    mine = [task for task in situation.of_signal if task.kind is TaskKind.VERIFY_IDENTITY]
    active = next((task for task in mine if not task.ended), None)
    wanted = decision.reason is TrueReason.ADDRESS_ONLY_MATCH and decision.candidates
    if active is not None:
        return _reconsidered(active, decision) if wanted else _verified(active, decision)
    return _verification_opened(mine, decision, policy) if wanted else None


def _verification_opened(mine: list[Task], decision: Decision, policy: Policy) -> Task:
    report = report_of(decision)
    done = sum(task.status is TaskStatus.DONE for task in mine)
    named = decision.evidence is Evidence.NAME
    task = Task(
        task_id=identity_task_id(decision.municipality, report.ref, done),
        kind=TaskKind.VERIFY_IDENTITY,
        municipality=decision.municipality,
        trajectory_id=_only_trajectory(decision),
        team=policy.teams.default,
        due_on=verify_due_on(decision.last_day, named=named, policy=policy),
        candidates=decision.candidates,
    )
    cancelled = next((other for other in mine if other.task_id == task.task_id), None)
    what = StepKind.OPENED if cancelled is None else StepKind.REOPENED
    return _begun(
        task, cancelled, report, _step(decision, what, texts.verify(decision.candidates, named=named))
    )


def _reconsidered(task: Task, decision: Decision) -> Task | None:
    if task.candidates == decision.candidates:
        return None
    note = texts.verify(decision.candidates, named=decision.evidence is Evidence.NAME)
    task = replace(task, candidates=decision.candidates, trajectory_id=_only_trajectory(decision))
    return task.with_step(_step(decision, StepKind.CANDIDATES_CHANGED, note)).next_version()


def _verified(task: Task, decision: Decision) -> Task:
    if decision.cause is CorrectionCause.IDENTITY:
        status, what, note = TaskStatus.DONE, StepKind.VERIFIED, texts.VERIFIED
    else:
        status, what, note = TaskStatus.CANCELLED, StepKind.CANCELLED, texts.CANCELLED_NOTHING_TO_VERIFY
    return replace(task, status=status).with_step(_step(decision, what, note)).next_version()


def _only_trajectory(decision: Decision) -> str | None:
    known = {candidate.trajectory_id for candidate in decision.candidates}
    return known.pop() if len(known) == 1 else None


def _begun(task: Task, cancelled: Task | None, report: Report, step: TaskStep) -> Task:
    if cancelled is not None:
        # The same task, not another one beside it: its id says so. What was in it before stays as it was.
        others = tuple(other for other in cancelled.reports if other.ref != report.ref)
        task = replace(task, version=cancelled.version, history=cancelled.history, reports=others)
    return replace(task, reports=(*task.reports, report)).with_step(step).next_version()


def _step(decision: Decision, what: StepKind, note: str) -> TaskStep:
    return TaskStep(decision.decided_at, what, None, note)
