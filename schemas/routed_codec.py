"""RoutedSignal and Decision by hand: written once each for every signal, by the matcher.

A head, the carried block and a tail in, bytes in wire format out. What is the same for every signal of a policy is
encoded once.
"""

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.primitives import (
    NULL,
    SOME,
    array,
    binary,
    day,
    long,
    optional_day,
    optional_long,
    optional_string,
    string,
)
from signaalwissel.schemas.routing import (
    Candidate,
    CorrectionAction,
    CorrectionCause,
    DebtTiming,
    Evidence,
    MatchedBy,
    Reason,
    Route,
    TrajectoryStanding,
    TrueReason,
)
from signaalwissel.schemas.trajectory import Counsellor
from signaalwissel.schemas.units import Millis

_REGULAR_TAIL = NULL * 7
"""trajectory_id to debt_timing on the regular side: seven times null."""


def _symbols(enum: type[StrEnum]) -> dict[StrEnum, bytes]:
    return {member: long(index) for index, member in enumerate(enum)}


_ROUTE = _symbols(Route)
_REASON = _symbols(Reason)
_TRUE_REASON = _symbols(TrueReason)
_STANDING = _symbols(TrajectoryStanding)
_TIMING = _symbols(DebtTiming)
_MATCHED_BY = _symbols(MatchedBy)
_EVIDENCE = _symbols(Evidence)
_ACTION = _symbols(CorrectionAction)
_CAUSE = _symbols(CorrectionCause)


class RoutingHead(NamedTuple):
    """The fields of a RoutedSignal or Decision before the carried block; `reason` is the one its reader may see."""

    routing_id: str
    signal_id: str
    municipality: str
    revision: int
    route: Route
    reason: Reason | TrueReason
    explanation: str
    policy_version: str
    reference_date: date
    decided_at: Millis


class TrajectoryPart(NamedTuple):
    """The fields of a RoutedSignal or Decision after the carried block."""

    trajectory_id: str | None = None
    trajectory_state: TrajectoryStanding | None = None
    client: int | None = None
    counsellor: Counsellor | None = None
    team: str | None = None
    window_ends_on: date | None = None
    debt_timing: DebtTiming | None = None


class AuditPart(NamedTuple):
    """The fields that only a Decision has."""

    matched_by: MatchedBy | None
    evidence: Evidence | None
    candidates: tuple[Candidate, ...]
    match_key: bytes
    last_day: date
    action: CorrectionAction | None
    cause: CorrectionCause | None
    caused_by_event_id: str | None
    previous_routing_id: str | None


NO_TRAJECTORY_PART = TrajectoryPart()


def write_routed_signal(head: RoutingHead, carried: bytes, trajectory: TrajectoryPart) -> bytes:
    """A RoutedSignal in wire format."""
    return codec("RoutedSignal").header + _routed_body(head, carried, trajectory)


def write_decision(head: RoutingHead, carried: bytes, trajectory: TrajectoryPart, audit: AuditPart) -> bytes:
    """A Decision in wire format."""
    return b"".join(
        (
            codec("Decision").header,
            _routed_body(head, carried, trajectory),
            _optional_enum(_MATCHED_BY, audit.matched_by),
            _optional_enum(_EVIDENCE, audit.evidence),
            array([_candidate(candidate) for candidate in audit.candidates]),
            binary(audit.match_key),
            day(audit.last_day),
            _optional_enum(_ACTION, audit.action),
            _optional_enum(_CAUSE, audit.cause),
            optional_string(audit.caused_by_event_id),
            optional_string(audit.previous_routing_id),
        )
    )


def _routed_body(head: RoutingHead, carried: bytes, trajectory: TrajectoryPart) -> bytes:
    return b"".join(
        (
            string(head.routing_id),
            string(head.signal_id),
            string(head.municipality),
            long(head.revision),
            _why(head.route, head.reason, head.explanation, head.policy_version),
            day(head.reference_date),
            long(head.decided_at),
            carried,
            _REGULAR_TAIL if trajectory is NO_TRAJECTORY_PART else _trajectory_part(trajectory),
        )
    )


@lru_cache(maxsize=1024, typed=True)
def _why(route: Route, reason: Reason | TrueReason, explanation: str, policy_version: str) -> bytes:
    # A handful of combinations per policy: encoded once, not once per signal.
    return (
        _ROUTE[route]
        + (_REASON if isinstance(reason, Reason) else _TRUE_REASON)[reason]
        + string(explanation)
        + string(policy_version)
    )


def _trajectory_part(part: TrajectoryPart) -> bytes:
    counsellor = part.counsellor
    return b"".join(
        (
            optional_string(part.trajectory_id),
            _optional_enum(_STANDING, part.trajectory_state),
            optional_long(part.client),
            NULL if counsellor is None else SOME + string(counsellor.counsellor_id) + string(counsellor.team),
            optional_string(part.team),
            optional_day(part.window_ends_on),
            _optional_enum(_TIMING, part.debt_timing),
        )
    )


def _optional_enum(symbols: dict[StrEnum, bytes], value: StrEnum | None) -> bytes:
    return NULL if value is None else SOME + symbols[value]


def _candidate(candidate: Candidate) -> bytes:
    return string(candidate.trajectory_id) + long(candidate.client)
