"""Routing records: what the two audiences and the audit trail read of one revision (design 2, 4).

In: a signal, its verdict, the revision. Out: records in wire format. Nothing on the regular side tells of a
trajectory: its record is built from the signal alone, so there is nothing to leave out.
"""

from typing import NamedTuple

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
from signaalwissel.processors.identifiers import correction_id, routing_id, signal_key, trajectory_key
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.standing import debt_timing
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import KeyedSignal
from signaalwissel.schemas.keyed_signal_codec import open_carried
from signaalwissel.schemas.routed_codec import (
    NO_TRAJECTORY_PART,
    AuditPart,
    RoutingHead,
    TrajectoryPart,
    write_decision,
    write_routed_signal,
)
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, Reason, Route, RouteCorrection
from signaalwissel.schemas.units import Millis

_ROUTED_TYPE = "nl.vroegsignalering.signaal-gerouteerd"
_CORRECTED_TYPE = "nl.vroegsignalering.routering-gecorrigeerd"


class Revision(NamedTuple):
    """One decision about one signal, numbered by the matcher alone.

    Attributes:
        number: 0 for the first decision.
        action: What it asks of the routing topics, None for the first and for a change of reason alone.
        cause: What overturned the revision before.
        caused_by: Id of the lifecycle event or command.
        decided_at: When.
    """

    number: int
    action: CorrectionAction | None
    cause: CorrectionCause | None
    caused_by: str | None
    decided_at: Millis


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
        self._key = signal_key(signal.municipality, signal.partner_id, signal.signal_id)

    def first(self) -> Emission:
        """Revision 0, on the topic of its route."""
        if self._verdict.route is Route.COUNSELLOR_FOLLOWUP:
            key = trajectory_key(self._signal.municipality, self._verdict.trajectory_id or "")
            return Emission(COUNSELLOR_FOLLOWUP, key, self._for_counsellor(), _ROUTED_TYPE, self._routing_id)
        return Emission(REGULAR_FLOW, self._key, self._for_regular(), _ROUTED_TYPE, self._routing_id)

    def decision(self) -> Emission:
        """The audit record of this revision."""
        revision, verdict = self._revision, self._verdict
        previous = routing_id(self._signal.signal_ref, revision.number - 1) if revision.number else None
        audit = AuditPart(
            verdict.matched_by,
            verdict.evidence,
            verdict.candidates,
            self._match_key,
            self._signal.last_day,
            revision.action,
            revision.cause,
            revision.caused_by,
            previous,
        )
        head = self._head(verdict.reason, explain(verdict.reason))
        value = write_decision(head, self._signal.carried, self._audited_trajectory(), audit)
        return Emission(DECISIONS, self._key, value)

    def tell_counsellor(self, action: CorrectionAction, trajectory_id: str) -> Emission:
        """A correction for the counsellor's side, keyed by the trajectory that it is about."""
        to = None if action is CorrectionAction.WITHDRAWN else self._for_counsellor()
        value = self._correction(action, self._revision.cause, to)
        key = trajectory_key(self._signal.municipality, trajectory_id)
        return self._corrected(COUNSELLOR_CORRECTIONS, key, value, action)

    def tell_regular(self, action: CorrectionAction) -> Emission:
        """A correction for the regular side: MOVED or WITHDRAWN, without a cause."""
        to = None if action is CorrectionAction.WITHDRAWN else self._for_regular()
        return self._corrected(REGULAR_CORRECTIONS, self._key, self._correction(action, None, to), action)

    def _corrected(self, topic: str, key: bytes, value: bytes, action: CorrectionAction) -> Emission:
        return Emission(topic, key, value, _CORRECTED_TYPE, correction_id(self._routing_id, action))

    def _correction(self, action: CorrectionAction, cause: CorrectionCause | None, to: bytes | None) -> bytes:
        signal = self._signal
        routed = None if to is None else codec("RoutedSignal").decode(to)
        correction = RouteCorrection(
            correction_id=correction_id(self._routing_id, action),
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
        head = self._head(reason, explanation)._replace(route=Route.REGULAR_FLOW)
        return write_routed_signal(head, self._signal.carried, NO_TRAJECTORY_PART)

    def _for_counsellor(self) -> bytes:
        reason = Reason(self._verdict.reason.value)
        head = self._head(reason, explain(self._verdict.reason))
        return write_routed_signal(head, self._signal.carried, self._followed_trajectory())

    def _head(self, reason: object, explanation: str) -> RoutingHead:
        return RoutingHead(
            self._routing_id,
            self._signal.signal_id,
            self._signal.municipality,
            self._revision.number,
            self._verdict.route,
            reason,  # type: ignore[arg-type]
            explanation,
            self._policy.version,
            self._signal.reference_date,
            self._revision.decided_at,
        )

    def _audited_trajectory(self) -> TrajectoryPart:
        standing = self._verdict.standing
        if standing is None:
            return NO_TRAJECTORY_PART
        if self._verdict.route is Route.COUNSELLOR_FOLLOWUP:
            return self._followed_trajectory()
        return TrajectoryPart(trajectory_id=standing.trajectory.trajectory_id, client=standing.client)

    def _followed_trajectory(self) -> TrajectoryPart:
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
