"""TrajectoryEvent: what a case system publishes on `trajectories`."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.units import Millis


class TrajectoryEventKind(StrEnum):
    """What happened to a debt-help trajectory."""

    APPLIED = "APPLIED"
    ADMITTED = "ADMITTED"
    REFUSED = "REFUSED"
    PLAN_ADOPTED = "PLAN_ADOPTED"
    STABILISATION_STARTED = "STABILISATION_STARTED"
    SETTLEMENT_STARTED = "SETTLEMENT_STARTED"
    SOLUTION_STARTED = "SOLUTION_STARTED"
    SERVICE_OPENED = "SERVICE_OPENED"
    SERVICE_CLOSED = "SERVICE_CLOSED"
    MONITORING_STARTED = "MONITORING_STARTED"
    MONITORING_ENDED = "MONITORING_ENDED"
    AFTERCARE_STARTED = "AFTERCARE_STARTED"
    AFTERCARE_ENDED = "AFTERCARE_ENDED"
    EXITED = "EXITED"
    REOPENED = "REOPENED"
    COUNSELLOR_ASSIGNED = "COUNSELLOR_ASSIGNED"
    CLIENT_CHANGED = "CLIENT_CHANGED"
    RESIDENT_INFORMED = "RESIDENT_INFORMED"
    OBJECTION_LODGED = "OBJECTION_LODGED"
    OBJECTION_WITHDRAWN = "OBJECTION_WITHDRAWN"
    WITHDRAWN_IN_ERROR = "WITHDRAWN_IN_ERROR"
    ERASED = "ERASED"


class ExitReason(StrEnum):
    """Reason of exit (uitstroomreden in DDAS)."""

    COMPLETED = "COMPLETED"
    SELF = "SELF"
    WITHDRAWN = "WITHDRAWN"
    NO_SHOW = "NO_SHOW"
    NOT_SUITABLE = "NOT_SUITABLE"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    MOVED = "MOVED"
    DECEASED = "DECEASED"
    OTHER = "OTHER"


class Service(StrEnum):
    """A service beside the trajectory (begeleiding in DDAS)."""

    BUDGET_COACHING = "BUDGET_COACHING"
    BUDGET_MANAGEMENT = "BUDGET_MANAGEMENT"
    PROTECTIVE_ADMINISTRATION = "PROTECTIVE_ADMINISTRATION"
    LONG_TERM_GUIDANCE = "LONG_TERM_GUIDANCE"
    BUDGET_GUIDANCE = "BUDGET_GUIDANCE"


class Solution(StrEnum):
    """Kind of debt solution (oplossing in DDAS)."""

    PAYMENT_PLAN = "PAYMENT_PLAN"
    REFINANCING = "REFINANCING"
    RESTRUCTURING_LOAN = "RESTRUCTURING_LOAN"
    MEDIATION = "MEDIATION"
    ZERO_OFFER = "ZERO_OFFER"


class Counsellor(NamedTuple):
    """A counsellor (schuldhulpverlener); never an administrator (bewindvoerder)."""

    counsellor_id: str
    team: str


class TrajectoryEvent(NamedTuple):
    """A lifecycle event of a debt-help trajectory (schuldhulptraject)."""

    event_id: str
    trajectory_id: str
    municipality: str
    sequence: int
    occurred_on: date
    recorded_at: Millis
    kind: TrajectoryEventKind
    clients: tuple[Subject, ...] = ()
    counsellor: Counsellor | None = None
    exit_reason: ExitReason | None = None
    service: Service | None = None
    solution: Solution | None = None
    entrepreneur: bool | None = None


class SealedClients(NamedTuple):
    """What stands inside intake's sealed identity: the clients of one event."""

    clients: tuple[Subject, ...]
