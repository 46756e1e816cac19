"""Decisions, policies and tasks for the tests of the follow-up rules."""

from datetime import UTC, date, datetime
from typing import Any

from signaalwissel.processors.followup_case import Situation
from signaalwissel.processors.followup_clock import tick
from signaalwissel.processors.followup_decisions import follow
from signaalwissel.processors.followup_tasks import Command, Moment, Outcome, Task, ref_of
from signaalwissel.processors.followup_updates import apply_update
from signaalwissel.processors.identifiers import routing_id, signal_ref
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_sections import Retention, RetentionPeriod, Teams
from signaalwissel.schemas.followup import TaskKind, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.routing import (
    Candidate,
    CorrectionAction,
    CorrectionCause,
    DebtTiming,
    Decision,
    Evidence,
    MatchedBy,
    Route,
    TrajectoryStanding,
    TrueReason,
)
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.schemas.trajectory import Counsellor

MUNICIPALITY = "0344"
COUNSELLOR = Counsellor("b-17", "team-noord")
KEEP = RetentionPeriod(months=60, justification="Vijf jaar, voor deze tests.")
POLICY = Policy(
    teams=Teams(
        default="wijkteam", unavailable=frozenset({"b-weg"}), administrators=frozenset({"bewindvoerder-1"})
    ),
    retention=Retention(trajectory=KEEP, trajectory_of_entrepreneur=KEEP, signal=KEEP),
)


def at_noon(day: date) -> int:
    """Noon in UTC, in milliseconds: the same day in Amsterdam."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)


def decision(signal_id: str = "s-1", *, received_on: date = date(2026, 3, 2), **changes: Any) -> Decision:
    """A hit on trajectory T-1 for rent arrears, with `changes`."""
    received_at = at_noon(received_on)
    partner = changes.pop("partner", Partner("woonstad", PartnerKind.RENT))
    revision = changes.get("revision", 0)
    ref = signal_ref(MUNICIPALITY, partner.partner_id, signal_id, received_at)
    fields: dict[str, Any] = {
        "routing_id": routing_id(ref, revision),
        "signal_id": signal_id,
        "municipality": MUNICIPALITY,
        "revision": revision,
        "route": Route.COUNSELLOR_FOLLOWUP,
        "reason": TrueReason.RUNNING_TRAJECTORY,
        "explanation": "Er loopt een traject.",
        "policy_version": POLICY.version,
        "reference_date": received_on,
        "decided_at": received_at + 1000,
        "partner": partner,
        "arrears": 50_000,
        "arrears_since": date(2026, 1, 1),
        "signalled_on": received_on,
        "received_at": received_at,
        "crisis": False,
        "warm_transfer": False,
        "sealed_subject": b"sealed",
        "trajectory_id": "T-1",
        "trajectory_state": TrajectoryStanding.RUNNING,
        "client": 0,
        "counsellor": COUNSELLOR,
        "team": COUNSELLOR.team,
        "window_ends_on": None,
        "debt_timing": DebtTiming.UNKNOWN,
        "matched_by": MatchedBy.BSN,
        "evidence": None,
        "candidates": (),
        "match_key": b"k" * 33,
        "last_day": received_on,
        "action": None,
        "cause": None,
        "caused_by_event_id": None,
        "previous_routing_id": None,
    }
    return Decision(**{**fields, **changes})


REGULAR: dict[str, Any] = {
    "route": Route.REGULAR_FLOW,
    "reason": TrueReason.NO_TRAJECTORY,
    "trajectory_id": None,
    "trajectory_state": None,
    "client": None,
    "counsellor": None,
    "team": None,
    "debt_timing": None,
}
"""What makes a decision a regular one."""


def regular(signal_id: str = "s-1", **changes: Any) -> Decision:
    """A decision for the regular flow."""
    return decision(signal_id, **{**REGULAR, **changes})


def to_regular(signal_id: str = "s-1", revision: int = 1, **changes: Any) -> Decision:
    """A correction: the hit is overturned."""
    correction: dict[str, Any] = {"action": CorrectionAction.MOVED, "cause": CorrectionCause.LIFECYCLE}
    return regular(signal_id, revision=revision, **{**correction, **changes})


def address_only(
    signal_id: str = "s-1",
    candidates: tuple[Candidate, ...] = (Candidate("T-1", 0), Candidate("T-2", 1)),
    *,
    named: bool = False,
    **changes: Any,
) -> Decision:
    """Somebody lives there who would be a hit; nobody knows whether it is the resident."""
    return regular(
        signal_id,
        reason=TrueReason.ADDRESS_ONLY_MATCH,
        matched_by=MatchedBy.ADDRESS,
        candidates=candidates,
        evidence=Evidence.NAME if named else None,
        **changes,
    )


def update(kind: TaskUpdateKind, task_id: str = "task", **changes: Any) -> TaskUpdate:
    """A report about a task."""
    fields: dict[str, Any] = {
        "update_id": "u-1",
        "task_id": task_id,
        "occurred_at": at_noon(date(2026, 3, 5)),
        "kind": kind,
        "trajectory_id": None,
        "client": None,
        "channel": None,
        "reached": None,
        "outcome": None,
        "by": "b-17",
    }
    return TaskUpdate(**{**fields, **changes})


def moment(today: date) -> Moment:
    """Noon of a day."""
    return Moment(today, at_noon(today))


class Desk:
    """All tasks, kept as the sink keeps them, without a database."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.tasks: dict[str, Task] = {}
        self.commands: list[Command] = []
        self.counsellor: Counsellor | None = None
        self._policy = policy

    def follow(self, *decisions: Decision) -> tuple[Task, ...]:
        """Let decisions work one after the other; gives what the last one changed."""
        changed: tuple[Task, ...] = ()
        for made in decisions:
            of_trajectory = tuple(
                task
                for task in self.tasks.values()
                if task.kind is TaskKind.CONTACT_ON_RELAPSE and task.trajectory_id == made.trajectory_id
            )
            of_signal = tuple(task for task in self.tasks.values() if task.knows(ref_of(made)))
            changed = follow(made, Situation(of_signal, of_trajectory, self.counsellor), self._policy)
            self.put(*changed)
        return changed

    def tick(self, today: date) -> tuple[Task, ...]:
        """Let the clock work on every task that it is due for; gives what changed."""
        changed: tuple[Task, ...] = ()
        for task in list(self.tasks.values()):
            if task.next_on is not None and task.next_on <= today:
                changed += self.take(tick(task, moment(today), self._policy))
        return changed

    def update(self, reported: TaskUpdate) -> tuple[Task, ...]:
        """Let a task update work; gives what it changed."""
        return self.take(apply_update(reported, self.tasks.get(reported.task_id), self._policy))

    def take(self, outcome: Outcome) -> tuple[Task, ...]:
        """Keep what a rule gave."""
        self.put(*outcome.tasks)
        self.commands.extend(outcome.commands)
        return outcome.tasks

    def put(self, *tasks: Task) -> None:
        """Keep tasks; each is one version higher than what was kept of it."""
        for task in tasks:
            before = self.tasks.get(task.task_id)
            assert task.version == (before.version if before else 0) + 1
            self.tasks[task.task_id] = task

    @property
    def only(self) -> Task:
        """The one task that there is."""
        (task,) = self.tasks.values()
        return task
