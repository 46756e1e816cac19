"""RoutedSignal, RouteCorrection and Decision: what the matcher publishes."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.signal import Partner
from signaalwissel.schemas.trajectory import Counsellor
from signaalwissel.schemas.units import Cents, Millis


class Route(StrEnum):
    """Where a signal goes."""

    COUNSELLOR_FOLLOWUP = "COUNSELLOR_FOLLOWUP"
    REGULAR_FLOW = "REGULAR_FLOW"


class Reason(StrEnum):
    """Why, as the routing topics tell it: the regular flow always reads NO_HIT."""

    RUNNING_TRAJECTORY = "RUNNING_TRAJECTORY"
    OPEN_AFTERCARE = "OPEN_AFTERCARE"
    OPEN_SERVICE = "OPEN_SERVICE"
    COMPLETED_WITHIN_WINDOW = "COMPLETED_WITHIN_WINDOW"
    NO_HIT = "NO_HIT"


class TrueReason(StrEnum):
    """Why, as the audit trail tells it (design 4)."""

    RUNNING_TRAJECTORY = "RUNNING_TRAJECTORY"
    OPEN_AFTERCARE = "OPEN_AFTERCARE"
    OPEN_SERVICE = "OPEN_SERVICE"
    COMPLETED_WITHIN_WINDOW = "COMPLETED_WITHIN_WINDOW"
    NO_TRAJECTORY = "NO_TRAJECTORY"
    COMPLETED_OUTSIDE_WINDOW = "COMPLETED_OUTSIDE_WINDOW"
    EXIT_NOT_COMPLETED = "EXIT_NOT_COMPLETED"
    ADMISSION_REFUSED = "ADMISSION_REFUSED"
    ADDRESS_ONLY_MATCH = "ADDRESS_ONLY_MATCH"
    OBJECTION = "OBJECTION"
    DECEASED = "DECEASED"


class TrajectoryStanding(StrEnum):
    """What the trajectory was to the signal."""

    RUNNING = "RUNNING"
    MONITORING = "MONITORING"
    AFTERCARE = "AFTERCARE"
    SERVICE_OPEN = "SERVICE_OPEN"
    WINDOW = "WINDOW"


class DebtTiming(StrEnum):
    """When the arrears began, seen from the trajectory (domain 8.19)."""

    BEFORE_ADMISSION = "BEFORE_ADMISSION"
    AFTER_ADMISSION = "AFTER_ADMISSION"
    AFTER_EXIT = "AFTER_EXIT"
    UNKNOWN = "UNKNOWN"


class CorrectionAction(StrEnum):
    """What the reader of a correction must do with the earlier routing."""

    MOVED = "MOVED"
    WITHDRAWN = "WITHDRAWN"
    ALSO_OFFERED = "ALSO_OFFERED"


class CorrectionCause(StrEnum):
    """What overturned the earlier routing."""

    LIFECYCLE = "LIFECYCLE"
    IDENTITY = "IDENTITY"
    NOT_REACHED = "NOT_REACHED"
    ERASED = "ERASED"


class MatchedBy(StrEnum):
    """How the resident was found (domain 8.8)."""

    BSN = "BSN"
    ADDRESS_AND_BIRTH_DATE = "ADDRESS_AND_BIRTH_DATE"
    ADDRESS = "ADDRESS"


class Evidence(StrEnum):
    """What supports an address-only match."""

    NAME = "NAME"


class Candidate(NamedTuple):
    """A client who, confirmed, would be a hit: trajectory and position (0 or 1)."""

    trajectory_id: str
    client: int


class RoutedSignal(NamedTuple):
    """A signal with its route. From `trajectory_id` on only on follow-up."""

    routing_id: str
    signal_id: str
    municipality: str
    revision: int
    route: Route
    reason: Reason
    explanation: str
    policy_version: str
    reference_date: date
    decided_at: Millis
    partner: Partner
    arrears: Cents
    arrears_since: date | None
    signalled_on: date | None
    received_at: Millis
    crisis: bool
    warm_transfer: bool
    sealed_subject: bytes
    trajectory_id: str | None = None
    trajectory_state: TrajectoryStanding | None = None
    client: int | None = None
    counsellor: Counsellor | None = None
    team: str | None = None
    window_ends_on: date | None = None
    debt_timing: DebtTiming | None = None


class RouteCorrection(NamedTuple):
    """An earlier routing is overturned; each audience gets its own half."""

    correction_id: str
    municipality: str
    partner: Partner
    signal_id: str
    revision: int
    from_routing_id: str
    action: CorrectionAction
    cause: CorrectionCause | None
    to: RoutedSignal | None


class Decision(NamedTuple):
    """One revision of one signal's decision, self-sufficient: the sink's only source about signals."""

    routing_id: str
    signal_id: str
    municipality: str
    revision: int
    route: Route
    reason: TrueReason
    explanation: str
    policy_version: str
    reference_date: date
    decided_at: Millis
    partner: Partner
    arrears: Cents
    arrears_since: date | None
    signalled_on: date | None
    received_at: Millis
    crisis: bool
    warm_transfer: bool
    sealed_subject: bytes
    trajectory_id: str | None
    trajectory_state: TrajectoryStanding | None
    client: int | None
    counsellor: Counsellor | None
    team: str | None
    window_ends_on: date | None
    debt_timing: DebtTiming | None
    matched_by: MatchedBy | None
    evidence: Evidence | None
    candidates: tuple[Candidate, ...]
    match_key: bytes
    last_day: date
    action: CorrectionAction | None
    cause: CorrectionCause | None
    caused_by_event_id: str | None
    previous_routing_id: str | None
