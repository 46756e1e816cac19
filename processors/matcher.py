"""The matcher's step: one record of `resident-events` in, its emissions out; the tables move with it.

A signal is decided and remembered; a trajectory makes every recent signal at its key be decided anew; a command
brings what a person or a clock said. The matcher alone numbers revisions. Pure but for the tables it is given.
"""

from collections.abc import Sequence
from typing import Final

from signaalwissel.processors import corrections
from signaalwissel.processors.decision import NOBODY, Effects, Verdict, decide
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.facts import horizon_of
from signaalwissel.processors.internal_records import (
    check_keyed_signal,
    check_keyed_trajectory,
    check_resident_command,
)
from signaalwissel.processors.matcher_state import KnownTrajectory, MatcherState
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.routing import Revision, Routing
from signaalwissel.processors.subject_signals import is_his
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import UnknownSchemaId
from signaalwissel.schemas.fact_codec import read_keyed_trajectory
from signaalwissel.schemas.internal import (
    KeyedSignal,
    RecentSignal,
    ResidentCommand,
    ResidentCommandKind,
)
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal, without_subject
from signaalwissel.schemas.routing import Candidate, CorrectionAction, CorrectionCause, Route
from signaalwissel.schemas.units import Millis
from signaalwissel.schemas.wire_format import schema_id_of

_NOTHING_SAID: Final = Effects()
_COUNSELLOR: Final = Route.COUNSELLOR_FOLLOWUP
_REGULAR: Final = Route.REGULAR_FLOW


class Matcher:
    """Decides, remembers and corrects.

    Args:
        policies: The policy of each municipality.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._signal_id = codec("KeyedSignal").schema_id
        self._trajectory_id = codec("KeyedTrajectory").schema_id
        # A command that an older version of the sink sent is a command still.
        self._command_ids = frozenset(codec("ResidentCommand").writers)

    def step(self, state: MatcherState, match_key: bytes, value: bytes, clock: "Clock") -> list[Emission]:
        """Handle one record.

        Args:
            state: The tables of the record's partition.
            match_key: The record's key.
            value: A KeyedSignal, KeyedTrajectory or ResidentCommand in wire format.
            clock: The record's Kafka time and the moment of deciding.

        Raises:
            Rejected: A command about a signal that is not, or no longer, known; a record that breaks a rule of
                `processors.internal_records`; a municipality without policy.
            NotWireFormat, UnknownSchemaId, DoesNotFit: Nobody but intake and sink should write here.
        """
        schema_id = schema_id_of(value)
        if schema_id == self._signal_id:
            return self._signal(state, match_key, value, clock)
        if schema_id == self._trajectory_id:
            return self._trajectory(state, match_key, value, clock)
        if schema_id in self._command_ids:
            command: ResidentCommand = codec("ResidentCommand").decode(value)
            check_resident_command(command)
            if command.kind is ResidentCommandKind.ERASE_RESIDENT:
                return self._erase_resident(state, match_key, command, clock)
            return self._command(state, command, clock)
        raise UnknownSchemaId(schema_id, "KeyedSignal, KeyedTrajectory, ResidentCommand")

    def _signal(self, state: MatcherState, match_key: bytes, value: bytes, clock: "Clock") -> list[Emission]:
        signal = read_keyed_signal(value)
        check_keyed_signal(match_key, signal)
        if state.retired.covers(signal.municipality, match_key):
            # No trajectory lies there any more, so the answer would be wrong.
            rule = "its match key is of a secret that was retired; the partner must send the signal again"
            raise Rejected(RejectionCode.INVALID_FIELD, "match_key", rule)
        if state.knows(signal.signal_ref):
            # Intake sends each accepted delivery once; should it come again, revision 0 must not.
            return []
        policy = self._policy_of_new(signal)
        verdict = _decide(signal, state.trajectories_at(match_key), _NOTHING_SAID, policy)
        revision = Revision(0, None, None, None, clock.now)
        routing = Routing(signal, match_key, verdict, revision, policy)
        # By position: names cost a third of the construction, once for every signal.
        recent = RecentSignal(
            match_key,
            clock.record_time,
            revision.number,
            policy.version,
            verdict.route,
            verdict.trajectory_id if verdict.route is _COUNSELLOR else None,
            verdict.address_only,
            verdict.route is _REGULAR,  # regular_holds
            False,  # offered
            None,  # confirmed
            (),  # refuted
            (),  # commands
            value,
        )
        state.policies.keep(policy)
        state.put_recent(signal.signal_ref, recent, known=False)
        return [routing.first(), routing.decision()]

    def _trajectory(
        self, state: MatcherState, match_key: bytes, value: bytes, clock: "Clock"
    ) -> list[Emission]:
        # Read whole before it is kept: what cannot be read or reckoned with must not wait here for a signal.
        trajectory = read_keyed_trajectory(value)
        check_keyed_trajectory(match_key, len(value), trajectory)
        if state.retired.covers(trajectory.municipality, match_key):
            # From a rebuild that overlapped with the retirement: it lies under the new keys as well.
            return []
        if not state.put_trajectory(match_key, value, clock.record_time):
            return []
        recents = state.recents_at(match_key)
        if not recents:
            return []
        cause = CorrectionCause.ERASED if trajectory.erased else CorrectionCause.LIFECYCLE
        because = Because(cause, trajectory.caused_by_event_id, clock)
        emissions: list[Emission] = []
        for recent in recents:
            told, _ = self._decide_anew(state, recent, because)
            emissions += told
        return emissions

    def _command(self, state: MatcherState, command: ResidentCommand, clock: "Clock") -> list[Emission]:
        recent = state.recent(command.signal_ref)
        if recent is None:
            rule = "the command is about a signal that is not known, or can no longer be corrected"
            raise Rejected(RejectionCode.UNKNOWN_SIGNAL, "signal_ref", rule)
        if command.command_id in recent.commands:
            return []
        recent = recent._replace(commands=(*recent.commands, command.command_id))
        kind = command.kind
        if kind is ResidentCommandKind.ERASE_SIGNAL:
            return self._erase(state, recent, Because(CorrectionCause.ERASED, command.command_id, clock))
        if kind is ResidentCommandKind.OFFER_TO_REGULAR:
            return self._offer(state, recent, Because(CorrectionCause.NOT_REACHED, command.command_id, clock))
        candidate = Candidate(command.trajectory_id or "", command.client or 0)
        if kind is ResidentCommandKind.CONFIRM_IDENTITY:
            refuted = tuple(other for other in recent.refuted if other != candidate)
            recent = recent._replace(confirmed=candidate, refuted=refuted)
        else:
            # The last word of a person counts, also over an earlier one of his own.
            confirmed = None if recent.confirmed == candidate else recent.confirmed
            recent = recent._replace(confirmed=confirmed, refuted=(*recent.refuted, candidate))
        because = Because(CorrectionCause.IDENTITY, command.command_id, clock)
        emissions, _ = self._decide_anew(state, recent, because)
        if not emissions:
            state.put_recent(command.signal_ref, recent, known=True)
        return emissions

    def _decide_anew(
        self, state: MatcherState, recent: RecentSignal, because: "Because"
    ) -> tuple[list[Emission], RecentSignal]:
        """The next revision and the signal after it; no emissions where a fresh answer changes nothing."""
        signal = read_keyed_signal(recent.signal)
        policy = self._policy_of(state, recent, signal)
        verdict = _fresh(state, signal, recent, policy)
        change = corrections.change_of(recent, verdict)
        if change is None:
            return [], recent
        routing = because.routing(signal, recent, verdict, change.action, policy)
        told = corrections.moved(recent, verdict, routing) if change.action is not None else []
        changed = corrections.after(recent, verdict)._replace(written_at=because.clock.record_time)
        state.put_recent(signal.signal_ref, changed, known=True)
        return [*told, routing.decision()], changed

    def _offer(self, state: MatcherState, recent: RecentSignal, because: "Because") -> list[Emission]:
        signal = read_keyed_signal(recent.signal)
        if recent.offered or recent.route is not _COUNSELLOR:
            # Offered once, or with the regular side already: there is nothing left to offer.
            state.put_recent(signal.signal_ref, recent, known=True)
            return []
        # What a new release reads otherwise counts first: what is offered must be the counsellor's still.
        emissions, recent = self._decide_anew(state, recent, because)
        if recent.route is not _COUNSELLOR:
            return emissions
        policy = self._policy_of(state, recent, signal)
        verdict = _fresh(state, signal, recent, policy)
        routing = because.routing(signal, recent, verdict, CorrectionAction.ALSO_OFFERED, policy)
        changed = recent._replace(revision=recent.revision + 1, regular_holds=True, offered=True)
        state.put_recent(signal.signal_ref, changed, known=True)
        return [*emissions, *corrections.also_offered(verdict, routing), routing.decision()]

    def _erase_resident(
        self, state: MatcherState, match_key: bytes, command: ResidentCommand, clock: "Clock"
    ) -> list[Emission]:
        """Erase the signals of a resident at a match key: those that came before the command, and no later one."""
        because = Because(CorrectionCause.ERASED, command.command_id, clock)
        emissions: list[Emission] = []
        for recent in state.recents_at(match_key):
            if is_his(command, recent, read_keyed_signal(recent.signal), state.trajectories_at(match_key)):
                emissions += self._erase(state, recent, because)
        return emissions

    def _erase(self, state: MatcherState, recent: RecentSignal, because: "Because") -> list[Emission]:
        signal = read_keyed_signal(recent.signal)
        policy = self._policy_of(state, recent, signal)
        empty = signal._replace(carried=without_subject(signal.carried))
        routing = because.routing(empty, recent, NOBODY, CorrectionAction.WITHDRAWN, policy)
        state.drop_recent(signal.signal_ref, recent)
        return [*corrections.withdrawn(recent, routing), routing.decision()]

    def _policy_of_new(self, signal: KeyedSignal) -> Policy:
        policy = self._policies.get(signal.municipality)
        if policy is None:
            # Its file went after intake let the signal pass; back again, the dead letter can be replayed.
            rule = "the municipality has no policy here any more"
            raise Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", rule)
        return policy

    def _policy_of(self, state: MatcherState, recent: RecentSignal, signal: KeyedSignal) -> Policy:
        return state.policies.of(recent, self._policies.get(signal.municipality))


class Clock:
    """The two times of a step; neither decides anything."""

    __slots__ = ("now", "record_time")

    def __init__(self, record_time: Millis, now: Millis) -> None:
        self.record_time = record_time
        """Kafka's timestamp of the record: the clock of housekeeping."""
        self.now = now
        """The moment that `decided_at` tells."""


class Because:
    """What overturns an earlier answer."""

    __slots__ = ("_cause", "_caused_by", "clock")

    def __init__(self, cause: CorrectionCause, caused_by: str, clock: Clock) -> None:
        self._cause = cause
        self._caused_by = caused_by
        self.clock = clock

    def routing(
        self,
        signal: KeyedSignal,
        recent: RecentSignal,
        verdict: Verdict,
        action: CorrectionAction | None,
        policy: Policy,
    ) -> Routing:
        """The next revision of a recent signal."""
        revision = Revision(recent.revision + 1, action, self._cause, self._caused_by, self.clock.now)
        return Routing(signal, recent.match_key, verdict, revision, policy)


def _fresh(state: MatcherState, signal: KeyedSignal, recent: RecentSignal, policy: Policy) -> Verdict:
    effects = Effects(recent.confirmed, recent.refuted)
    return _decide(signal, state.trajectories_at(recent.match_key), effects, policy)


def _decide(
    signal: KeyedSignal, known: Sequence[KnownTrajectory], effects: Effects, policy: Policy
) -> Verdict:
    if not known:
        return NOBODY
    horizon = horizon_of(signal.last_day, policy)
    folded = [one.as_of(horizon) for one in known]
    return decide(signal, [trajectory for trajectory in folded if trajectory is not None], effects, policy)
