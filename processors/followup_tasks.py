"""Follow-up tasks as values: what a task is, who owns it, and how it shows on `tasks`.

In: decisions, task updates, moments of the clock, policies. Out: tasks, each change one version higher with its steps
in the history. No clock: the moment of a step comes from the record that caused it, or is given.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import (
    ContactOutcome,
    TaskEvent,
    TaskKind,
    TaskSignal,
    TaskStatus,
    TaskStep,
)
from signaalwissel.schemas.internal import ResidentCommand
from signaalwissel.schemas.routing import Candidate, Decision
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.schemas.trajectory import Counsellor
from signaalwissel.schemas.units import Cents, Millis

ENDED = frozenset({TaskStatus.DONE, TaskStatus.CANCELLED, TaskStatus.EXPIRED})
"""A task with one of these needs nobody any more."""

EVENT_ITEMS_MAX = 200
"""Most signals and most steps in one event on `tasks`: with more it would outgrow what brokers carry. The
database has them all."""

_SIZE = 16
_SEPARATOR = "\x1f"


class Moment(NamedTuple):
    """Now, as whoever drives the rules says: the day in Amsterdam, and the instant that steps in histories bear."""

    today: date
    at: Millis


class Report(NamedTuple):
    """A signal in a task, with what tells a repeated report from a new arrear.

    `ref` is the accepted delivery, `match_key` the key of commands about it. `left` marks a signal that a
    correction took out of the task, `offered` one that the regular flow was offered as well: for good, whatever
    trajectory it belongs to later (domain 8.10). `late` marks a repeated report that came when the task was done: it
    counts there as long as it says again what the task was about (domain 8.14). `client` is whose arrears they are:
    the position in the trajectory, None where nobody knows.
    """

    ref: bytes
    partner_id: str
    partner_kind: PartnerKind
    signal_id: str
    received_at: Millis
    routing_id: str
    match_key: bytes
    arrears: Cents
    arrears_since: date | None
    last_day: date
    crisis: bool
    repeated: bool = False
    left: bool = False
    offered: bool = False
    late: bool = False
    client: int | None = None


class Owner(NamedTuple):
    """Who answers for a task: a counsellor, or nobody in person and the team (domain 8.7)."""

    assignee: str | None
    team: str


class Command(NamedTuple):
    """A command to the matcher, and the match key under which it is sent."""

    match_key: bytes
    command: ResidentCommand


class Outcome(NamedTuple):
    """What one record changes: tasks in their new version, and commands that follow from it."""

    tasks: tuple["Task", ...] = ()
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A follow-up task.

    Attributes:
        opened_on: The day from which the task counts: of a relapse and a verification the day of receipt of its first
            signal, of the others the day of opening.
        next_on: The next day on which the clock must act on it, which may have come already; None when it ended.
        policy_version: The policy under which it was opened; its dates go on under that one.
        rung: How many steps of its ladder are behind it (`followup_ladder`).
        version: 0 before the first state is published; rises by one with each record that changes the task.
        reports: Every signal that ever was in it, in order of arrival.
        candidates: VERIFY_IDENTITY only: who is not refuted yet.
        outcome: What came of it, as the update that ended it as DONE said.
    """

    task_id: str
    kind: TaskKind
    municipality: str
    trajectory_id: str | None
    team: str
    due_on: date
    opened_on: date
    policy_version: str
    next_on: date | None = None
    rung: int = 0
    assignee: str | None = None
    status: TaskStatus = TaskStatus.OPEN
    version: int = 0
    reports: tuple[Report, ...] = ()
    history: tuple[TaskStep, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    outcome: ContactOutcome | None = None

    @property
    def ended(self) -> bool:
        """Whether nobody needs to do anything any more."""
        return self.status in ENDED

    @property
    def held(self) -> tuple[Report, ...]:
        """The signals that the task is about now."""
        return tuple(report for report in self.reports if not report.left)

    @property
    def attended(self) -> tuple[Report, ...]:
        """The signals among them that did not come too late for the contact."""
        return tuple(report for report in self.held if not report.late)

    def knows(self, ref: bytes) -> bool:
        """Whether the signal is, or was, in this task."""
        return any(report.ref == ref for report in self.reports)

    def was_about(self, ref: bytes) -> bool:
        """Whether the signal is, or was, in this task in time for the contact."""
        return any(report.ref == ref and not report.late for report in self.reports)

    def holds(self, ref: bytes) -> bool:
        """Whether the task is about this signal now."""
        return any(report.ref == ref and not report.left for report in self.reports)

    def with_step(self, step: TaskStep) -> "Task":
        """The task with one more step in its history."""
        return replace(self, history=(*self.history, step))

    def next_version(self) -> "Task":
        """The task as one more version, to be published."""
        return replace(self, version=self.version + 1)

    def ending(self, status: TaskStatus) -> "Task":
        """The task ended: the clock has nothing to do for it any more."""
        return replace(self, status=status, next_on=None)

    def event(self) -> TaskEvent:
        """The task as it shows on `tasks`; beyond EVENT_ITEMS_MAX only the latest signals and steps."""
        signals = tuple(
            TaskSignal(r.partner_id, r.signal_id, r.received_at, r.routing_id, r.repeated) for r in self.held
        )
        return TaskEvent(
            task_id=self.task_id,
            version=self.version,
            kind=self.kind,
            status=self.status,
            trajectory_id=self.trajectory_id,
            municipality=self.municipality,
            assignee=self.assignee,
            team=self.team,
            due_on=self.due_on,
            signals=signals[-EVENT_ITEMS_MAX:],
            history=self.history[-EVENT_ITEMS_MAX:],
        )


def report_of(decision: Decision) -> Report:
    """The signal of a decision as a task keeps it."""
    return Report(
        ref=ref_of(decision),
        partner_id=decision.partner.partner_id,
        partner_kind=decision.partner.kind,
        signal_id=decision.signal_id,
        received_at=decision.received_at,
        routing_id=decision.routing_id,
        match_key=decision.match_key,
        arrears=decision.arrears,
        arrears_since=decision.arrears_since,
        last_day=decision.last_day,
        crisis=decision.crisis,
        client=decision.client,
    )


def ref_of(decision: Decision) -> bytes:
    """The accepted delivery that a decision is about."""
    return signal_ref(
        decision.municipality, decision.partner.partner_id, decision.signal_id, decision.received_at
    )


def relapse_task_id(municipality: str, trajectory_id: str, opened_by: bytes) -> str:
    """The id of a CONTACT_ON_RELAPSE task: municipality, trajectory and the signal that opened it."""
    return "relapse-" + _digest(municipality, trajectory_id, opened_by.hex())


def identity_task_id(municipality: str, signal: bytes, earlier: int) -> str:
    """The id of a VERIFY_IDENTITY task: municipality and signal.

    `earlier` counts the signal's verifications that are done: a done task is never reopened, so candidates who
    turn up after it get a task of their own.
    """
    return "identity-" + _digest(municipality, signal.hex(), *([str(earlier)] if earlier else []))


def command_id(task_id: str, update_id: str) -> str:
    """The id of the command that a task update leads to."""
    return "command-" + _digest(task_id, update_id)


def offer_command_id(task_id: str, routing_id: str) -> str:
    """The id of the command that offers a signal of a task to the regular flow.

    By the decision that brought the signal into the task: one that went to the regular flow and came back may have to
    be offered anew, and the matcher drops a command whose id it has seen.
    """
    return "offer-" + _digest(task_id, routing_id)


def owner_of(counsellor: Counsellor | None, team: str | None, policy: Policy) -> Owner:
    """Who answers for a trajectory's task (domain 8.7): never an administrator, never nobody.

    Args:
        counsellor: Who runs the trajectory, if known.
        team: The team to fall back on where no counsellor is known.
        policy: Says who is gone, outsourced or an administrator (bewindvoerder).
    """
    default = policy.teams.default
    if counsellor is None:
        return Owner(None, team or default)
    if counsellor.counsellor_id in policy.teams.unavailable | policy.teams.administrators:
        return Owner(None, default)
    return Owner(counsellor.counsellor_id, team or counsellor.team or default)


def _digest(*parts: str) -> str:
    # The unit separator keeps "a" + "bc" and "ab" + "c" apart.
    text = _SEPARATOR.join(parts)
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"task").hexdigest()
