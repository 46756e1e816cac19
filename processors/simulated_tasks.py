"""The follow-up's tasks in `simulate`: the product's own rules over dicts, without a database (design 5, 6).

In: decisions, trajectory states, task updates and, where it is asked for, the time that the lines tell. Out: tasks in
their new version and commands to the matcher. Contacts, evaluations and notices that no signal brings are the sink's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from signaalwissel.processors.followup_case import Situation
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_counsellors import assignment, moved
from signaalwissel.processors.followup_decisions import follow, touches_tasks
from signaalwissel.processors.followup_ladder import steps_of
from signaalwissel.processors.followup_tasks import Moment, Outcome, Task, ref_of
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.followup_updates import apply_update, check_colleague, is_handed_over
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import TaskKind, TaskUpdate
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.routing import Decision


class SimulatedTasks:
    """Every task of a simulation.

    Args:
        policies: The policies to try.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._tasks: dict[str, Task] = {}
        self._states: dict[bytes, bytes] = {}
        self._of_trajectory: defaultdict[bytes, dict[str, None]] = defaultdict(dict)
        self._of_signal: defaultdict[bytes, dict[str, None]] = defaultdict(dict)
        self._applied: set[tuple[str, str]] = set()

    def decided(self, decision: Decision) -> tuple[Task, ...]:
        """What a decision does to the tasks."""
        if not touches_tasks(decision):
            return ()
        key = trajectory_key(decision.municipality, decision.trajectory_id or "")
        fact = self._assignment(key)
        situation = Situation(
            of_signal=tuple(self._named(self._of_signal.get(ref_of(decision), ()))),
            of_trajectory=tuple(
                task
                for task in self._named(self._of_trajectory.get(key, ()))
                if task.kind is TaskKind.CONTACT_ON_RELAPSE
            ),
            counsellor=None if fact is None else fact.counsellor,
        )
        return self._taken(follow(decision, situation, self._policy(decision.municipality)))

    def state(self, key: bytes, state: bytes) -> tuple[Task, ...]:
        """What a record of `trajectory-states` does to the trajectory's tasks: a new counsellor moves them."""
        tasks = list(self._named(self._of_trajectory.get(key, ())))
        before = self._assignment(key) if tasks else None
        self._states[key] = state
        fact = self._assignment(key) if tasks else None
        if fact is None or fact.counsellor is None:
            return ()
        if before is not None and before.counsellor == fact.counsellor:
            # Whoever ran it runs it still: what climbed to the team stays there.
            return ()
        policy = self._policy(tasks[0].municipality)
        changed = (moved(task, fact.counsellor, fact.recorded_at, policy) for task in tasks)
        return self._taken(task for task in changed if task is not None)

    def updated(self, update: TaskUpdate) -> Outcome:
        """What a task update does, once; raises UpdateRefused where it does not apply."""
        if (update.update_id, update.task_id) in self._applied:
            return Outcome()
        task = self._tasks.get(update.task_id)
        policy = self._policy("" if task is None else task.municipality)
        outcome = apply_update(update, task, policy)
        if task is not None and is_handed_over(update):
            check_colleague(update, self._known(task.municipality))
        self._applied.add((update.update_id, update.task_id))
        return outcome._replace(tasks=self._taken(outcome.tasks))

    def about(self, signal: bytes, kind: TaskKind) -> Task | None:
        """The last task of a kind that is about a signal, by its ref."""
        tasks = list(self._named(self._of_signal.get(signal, ())))
        return next((task for task in reversed(tasks) if task.kind is kind and task.holds(signal)), None)

    def steps_about(self, task: Task, signal: bytes) -> tuple[tuple[StepKind, date], ...]:
        """What time does to a task about a signal, and on which day."""
        return steps_of(task, signal, self._policy(task.municipality))

    def municipality_of(self, task_id: str) -> str | None:
        """Whose task it is, where there is one."""
        task = self._tasks.get(task_id)
        return None if task is None else task.municipality

    def ticked(self, moment: Moment) -> Outcome:
        """What time does to every task on which something is due."""
        due = [t for t in self._tasks.values() if t.next_on is not None and t.next_on <= moment.today]
        outcomes = [tick(task, moment, self._policy(task.municipality)) for task in due]
        return Outcome(
            self._taken(task for outcome in outcomes for task in outcome.tasks),
            tuple(command for outcome in outcomes for command in outcome.commands),
        )

    def _assignment(self, key: bytes) -> Fact | None:
        state = self._states.get(key)
        return None if state is None else assignment(read_trajectory_state(state))

    def _known(self, municipality: str) -> set[str]:
        """Who has a task of a municipality that runs, or runs a trajectory there."""
        own = (task for task in self._tasks.values() if task.municipality == municipality and not task.ended)
        states = (read_trajectory_state(state) for state in self._states.values())
        facts = (assignment(state) for state in states if state.municipality == municipality)
        run = (fact.counsellor for fact in facts if fact is not None)
        return {
            *(task.assignee for task in own if task.assignee is not None),
            *(counsellor.counsellor_id for counsellor in run if counsellor is not None),
        }

    def _policy(self, municipality: str) -> Policy:
        return self._policies.get(municipality) or self._policies.default

    def _named(self, task_ids: Iterable[str]) -> Iterator[Task]:
        return (self._tasks[task_id] for task_id in task_ids)

    def _taken(self, tasks: Iterable[Task]) -> tuple[Task, ...]:
        taken = tuple(tasks)
        for task in taken:
            self._tasks[task.task_id] = task
            if task.trajectory_id is not None and task.kind is not TaskKind.VERIFY_IDENTITY:
                key = trajectory_key(task.municipality, task.trajectory_id)
                self._of_trajectory[key][task.task_id] = None
            for report in task.reports:
                self._of_signal[report.ref][task.task_id] = None
        return taken
