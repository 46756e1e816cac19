"""Reads Decision by hand: once for every decision, in the sink.

Bytes in wire format in, value object out: what the generic codec gives for the committed schema
(tests/schemas/test_decision_codec.py holds it to that), in a fraction of the time.
"""

from datetime import date
from typing import Final

from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.counsellor_codec import read_optional_counsellor
from signaalwissel.schemas.early_signal_codec import read_arrears, read_partner
from signaalwissel.schemas.primitives import (
    read_array,
    read_binary,
    read_boolean,
    read_day,
    read_int,
    read_moment,
    read_optional_day,
    read_optional_int,
    read_optional_string,
    read_optional_symbol,
    read_string,
    read_symbol,
)
from signaalwissel.schemas.recent_signal_codec import read_candidate
from signaalwissel.schemas.routed_codec import NO_TRAJECTORY, TrajectoryPart
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

AuditPart = tuple[
    MatchedBy | None,
    Evidence | None,
    tuple[Candidate, ...],
    bytes,
    date,
    CorrectionAction | None,
    CorrectionCause | None,
    str | None,
    str | None,
]
"""The fields that only a Decision has, from matched_by to previous_routing_id."""

_ROUTES: Final = tuple(Route)
_REASONS: Final = tuple(TrueReason)
_STANDINGS: Final = tuple(TrajectoryStanding)
_TIMINGS: Final = tuple(DebtTiming)
_MATCHED_BY: Final = tuple(MatchedBy)
_EVIDENCE: Final = tuple(Evidence)
_ACTIONS: Final = tuple(CorrectionAction)
_CAUSES: Final = tuple(CorrectionCause)
_NOBODY: Final = TrajectoryPart()


def read_decision(data: bytes) -> Decision:
    """A Decision in wire format, any committed version.

    Raises:
        NotWireFormat, UnknownSchemaId, DoesNotFit: As `Codec.decode`.
    """
    generic: Codec[Decision] = codec("Decision")
    return generic.decode_by_hand(data, _read_decision)


def _read_decision(data: bytes, at: int) -> tuple[Decision, int]:
    routing_id, at = read_string(data, at)
    signal_id, at = read_string(data, at)
    municipality, at = read_string(data, at)
    revision, at = read_int(data, at)
    route, at = read_symbol(data, at, _ROUTES)
    reason, at = read_symbol(data, at, _REASONS)
    explanation, at = read_string(data, at)
    policy_version, at = read_string(data, at)
    reference_date, at = read_day(data, at)
    decided_at, at = read_moment(data, at)
    partner, at = read_partner(data, at)
    arrears, at = read_arrears(data, at)
    arrears_since, at = read_optional_day(data, at)
    signalled_on, at = read_optional_day(data, at)
    received_at, at = read_moment(data, at)
    crisis, at = read_boolean(data, at)
    warm_transfer, at = read_boolean(data, at)
    sealed_subject, at = read_binary(data, at)
    trajectory, at = _read_trajectory_part(data, at)
    audit, at = _read_audit_part(data, at)
    fields = (
        routing_id,
        signal_id,
        municipality,
        revision,
        route,
        reason,
        explanation,
        policy_version,
        reference_date,
        decided_at,
        partner,
        arrears,
        arrears_since,
        signalled_on,
        received_at,
        crisis,
        warm_transfer,
        sealed_subject,
        *trajectory,
        *audit,
    )
    return Decision._make(fields), at


def _read_trajectory_part(data: bytes, at: int) -> tuple[TrajectoryPart, int]:
    if data[at : at + len(NO_TRAJECTORY)] == NO_TRAJECTORY:
        # Most signals know no trajectory.
        return _NOBODY, at + len(NO_TRAJECTORY)
    trajectory_id, at = read_optional_string(data, at)
    state, at = read_optional_symbol(data, at, _STANDINGS)
    client, at = read_optional_int(data, at)
    counsellor, at = read_optional_counsellor(data, at)
    team, at = read_optional_string(data, at)
    window_ends_on, at = read_optional_day(data, at)
    timing, at = read_optional_symbol(data, at, _TIMINGS)
    return TrajectoryPart(trajectory_id, state, client, counsellor, team, window_ends_on, timing), at


def _read_audit_part(data: bytes, at: int) -> tuple[AuditPart, int]:
    matched_by, at = read_optional_symbol(data, at, _MATCHED_BY)
    evidence, at = read_optional_symbol(data, at, _EVIDENCE)
    candidates, at = read_array(data, at, read_candidate)
    match_key, at = read_binary(data, at)
    last_day, at = read_day(data, at)
    action, at = read_optional_symbol(data, at, _ACTIONS)
    cause, at = read_optional_symbol(data, at, _CAUSES)
    caused_by, at = read_optional_string(data, at)
    previous, at = read_optional_string(data, at)
    audit = (matched_by, evidence, candidates, match_key, last_day, action, cause, caused_by, previous)
    return audit, at
