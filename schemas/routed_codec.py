"""RoutedSignal and Decision by hand: written once each for every signal, by the matcher.

A head, an answer and a trajectory in, bytes in wire format out. A RoutedSignal and the Decision of the same revision
differ only in what their readers may see, so what they share is encoded once; so is what is the same for every
signal of a policy.
"""

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.counsellor_codec import optional_counsellor
from signaalwissel.schemas.primitives import (
    NULL,
    SOME,
    array,
    binary,
    day,
    long,
    moment,
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

NO_TRAJECTORY = NULL * 7
"""trajectory_id to debt_timing where no trajectory is known, or may be told: seven times null."""
_NOTHING_FOUND = NULL * 3
"""matched_by, evidence and candidates of a signal that finds nobody."""
_FIRST_DECISION = NULL * 4
"""action to previous_routing_id where nothing was decided before."""
_UNCHANGED = (None,) * 4


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
    """The fields of a RoutedSignal or Decision before the carried block that do not depend on the reader."""

    routing_id: str
    signal_id: str
    municipality: str
    revision: int
    reference_date: date
    decided_at: Millis


class Answer(NamedTuple):
    """The fields before the carried block that do; `reason` is the one that the reader may see."""

    route: Route
    reason: Reason | TrueReason
    explanation: str
    policy_version: str


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


class Shared(NamedTuple):
    """What a RoutedSignal and a Decision of one revision share, encoded: before and behind the answer."""

    before: bytes
    behind: bytes


def shared(head: RoutingHead, carried: bytes) -> Shared:
    """What every record of a revision begins with: the head, the carried block."""
    before = b"".join(
        (
            string(head.routing_id),
            string(head.signal_id),
            string(head.municipality),
            long(head.revision),
        )
    )
    return Shared(before, day(head.reference_date) + moment(head.decided_at) + carried)


def write_routed_signal(revision: Shared, answer: Answer, trajectory: bytes) -> bytes:
    """A RoutedSignal in wire format; `trajectory` is a `trajectory_part` or NO_TRAJECTORY."""
    header = codec("RoutedSignal").header
    return b"".join((header, revision.before, _answer(*answer), revision.behind, trajectory))


def write_decision(revision: Shared, answer: Answer, trajectory: bytes, audit: AuditPart) -> bytes:
    """A Decision in wire format; `trajectory` is a `trajectory_part` or NO_TRAJECTORY."""
    return b"".join(
        (
            codec("Decision").header,
            revision.before,
            _answer(*answer),
            revision.behind,
            trajectory,
            _finding(audit),
            binary(audit.match_key),
            day(audit.last_day),
            _cause(audit),
        )
    )


def trajectory_part(part: TrajectoryPart) -> bytes:
    """The fields of a RoutedSignal or Decision after the carried block, encoded."""
    return b"".join(
        (
            optional_string(part.trajectory_id),
            _optional_enum(_STANDING, part.trajectory_state),
            optional_long(part.client),
            optional_counsellor(part.counsellor),
            optional_string(part.team),
            optional_day(part.window_ends_on),
            _optional_enum(_TIMING, part.debt_timing),
        )
    )


@lru_cache(maxsize=1024, typed=True)
def _answer(route: Route, reason: Reason | TrueReason, explanation: str, policy_version: str) -> bytes:
    # A handful of combinations per policy: encoded once, not once per signal.
    return (
        _ROUTE[route]
        + (_REASON if isinstance(reason, Reason) else _TRUE_REASON)[reason]
        + string(explanation)
        + string(policy_version)
    )


def _finding(audit: AuditPart) -> bytes:
    if audit.matched_by is None and audit.evidence is None and not audit.candidates:
        return _NOTHING_FOUND
    candidates = array([_candidate(candidate) for candidate in audit.candidates])
    return (
        _optional_enum(_MATCHED_BY, audit.matched_by) + _optional_enum(_EVIDENCE, audit.evidence) + candidates
    )


def _cause(audit: AuditPart) -> bytes:
    changed = (audit.action, audit.cause, audit.caused_by_event_id, audit.previous_routing_id)
    if changed == _UNCHANGED:
        return _FIRST_DECISION
    return b"".join(
        (
            _optional_enum(_ACTION, audit.action),
            _optional_enum(_CAUSE, audit.cause),
            optional_string(audit.caused_by_event_id),
            optional_string(audit.previous_routing_id),
        )
    )


def _optional_enum(symbols: dict[StrEnum, bytes], value: StrEnum | None) -> bytes:
    return NULL if value is None else SOME + symbols[value]


def _candidate(candidate: Candidate) -> bytes:
    return string(candidate.trajectory_id) + long(candidate.client)
