"""What single pages show beside the work list: a task, a trajectory, hits that nobody reached, who looked.

Flows in: a connection that sees somebody's municipalities. Flows out: plain values. Nothing of a person is in them but
in `sealed_of`, whose seal stays closed here.
"""

from dataclasses import dataclass
from datetime import date, datetime

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.schemas.trajectory import Counsellor
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import task_store
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.journey import DeliveryJourney
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.tables import decisions, trajectories
from signaalwissel.sinks.timekeeping import DatabaseTime
from sqlalchemy import Connection, select, text

_LOOKS = text(
    """
    SELECT at, kind, actor FROM audit_events
    WHERE trace_id = :trace_id AND municipality = :municipality
    ORDER BY event_id DESC LIMIT :most
    """
)
_LATE = text(
    """
    SELECT task_id, municipality, trajectory_id, assignee, team, due_on, opened_on FROM tasks
    WHERE municipality = :municipality AND status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
        AND kind = 'CONTACT_ON_RELAPSE' AND due_on < :today
    ORDER BY due_on, task_id LIMIT :most
    """
)
_NOTICES = text(
    """
    SELECT kind, occurred_on, due_on, feedback FROM notices
    WHERE municipality = :municipality AND (
        addressee = :partner AND signal_id = :signal OR trajectory_id = ANY(:trajectories) AND signal_id IS NULL
    )
    ORDER BY occurred_on, notice_id
    """
)
LATE_MAX = 200
"""Late hits of one municipality on a page."""


@dataclass(frozen=True, slots=True)
class SealedRow:
    """As much of a decision as opening its seal takes."""

    routing_id: str
    signal_id: str
    municipality: str
    partner: Partner
    received_at: Millis
    sealed_subject: bytes


@dataclass(frozen=True, slots=True)
class Dossier:
    """A trajectory: whose it is, its facts, and its tasks in the order in which they opened."""

    key: TrajectoryKey
    counsellor: Counsellor | None
    state: TrajectoryState | None
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody did something with the data of a signal; `actor` is an opaque id."""

    at: datetime
    kind: str
    actor: str


@dataclass(frozen=True, slots=True)
class SignalNotice:
    """What partner or resident was told about a signal."""

    kind: str
    occurred_on: date
    due_on: date | None
    feedback: str | None


@dataclass(frozen=True, slots=True)
class LateHit:
    """A hit whose resident was not reached within the term."""

    task_id: str
    municipality: str
    trajectory_id: str | None
    assignee: str | None
    team: str
    due_on: date
    opened_on: date


def task_of(connection: Connection, task_id: str) -> Task | None:
    """A task with its signals and history, or None where this connection sees none."""
    return next(iter(task_store.by_ids(connection, [task_id])), None)


def policy_of(connection: Connection, task: Task, policies: Policies) -> Policy:
    """The policy under which a task goes on."""
    shelf = PolicyShelf(policies)
    return shelf.versions(connection, [task]).get(task.policy_version) or policies[task.municipality]


def sealed_of(connection: Connection, routing_id: str) -> SealedRow | None:
    """The seal of a decision; None where there is no decision, or its seal was erased."""
    statement = select(
        decisions.c.signal_id,
        decisions.c.municipality,
        decisions.c.partner_id,
        decisions.c.partner_kind,
        decisions.c.received_at,
        decisions.c.sealed_subject,
    ).where(decisions.c.routing_id == routing_id)
    row = connection.execute(statement).first()
    if row is None or row.sealed_subject is None:
        return None
    return SealedRow(
        routing_id=routing_id,
        signal_id=row.signal_id,
        municipality=row.municipality,
        partner=Partner(row.partner_id, PartnerKind(row.partner_kind)),
        received_at=millis_of(row.received_at),
        sealed_subject=bytes(row.sealed_subject),
    )


def dossier_of(connection: Connection, key: TrajectoryKey) -> Dossier | None:
    """A trajectory, or None where neither its state nor a task is seen."""
    row = connection.execute(
        select(trajectories.c.counsellor_id, trajectories.c.counsellor_team, trajectories.c.state).where(
            trajectories.c.municipality == key.municipality, trajectories.c.trajectory_id == key.trajectory_id
        )
    ).first()
    tasks = task_store.load(connection, task_store.Wanted(trajectories=[key]))
    if row is None and not tasks:
        return None
    counsellor = None
    state = None
    if row is not None:
        state = read_trajectory_state(bytes(row.state))
        if row.counsellor_id is not None:
            counsellor = Counsellor(row.counsellor_id, row.counsellor_team)
    return Dossier(
        key, counsellor, state, tuple(sorted(tasks, key=lambda task: (task.opened_on, task.task_id)))
    )


def looks_at(connection: Connection, trace_id: bytes, municipality: str, most: int = 50) -> list[Look]:
    """Who looked at a signal or opened its seal, the latest first."""
    given = {"trace_id": trace_id, "municipality": municipality, "most": most}
    return [Look(*row) for row in connection.execute(_LOOKS, given)]


def notices_about(connection: Connection, delivery: DeliveryJourney) -> list[SignalNotice]:
    """What its partner was told about a signal, and the residents of the trajectories that it was tested against."""
    given = {
        "municipality": delivery.municipality,
        "partner": delivery.partner_id,
        "signal": delivery.signal_id,
        "trajectories": [one.trajectory_id for one in delivery.decisions if one.trajectory_id is not None],
    }
    return [SignalNotice(*row) for row in connection.execute(_NOTICES, given)]


def late_hits(connection: Connection, municipality: str, today: date, most: int = LATE_MAX) -> list[LateHit]:
    """Hits of a municipality whose term for the first contact has passed, the oldest first."""
    given = {"municipality": municipality, "today": today, "most": most}
    return [LateHit(*row) for row in connection.execute(_LATE, given)]


def now_of(connection: Connection) -> Millis:
    """The present instant by the database's clock, which is that of the deadlines."""
    return DatabaseTime().now(connection)
