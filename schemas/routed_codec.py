"""RoutedSignal and Decision by hand: written once each for every signal, by the matcher.

A head, an answer and a trajectory in, bytes in wire format out. A RoutedSignal and the Decision of the same revision
differ only in what their readers may see, so what they share is encoded once; so is what is the same for every
signal of a policy.
"""

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

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

NO_TRAJECTORY: Final = NULL * 7
"""trajectory_id to debt_timing where no trajectory is known, or may be told: seven times null."""
_NOTHING_FOUND: Final = NULL * 3
"""matched_by, evidence and candidates of a signal that finds nobody."""
_FIRST_DECISION: Final = NULL * 4
"""action to previous_routing_id where nothing was decided before."""


def _symbols(enum: type[StrEnum]) -> dict[StrEnum, bytes]:
    return {member: long(index) for index, member in enumerate(enum)}


_ROUTE: Final = _symbols(Route)
_REASON: Final = _symbols(Reason)
_TRUE_REASON: Final = _symbols(TrueReason)
_STANDING: Final = _symbols(TrajectoryStanding)
_TIMING: Final = _symbols(DebtTiming)
_MATCHED_BY: Final = _symbols(MatchedBy)
_EVIDENCE: Final = _symbols(Evidence)
_ACTION: Final = _symbols(CorrectionAction)
_CAUSE: Final = _symbols(CorrectionCause)


class TrajectoryPart(NamedTuple):
    """The fields of a RoutedSignal or Decision after the carried block."""

    trajectory_id: str | None = None
    trajectory_state: TrajectoryStanding | None = None
    client: int | None = None
    counsellor: Counsellor | None = None
    team: str | None = None
    window_ends_on: date | None = None
    debt_timing: DebtTiming | None = None


class Shared:
    """What a RoutedSignal and a Decision of one revision share, encoded: before and behind the answer."""

    __slots__ = ("before", "behind")

    def __init__(self, before: bytes, behind: bytes) -> None:
        self.before = before
        self.behind = behind


def shared(
    routing_id: str,
    signal_id: str,
    municipality: str,
    revision: int,
    reference_date: date,
    decided_at: Millis,
    carried: bytes,
) -> Shared:
    """The fields that do not depend on the reader: up to the answer, and from the days to the carried block."""
    before = b"".join((string(routing_id), string(signal_id), string(municipality), long(revision)))
    return Shared(before, day(reference_date) + moment(decided_at) + carried)


@lru_cache(maxsize=1024, typed=True)
def answer(route: Route, reason: Reason | TrueReason, explanation: str, policy_version: str) -> bytes:
    """The fields before the carried block that do depend on it; `reason` is the one that the reader may see.

    A handful of combinations per policy: encoded once, not once per signal.
    """
    return (
        _ROUTE[route]
        + (_REASON if isinstance(reason, Reason) else _TRUE_REASON)[reason]
        + string(explanation)
        + string(policy_version)
    )


def write_routed_signal(revision: Shared, answered: bytes, trajectory: bytes) -> bytes:
    """A RoutedSignal in wire format.

    Args:
        revision: From `shared`.
        answered: From `answer`.
        trajectory: From `trajectory_part`, or NO_TRAJECTORY.
    """
    header = codec("RoutedSignal").header
    return b"".join((header, revision.before, answered, revision.behind, trajectory))


def write_decision(
    revision: Shared,
    answered: bytes,
    trajectory: bytes,
    found: bytes,
    match_key: bytes,
    last_day: date,
    caused: bytes,
) -> bytes:
    """A Decision in wire format.

    Args:
        revision: From `shared`.
        answered: From `answer`.
        trajectory: From `trajectory_part`, or NO_TRAJECTORY.
        found: From `finding`.
        match_key: The key that was looked at.
        last_day: The last day that counts for it.
        caused: From `cause`.
    """
    return b"".join(
        (
            codec("Decision").header,
            revision.before,
            answered,
            revision.behind,
            trajectory,
            found,
            binary(match_key),
            day(last_day),
            caused,
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


def finding(
    matched_by: MatchedBy | None, evidence: Evidence | None, candidates: tuple[Candidate, ...]
) -> bytes:
    """How a Decision came to its answer, encoded."""
    if matched_by is None and evidence is None and not candidates:
        return _NOTHING_FOUND
    listed = array([_candidate(candidate) for candidate in candidates])
    return _optional_enum(_MATCHED_BY, matched_by) + _optional_enum(_EVIDENCE, evidence) + listed


def cause(
    action: CorrectionAction | None,
    because: CorrectionCause | None,
    caused_by_event_id: str | None,
    previous_routing_id: str | None,
) -> bytes:
    """What a Decision overturned and why, encoded; nothing for the first of a signal."""
    if action is None and because is None and caused_by_event_id is None and previous_routing_id is None:
        return _FIRST_DECISION
    return b"".join(
        (
            _optional_enum(_ACTION, action),
            _optional_enum(_CAUSE, because),
            optional_string(caused_by_event_id),
            optional_string(previous_routing_id),
        )
    )


def _optional_enum(symbols: dict[StrEnum, bytes], value: StrEnum | None) -> bytes:
    return NULL if value is None else SOME + symbols[value]


def _candidate(candidate: Candidate) -> bytes:
    return string(candidate.trajectory_id) + long(candidate.client)
