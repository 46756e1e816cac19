"""Routing records: what the two audiences and the audit trail read of one revision (design 2, 4).

In: a signal, its verdict, the revision. Out: records in wire format. Nothing on the regular side tells of a
trajectory: its record is built from the signal alone, so there is nothing to leave out.
"""

from typing import Final

from signaalwissel.processors.decision import Verdict
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    DECISIONS,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
    Emission,
)
from signaalwissel.processors.explanations import explain, regular_reason
from signaalwissel.processors.identifiers import (
    Audience,
    correction_id,
    routing_id,
    signal_key,
    trajectory_key,
)
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.standing import HITS, debt_timing
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import open_carried
from signaalwissel.schemas.routed_codec import (
    NO_TRAJECTORY,
    TrajectoryPart,
    answer,
    cause,
    finding,
    shared,
    trajectory_part,
    write_decision,
    write_routed_signal,
)
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, Reason, Route, RouteCorrection
from signaalwissel.schemas.units import Millis

_COUNSELLOR: Final = Route.COUNSELLOR_FOLLOWUP
_REGULAR: Final = Route.REGULAR_FLOW
_SEEN: Final = {reason: Reason(reason.value) for reason in HITS}
"""A true reason that leads to the counsellor, as the routing topics have it."""
_ROUTED_TYPE: Final = "nl.vroegsignalering.signaal-gerouteerd"
_CORRECTED_TYPE: Final = "nl.vroegsignalering.routering-gecorrigeerd"


class Revision:
    """One decision about one signal, numbered by the matcher alone.

    Attributes:
        number: 0 for the first decision.
        action: What it asks of the routing topics, None for the first and for a change of reason alone.
        cause: What overturned the revision before.
        caused_by: Id of the lifecycle event or command.
        decided_at: When.
    """

    __slots__ = ("action", "cause", "caused_by", "decided_at", "number")

    def __init__(
        self,
        number: int,
        action: CorrectionAction | None,
        cause: CorrectionCause | None,
        caused_by: str | None,
        decided_at: Millis,
    ) -> None:
        self.number = number
        self.action = action
        self.cause = cause
        self.caused_by = caused_by
        self.decided_at = decided_at


class Routing:
    """One revision of one signal, as records."""

    def __init__(
        self, signal: KeyedSignal, match_key: bytes, verdict: Verdict, revision: Revision, policy: Policy
    ) -> None:
        self._signal = signal
        self._match_key = match_key
        self._verdict = verdict
        self._revision = revision
        self._policy = policy
        self._routing_id = routing_id(signal.signal_ref, revision.number)
        self._shared = shared(
            self._routing_id,
            signal.signal_id,
            signal.municipality,
            revision.number,
            signal.reference_date,
            revision.decided_at,
            signal.carried,
        )
        self._followed: bytes | None = None
        self._key = signal_key(signal.municipality, signal.partner_id, signal.signal_id)

    def first(self) -> Emission:
        """Revision 0, on the topic of its route."""
        if self._verdict.route is _COUNSELLOR:
            key = trajectory_key(self._signal.municipality, self._verdict.trajectory_id or "")
            return Emission(COUNSELLOR_FOLLOWUP, key, self._for_counsellor(), _ROUTED_TYPE, self._routing_id)
        return Emission(REGULAR_FLOW, self._key, self._for_regular(), _ROUTED_TYPE, self._routing_id)

    def decision(self) -> Emission:
        """The audit record of this revision."""
        revision, verdict = self._revision, self._verdict
        previous = routing_id(self._signal.signal_ref, revision.number - 1) if revision.number else None
        value = write_decision(
            self._shared,
            answer(verdict.route, verdict.reason, explain(verdict.reason), self._policy.version),
            self._audited_trajectory(),
            finding(verdict.matched_by, verdict.evidence, verdict.candidates),
            self._match_key,
            self._signal.last_day,
            cause(revision.action, revision.cause, revision.caused_by, previous),
        )
        return Emission(DECISIONS, self._key, value)

    def tell_counsellor(self, action: CorrectionAction, trajectory_id: str) -> Emission:
        """A correction for the counsellor's side, keyed by the trajectory that it is about."""
        to = None if action is CorrectionAction.WITHDRAWN else self._for_counsellor()
        half = correction_id(self._routing_id, Audience.COUNSELLOR, action)
        value = self._correction(half, action, self._revision.cause, to)
        key = trajectory_key(self._signal.municipality, trajectory_id)
        return Emission(COUNSELLOR_CORRECTIONS, key, value, _CORRECTED_TYPE, half)

    def tell_regular(self, action: CorrectionAction) -> Emission:
        """A correction for the regular side: MOVED or WITHDRAWN, without a cause."""
        to = None if action is CorrectionAction.WITHDRAWN else self._for_regular()
        half = correction_id(self._routing_id, Audience.REGULAR, action)
        value = self._correction(half, action, None, to)
        return Emission(REGULAR_CORRECTIONS, self._key, value, _CORRECTED_TYPE, half)

    def _correction(
        self, half: str, action: CorrectionAction, cause: CorrectionCause | None, to: bytes | None
    ) -> bytes:
        signal = self._signal
        routed = None if to is None else codec("RoutedSignal").decode(to)
        correction = RouteCorrection(
            correction_id=half,
            municipality=signal.municipality,
            partner=open_carried(signal.carried).partner,
            signal_id=signal.signal_id,
            revision=self._revision.number,
            from_routing_id=routing_id(signal.signal_ref, self._revision.number - 1),
            action=action,
            cause=cause,
            to=routed,
        )
        return codec("RouteCorrection").encode(correction)

    def _for_regular(self) -> bytes:
        reason, explanation = regular_reason()
        answered = answer(_REGULAR, reason, explanation, self._policy.version)
        return write_routed_signal(self._shared, answered, NO_TRAJECTORY)

    def _for_counsellor(self) -> bytes:
        verdict = self._verdict
        answered = answer(verdict.route, _SEEN[verdict.reason], explain(verdict.reason), self._policy.version)
        return write_routed_signal(self._shared, answered, self._followed_trajectory())

    def _audited_trajectory(self) -> bytes:
        standing = self._verdict.standing
        if standing is None:
            return NO_TRAJECTORY
        if self._verdict.route is _COUNSELLOR:
            return self._followed_trajectory()
        return trajectory_part(TrajectoryPart(standing.trajectory.trajectory_id, client=standing.client))

    def _followed_trajectory(self) -> bytes:
        # The counsellor and the audit trail read the same: encoded once for both.
        if self._followed is None:
            self._followed = trajectory_part(self._owned_trajectory())
        return self._followed

    def _owned_trajectory(self) -> TrajectoryPart:
        standing = self._verdict.standing
        if standing is None:
            raise ValueError("a signal for the counsellor has a trajectory")
        teams = self._policy.teams
        counsellor = standing.trajectory.counsellor
        if counsellor is not None and not teams.may_own(counsellor.counsellor_id):
            # Gone, outsourced or an administrator: the team answers, never nobody (domain 8.7).
            counsellor = None
        return TrajectoryPart(
            trajectory_id=standing.trajectory.trajectory_id,
            trajectory_state=standing.state,
            client=standing.client,
            counsellor=counsellor,
            team=teams.default if counsellor is None else counsellor.team,
            window_ends_on=standing.window_ends_on,
            debt_timing=debt_timing(standing, open_carried(self._signal.carried).arrears_since),
        )
