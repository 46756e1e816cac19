"""A decision with the tasks that it meets, and what every change of those tasks has in common (design 5).

In: a decision, tasks, policies. Out: tasks in their next version, each with the next day on which the clock must look
at it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from signaalwissel.processors.followup_ladder import past_the_team, rescheduled, scheduled
from signaalwissel.processors.followup_tasks import Report, Task, ref_of, report_of
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import Counsellor


class Situation(NamedTuple):
    """What a decision meets.

    Attributes:
        of_signal: Every task that the signal is or was in.
        of_trajectory: Every CONTACT_ON_RELAPSE task of the decision's trajectory, in order of opening.
        counsellor: Who runs that trajectory by its latest state; None where the decision alone tells.
        policies: By version, those under which these tasks were opened and whose dates they keep; for one that is
            not here the present policy stands in.
    """

    of_signal: tuple[Task, ...] = ()
    of_trajectory: tuple[Task, ...] = ()
    counsellor: Counsellor | None = None
    policies: Mapping[str, Policy] = MappingProxyType({})

    def offered(self, ref: bytes) -> bool:
        """Whether the regular flow was offered the signal by the task that holds it now.

        A signal that was with the regular flow in between was not offered as far as we know: an offer that reached
        the matcher while the signal was there did nothing. Offered again, the matcher makes nothing of a second one.
        """
        held = (report for task in self.of_signal for report in task.held if report.ref == ref)
        return any(report.offered for report in held)


class DecisionCase(NamedTuple):
    """A decision with what it meets."""

    decision: Decision
    situation: Situation
    policy: Policy

    @property
    def ref(self) -> bytes:
        """The accepted delivery."""
        return ref_of(self.decision)

    def report(self) -> Report:
        """The signal as a task takes it in: of what was before it keeps only that it was offered."""
        report = report_of(self.decision)
        return report._replace(offered=self.situation.offered(report.ref))

    def policy_of(self, task: Task) -> Policy:
        """The policy whose dates the task keeps."""
        return self.situation.policies.get(task.policy_version, self.policy)

    def changed(self, task: Task, what: StepKind, note: str) -> Task:
        """The task with one more step, in its next version, with its day for the clock."""
        step = TaskStep(self.decision.decided_at, what, None, note)
        return scheduled(task.with_step(step), self.policy_of(task)).next_version()

    def with_reports(self, task: Task, reports: Iterable[Report]) -> Task:
        """A CONTACT_ON_RELAPSE task with other signals, due when they are."""
        return rescheduled(replace(task, reports=tuple(reports)), self.policy_of(task))

    def begun(self, task: Task, ended: Task | None, note: str) -> Task:
        """A new task with the signal, or the one with that id that had ended, again.

        Args:
            task: The task as it would begin.
            ended: The task with the same id that has ended, if any; not one that is DONE.
            note: The Dutch sentence of its step.
        """
        if ended is None:
            return self.changed(replace(task, reports=(self.report(),)), StepKind.OPENED, note)
        again = reopened(task, ended, self.report(), self.policy_of(ended))
        return self.changed(again, StepKind.REOPENED, note)


def reopened(task: Task, ended: Task, report: Report, policy: Policy) -> Task:
    """The task that had ended, again: not another one beside it, as its id says.

    What was in it before stays as it was, and it goes on where it stood on its ladder.

    Args:
        task: The task as it would begin.
        ended: The one with the same id that has ended; not one that is DONE.
        report: The signal that brings it back.
        policy: The policy under which `ended` was opened; its dates go on under that one.
    """
    others = tuple(other for other in ended.reports if other.ref != report.ref)
    again = replace(
        ended,
        status=TaskStatus.OPEN,
        trajectory_id=task.trajectory_id,
        team=task.team,
        assignee=task.assignee,
        candidates=task.candidates,
        reports=(*others, report),
    )
    if task.kind is TaskKind.VERIFY_IDENTITY:
        return replace(again, due_on=task.due_on)
    if past_the_team(again, policy):
        again = replace(again, status=TaskStatus.ESCALATED, assignee=None)
    return rescheduled(again, policy)
