"""One trajectory as the agenda sees it: what the sink knows of it, and what its facts make of it today.

In: facts, tasks and notices of one trajectory. Out: a Case, the value that the rules of the calendar work on. "Today"
is an argument; no clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

from signaalwissel.processors import followup_notice_texts as texts
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_ladder import past_the_team, rungs_ahead, scheduled
from signaalwissel.processors.followup_tasks import Moment, Task, owner_of
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.periods import Period
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.trajectory import Client, Trajectory, fold
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep, TaskUpdateKind
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind

DAY = timedelta(days=1)
_CLOSING = frozenset({TaskUpdateKind.CONTACT_MADE, TaskUpdateKind.COMPLETED, TaskUpdateKind.PLAN_EVALUATED})


class TrajectoryView(NamedTuple):
    """Everything that the sink knows of one trajectory.

    Attributes:
        facts: In their order, as the trajectory's latest state has them; empty where no state came yet.
        tasks: All tasks of the trajectory, the ended ones too, but no VERIFY_IDENTITY.
        counsellor: Who runs it by its latest state; None where nobody is known.
        erased: Whether its latest state says that it was erased.
        found: Per client the day of receipt of the first signal for which this trajectory was found; see
            `followup_notices.first_found`.
        settled_notices: Ids of the notices already made: at least all with this trajectory's id, and all with one
            of `followup_notices.addressees(view)` as addressee, as a resident may have been told because of another
            trajectory.
        policies: By version, those under which these tasks were opened; for one that is not here the present policy
            stands in.
    """

    municipality: str
    trajectory_id: str
    facts: tuple[Fact, ...] = ()
    tasks: tuple[Task, ...] = ()
    counsellor: Counsellor | None = None
    erased: bool = False
    found: Mapping[int, date] = MappingProxyType({})
    settled_notices: frozenset[str] = frozenset()
    policies: Mapping[str, Policy] = MappingProxyType({})


class Plan(NamedTuple):
    """A calendar task to open; `note` is the Dutch sentence of its first step."""

    task_id: str
    kind: TaskKind
    opened_on: date
    due_on: date
    note: str


class Case(NamedTuple):
    """A view with what its facts make of it today.

    Attributes:
        trajectory: None where it was erased, withdrawn in error or never applied for.
        present: Positions of the clients whom we may contact today: members who are alive.
        roster: Tells whom a fact concerns.
    """

    view: TrajectoryView
    trajectory: Trajectory | None
    present: tuple[int, ...]
    roster: Roster
    moment: Moment
    policy: Policy

    @property
    def today(self) -> date:
        """Today in Amsterdam."""
        return self.moment.today

    @property
    def erased(self) -> bool:
        """Whether the trajectory was erased."""
        return self.view.erased or any(
            fact.client is None for fact in facts_of(self.view, TrajectoryEventKind.ERASED)
        )

    @property
    def closed(self) -> str | None:
        """Why no calendar task may run at all, in a Dutch sentence; None where one may."""
        if self.erased:
            return texts.ERASED
        if self.trajectory is None:
            return texts.WITHDRAWN
        return None if self.present else texts.NOBODY_LEFT

    def policy_of(self, task: Task) -> Policy:
        """The policy whose dates a task keeps."""
        return self.view.policies.get(task.policy_version, self.policy)

    def concerned(self, fact: Fact) -> list[int]:
        """The positions of the clients whom a fact concerns."""
        return sorted(self.roster.concern(fact).positions)

    def tasks(self, kind: TaskKind) -> list[Task]:
        """All tasks of a kind, the ended ones too."""
        return [task for task in self.view.tasks if task.kind is kind]

    def with_tasks(self, changed: Iterable[Task]) -> "Case":
        """The case with these tasks as they are now, new ones among them."""
        tasks = {task.task_id: task for task in (*self.view.tasks, *changed)}
        return self._replace(view=self.view._replace(tasks=tuple(tasks.values())))

    def running(self, kind: TaskKind) -> Task | None:
        """The task of that kind that has not ended, if any; of several the one due first."""
        running = [task for task in self.tasks(kind) if not task.ended]
        return min(running, key=lambda task: (task.due_on, task.task_id), default=None)

    def opened(self, plan: Plan, *, to_team: bool = False) -> Task:
        """A task that begins; the same one again where it was cancelled before, as its id says.

        It goes on where its date says: what lies before today, or was done with that same date, does not come again.
        A task that is past the step to the team begins with the team.

        Args:
            plan: What to open.
            to_team: Whether it begins with the team rather than with the counsellor.
        """
        before = next((task for task in self.view.tasks if task.task_id == plan.task_id), None)
        counsellor = self.view.counsellor
        owner = owner_of(counsellor, counsellor and counsellor.team, self.policy)
        task = Task(
            task_id=plan.task_id,
            kind=plan.kind,
            municipality=self.view.municipality,
            trajectory_id=self.view.trajectory_id,
            team=owner.team,
            due_on=plan.due_on,
            assignee=owner.assignee,
            opened_on=plan.opened_on,
            policy_version=self.policy.version,
        )
        what = StepKind.OPENED
        if before is not None:
            what = StepKind.REOPENED
            passed = rungs_ahead(task, self.policy, self.today - DAY)
            rung = max(
                passed[-1].number + 1 if passed else 0, before.rung if before.due_on == plan.due_on else 0
            )
            task = replace(task, version=before.version, history=before.history, rung=rung)
        if to_team or past_the_team(task, self.policy):
            task = replace(task, assignee=None, status=TaskStatus.ESCALATED)
        task = task.with_step(TaskStep(self.moment.at, what, None, plan.note))
        return scheduled(task, self.policy).next_version()

    def cancelled(self, task: Task, note: str) -> Task:
        """The task in its next version, cancelled."""
        task = task.ending(TaskStatus.CANCELLED)
        return task.with_step(TaskStep(self.moment.at, StepKind.CANCELLED, None, note)).next_version()


def case_of(view: TrajectoryView, moment: Moment, policy: Policy) -> Case:
    """The view with what its facts make of it today."""
    trajectory = None if view.erased else fold(view.trajectory_id, view.facts)
    present = present_on(trajectory, moment.today)
    return Case(view, trajectory, present, Roster(view.facts), moment, policy)


def present_on(trajectory: Trajectory | None, day: date) -> tuple[int, ...]:
    """The positions of the clients who are alive and a member on `day`."""
    clients = () if trajectory is None else trajectory.clients
    return tuple(position for position, client in enumerate(clients) if _is_present(client, day))


def facts_of(view: TrajectoryView, *kinds: TrajectoryEventKind) -> list[Fact]:
    """The facts of these kinds, in their order."""
    return [fact for fact in view.facts if fact.kind in kinds]


def open_on(periods: Iterable[Period], day: date) -> Period | None:
    """The period that is open on `day`, its last day included; of several the latest."""
    found = [p for p in periods if p.begin <= day and (p.end is None or p.end >= day)]
    return max(found, key=lambda period: period.begin, default=None)


def done_on(task: Task) -> date | None:
    """The day on which a task update closed the task; None where none did."""
    if task.status is not TaskStatus.DONE:
        return None
    return _day_of_last(task, _CLOSING)


def contacted_on(task: Task) -> date | None:
    """The day on which a task update said that there was contact; None where none did."""
    return _day_of_last(task, frozenset({TaskUpdateKind.CONTACT_MADE}))


def _day_of_last(task: Task, whats: frozenset[TaskUpdateKind]) -> date | None:
    moments = [step.at for step in task.history if step.what in whats]
    return amsterdam_day(moments[-1]) if moments else None


def _is_present(client: Client, day: date) -> bool:
    dead = any(death <= day for death in client.deaths)
    member = any(
        (stay.first is None or stay.first <= day) and (stay.last is None or stay.last >= day)
        for stay in client.identity.member
    )
    return member and not dead
