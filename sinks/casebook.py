"""The tasks that one batch may change, held in memory while the rules work on them.

Flows in: the tasks as they are stored. Flows out: every version that the batch makes, in order, and the difference
to what was stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from signaalwissel.processors.followup_decisions import Situation, follow
from signaalwissel.processors.followup_tasks import Command, Outcome, Task, ref_of
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import Counsellor


class TrajectoryKey(NamedTuple):
    """A trajectory; case systems number locally."""

    municipality: str
    trajectory_id: str


class Casebook:
    """The tasks of one batch.

    Args:
        stored: Every task that the batch may change, as the database has it.
        counsellors: Who runs each of the batch's trajectories by its latest state, where one is known.
        policies: The municipalities' policies.
    """

    def __init__(
        self, stored: Iterable[Task], counsellors: Mapping[TrajectoryKey, Counsellor], policies: Policies
    ) -> None:
        self.versions: list[Task] = []
        self.commands: list[Command] = []
        self.stored = {task.task_id: task for task in stored}
        self._tasks: dict[str, Task] = {}
        self._counsellors = counsellors
        self._policies = policies
        self._by_trajectory: defaultdict[TrajectoryKey, dict[str, None]] = defaultdict(dict)
        self._by_signal: defaultdict[bytes, dict[str, None]] = defaultdict(dict)
        for task in self.stored.values():
            self._put(task)

    def task(self, task_id: str) -> Task | None:
        """The task as it is now."""
        return self._tasks.get(task_id)

    def of_trajectory(self, key: TrajectoryKey) -> list[Task]:
        """Every task of a trajectory."""
        return [self._tasks[task_id] for task_id in self._by_trajectory.get(key, ())]

    def changed(self) -> list[Task]:
        """Each task that is not as it was stored, as it is now."""
        return [self._tasks[task_id] for task_id in dict.fromkeys(task.task_id for task in self.versions)]

    def told_of(self, refs: Iterable[bytes]) -> list[str]:
        """The tasks that any of these signals is or was in."""
        return list({task_id for ref in refs for task_id in self._by_signal.get(ref, ())})

    def policy(self, municipality: str) -> Policy:
        """The policy of a municipality; what intake let pass is never dropped for want of one (domain 8.10)."""
        return self._policies.get(municipality) or self._policies.default

    def follow(self, decision: Decision) -> None:
        """Let a decision work on the tasks."""
        situation = Situation(of_signal=self._of_signal(decision))
        if decision.trajectory_id is not None:
            key = TrajectoryKey(decision.municipality, decision.trajectory_id)
            relapses = (t for t in self.of_trajectory(key) if t.kind is TaskKind.CONTACT_ON_RELAPSE)
            situation = situation._replace(
                of_trajectory=tuple(relapses), counsellor=self._counsellors.get(key)
            )
        self.take(Outcome(follow(decision, situation, self.policy(decision.municipality))))

    def take(self, outcome: Outcome) -> None:
        """Take what a rule gave: tasks in their new version, and commands."""
        for task in outcome.tasks:
            self._put(task)
            self.versions.append(task)
        self.commands.extend(outcome.commands)

    def _of_signal(self, decision: Decision) -> tuple[Task, ...]:
        known = self._by_signal.get(ref_of(decision), ())
        return tuple(self._tasks[task_id] for task_id in known)

    def _put(self, task: Task) -> None:
        self._tasks[task.task_id] = task
        # A verification is about several trajectories or about one that is not proven: it belongs to none.
        if task.trajectory_id is not None and task.kind is not TaskKind.VERIFY_IDENTITY:
            self._by_trajectory[TrajectoryKey(task.municipality, task.trajectory_id)][task.task_id] = None
        for report in task.reports:
            self._by_signal[report.ref][task.task_id] = None
