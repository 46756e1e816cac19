"""Who runs a trajectory now, and how its open tasks follow (domain 8.7, 8.11: a new counsellor moves the task).

In: a trajectory's state, a task, the policy. Out: the counsellor, or the moved task.
"""

from dataclasses import replace

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_tasks import Owner, Task, owner_of
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskStatus, TaskStep
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.trajectory import Counsellor


def assignment(state: TrajectoryState) -> Fact | None:
    """The fact that tells who runs the trajectory: the last with a counsellor by (sequence, event id)."""
    named = [fact for fact in state.facts if fact.counsellor is not None]
    return max(named, key=lambda fact: (fact.sequence, fact.event_id), default=None)


def moved(task: Task, counsellor: Counsellor, at: int, policy: Policy) -> Task | None:
    """The task with the trajectory's new counsellor; None where it has ended or is theirs already.

    A task that had gone to the team is theirs too: they can act now. It is open again, its escalation stays in the
    history, and what remains of the ladder goes on by the same dates; no deadline moves.

    Args:
        task: A task of that trajectory.
        counsellor: Who runs the trajectory now.
        at: When that was recorded, in milliseconds since 1970.
        policy: The municipality's policy.
    """
    owner = owner_of(counsellor, counsellor.team, policy)
    if task.ended or owner == Owner(task.assignee, task.team):
        return None
    note = texts.TO_THE_TEAM if owner.assignee is None else texts.COUNSELLOR_CHANGED
    status = task.status
    if status is TaskStatus.ESCALATED and owner.assignee is not None:
        status = TaskStatus.OPEN
    task = replace(task, assignee=owner.assignee, team=owner.team, status=status)
    return task.with_step(TaskStep(at, StepKind.COUNSELLOR_CHANGED, None, note)).next_version()
