"""What a decision does to the verification of its resident's identity (domain 8.8).

In: a decision with the tasks that it meets. Out: the VERIFY_IDENTITY task that changes, if any.
"""

from dataclasses import replace

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_case import DecisionCase
from signaalwissel.processors.followup_deadlines import verify_due_on
from signaalwissel.processors.followup_tasks import Task, identity_task_id
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.schemas.followup import TaskKind, TaskStatus
from signaalwissel.schemas.routing import CorrectionCause, Decision, Evidence, TrueReason


def verification(case: DecisionCase) -> Task | None:
    """The signal's verification after the decision: opened, changed, answered or cancelled."""
    mine = [task for task in case.situation.of_signal if task.kind is TaskKind.VERIFY_IDENTITY]
    active = next((task for task in mine if not task.ended), None)
    wanted = case.decision.reason is TrueReason.ADDRESS_ONLY_MATCH and case.decision.candidates
    if active is not None:
        return _reconsidered(active, case) if wanted else _verified(active, case)
    return _opened(mine, case) if wanted else None


def _opened(mine: list[Task], case: DecisionCase) -> Task | None:
    decision = case.decision
    done = sum(task.status is TaskStatus.DONE for task in mine)
    task_id = identity_task_id(decision.municipality, case.ref, done)
    ended = next((other for other in mine if other.task_id == task_id), None)
    if ended is not None and ended.status is TaskStatus.EXPIRED:
        # The time in which an answer could still change the signal's route is over.
        return None
    named = decision.evidence is Evidence.NAME
    task = Task(
        task_id=task_id,
        kind=TaskKind.VERIFY_IDENTITY,
        municipality=decision.municipality,
        trajectory_id=_only_trajectory(decision),
        team=case.policy.teams.default,
        due_on=verify_due_on(decision.last_day, named=named, policy=case.policy),
        opened_on=decision.last_day,
        policy_version=case.policy.version,
        candidates=decision.candidates,
    )
    return case.begun(task, ended, texts.verify(decision.candidates, named=named))


def _reconsidered(task: Task, case: DecisionCase) -> Task | None:
    decision = case.decision
    if task.candidates == decision.candidates:
        return None
    named = decision.evidence is Evidence.NAME
    due_on = verify_due_on(task.opened_on, named=named, policy=case.policy_of(task))
    task = replace(
        task,
        candidates=decision.candidates,
        trajectory_id=_only_trajectory(decision),
        due_on=min(due_on, task.due_on),
    )
    return case.changed(task, StepKind.CANDIDATES_CHANGED, texts.verify(decision.candidates, named=named))


def _verified(task: Task, case: DecisionCase) -> Task:
    if case.decision.cause is CorrectionCause.IDENTITY:
        return case.changed(task.ending(TaskStatus.DONE), StepKind.VERIFIED, texts.VERIFIED)
    cancelled = task.ending(TaskStatus.CANCELLED)
    return case.changed(cancelled, StepKind.CANCELLED, texts.CANCELLED_NOTHING_TO_VERIFY)


def _only_trajectory(decision: Decision) -> str | None:
    known = {candidate.trajectory_id for candidate in decision.candidates}
    return known.pop() if len(known) == 1 else None
