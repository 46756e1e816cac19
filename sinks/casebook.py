"""The tasks that one batch may change, held in memory while the rules work on them.

Flows in: the tasks as they are stored. Flows out: every version that the batch makes, in order, the notices and
commands that follow, and the difference to what was stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from signaalwissel.processors.followup_case import Situation
from signaalwissel.processors.followup_decisions import follow
from signaalwissel.processors.followup_notices import Notice, notices_of_decision, notices_of_task
from signaalwissel.processors.followup_tasks import Command, Outcome, Task, ref_of
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import Counsellor

_CONTACTS = frozenset({TaskKind.CONTACT_ON_RELAPSE, TaskKind.MONTHLY_CONTACT, TaskKind.AFTERCARE_CONTACT})


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
        versions: By version, the policies under which these tasks were opened.
    """

    def __init__(
        self,
        stored: Iterable[Task],
        counsellors: Mapping[TrajectoryKey, Counsellor],
        policies: Policies,
        versions: Mapping[str, Policy] = MappingProxyType({}),
    ) -> None:
        self.versions: list[Task] = []
        self.commands: list[Command] = []
        self.notices: list[Notice] = []
        self.stored: dict[str, Task] = {}
        self._tasks: dict[str, Task] = {}
        self._counsellors = counsellors
        self._policies = policies
        self._versions = versions
        self._by_trajectory: defaultdict[TrajectoryKey, dict[str, None]] = defaultdict(dict)
        self._by_signal: defaultdict[bytes, dict[str, None]] = defaultdict(dict)
        self.add(stored)

    def add(self, stored: Iterable[Task]) -> None:
        """Take further tasks as the database has them; those that are known stay as they are now."""
        for task in stored:
            if task.task_id not in self.stored:
                self.stored[task.task_id] = task
                self._put(task)

    def task(self, task_id: str) -> Task | None:
        """The task as it is now."""
        return self._tasks.get(task_id)

    def owners(self, municipality: str) -> set[str]:
        """Who has a task of a municipality that runs."""
        running = (
            task for task in self._tasks.values() if task.municipality == municipality and not task.ended
        )
        return {task.assignee for task in running if task.assignee is not None}

    def of_trajectory(self, key: TrajectoryKey) -> list[Task]:
        """Every task of a trajectory."""
        return [self._tasks[task_id] for task_id in self._by_trajectory.get(key, ())]

    def changed(self) -> list[Task]:
        """Each task that is not as it was stored, as it is now."""
        return [self._tasks[task_id] for task_id in dict.fromkeys(task.task_id for task in self.versions)]

    def touched(self) -> set[TrajectoryKey]:
        """The trajectories of the tasks that changed."""
        keys = (_key_of(task) for task in self.changed())
        return {key for key in keys if key is not None}

    def ended_trajectories(self) -> set[TrajectoryKey]:
        """The trajectories of the tasks that changed and have ended."""
        keys = (_key_of(task) for task in self.changed() if task.ended)
        return {key for key in keys if key is not None}

    def crowded(self) -> set[TrajectoryKey]:
        """Trajectories of which more than one contact task runs: what the calendar opened must make room."""
        return {
            key
            for key in self.touched()
            if sum(task.kind in _CONTACTS and not task.ended for task in self.of_trajectory(key)) > 1
        }

    def last_day(self, ref: bytes) -> date:
        """The day of receipt of a signal that one of these tasks knows."""
        for task_id in self._by_signal[ref]:
            for report in self._tasks[task_id].reports:
                if report.ref == ref:
                    return report.last_day
        raise LookupError(f"no task of this batch knows signal {ref.hex()}")

    def told_of(self, refs: Iterable[bytes]) -> list[str]:
        """The tasks that any of these signals is or was in."""
        return list({task_id for ref in refs for task_id in self._by_signal.get(ref, ())})

    def policy(self, municipality: str) -> Policy:
        """The policy of a municipality; what intake let pass is never dropped for want of one (domain 8.10)."""
        return self._policies.get(municipality) or self._policies.default

    def policy_of(self, task: Task) -> Policy:
        """The policy under which a task was opened; where nobody kept it, its municipality's present one."""
        return self._versions.get(task.policy_version) or self.policy(task.municipality)

    def follow(self, decision: Decision) -> None:
        """Let a decision work on the tasks."""
        situation = Situation(of_signal=self._of_signal(decision), policies=self._versions)
        if decision.trajectory_id is not None:
            key = TrajectoryKey(decision.municipality, decision.trajectory_id)
            relapses = (t for t in self.of_trajectory(key) if t.kind is TaskKind.CONTACT_ON_RELAPSE)
            situation = situation._replace(
                of_trajectory=tuple(relapses), counsellor=self._counsellors.get(key)
            )
        self.take(Outcome(follow(decision, situation, self.policy(decision.municipality))))
        self.notices.extend(notices_of_decision(decision))

    def take(self, outcome: Outcome) -> None:
        """Take what a rule gave: tasks in their new version, and commands."""
        for task in outcome.tasks:
            before = self._tasks.get(task.task_id)
            self.notices.extend(notices_of_task(before, task, self.policy(task.municipality)))
            self._put(task)
            self.versions.append(task)
        self.commands.extend(outcome.commands)

    def go_on_from(self, published: Mapping[str, int]) -> None:
        """Number the versions of tasks that are new here on from those that readers have of them."""

        def later(task: Task) -> Task:
            return replace(task, version=task.version + published.get(task.task_id, 0))

        if published:
            self.versions = [later(task) for task in self.versions]
            self._tasks |= {task_id: later(self._tasks[task_id]) for task_id in published}

    def _of_signal(self, decision: Decision) -> tuple[Task, ...]:
        known = self._by_signal.get(ref_of(decision), ())
        return tuple(self._tasks[task_id] for task_id in known)

    def _put(self, task: Task) -> None:
        self._tasks[task.task_id] = task
        key = _key_of(task)
        if key is not None:
            self._by_trajectory[key][task.task_id] = None
        for report in task.reports:
            self._by_signal[report.ref][task.task_id] = None


def _key_of(task: Task) -> TrajectoryKey | None:
    # A verification is about several trajectories or about one that is not proven: it belongs to none.
    if task.trajectory_id is None or task.kind is TaskKind.VERIFY_IDENTITY:
        return None
    return TrajectoryKey(task.municipality, task.trajectory_id)
