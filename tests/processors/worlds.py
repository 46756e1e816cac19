"""Intake and matcher under test: what intake sends to the matcher, in an order of the test's choosing.

A `Delivery` is one record of `resident-events` or one command. The witness keeps books of its own: what the records
delivered so far say, and what each audience was told, so that the matcher is held against something.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from signaalwissel.processors.dead_letters import DeadLetters, Source
from signaalwissel.processors.decision import Effects, Verdict, decide
from signaalwissel.processors.emissions import RESIDENT_EVENTS, Emission
from signaalwissel.processors.facts import horizon_of, within_horizon
from signaalwissel.processors.housekeeping import sweep_match_key
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.trajectory import fold
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_keyed_trajectory
from signaalwissel.schemas.internal import KeyedSignal, KeyedTrajectory, ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.keyed_signal_codec import read_keyed_signal
from signaalwissel.schemas.routing import Candidate, Decision
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.wire_format import schema_id_of
from signaalwissel.security.throwaway_keys import ThrowawayKeys

from tests.processors.given import default_policies
from tests.processors.strategies import Command, Town

SIGNAL_ID = codec("KeyedSignal").schema_id
Kind = ResidentCommandKind


class Delivery(NamedTuple):
    """A record of `resident-events`, or a command about a signal that may not have been delivered yet."""

    match_key: bytes
    value: bytes
    command: Command | None = None

    @property
    def is_signal(self) -> bool:
        """Whether it is a signal."""
        return self.command is None and schema_id_of(self.value) == SIGNAL_ID


class FixedKeys(ThrowawayKeys):
    """The same keys on every run."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets = defaultdict(lambda: b"k" * 32)


class Intake:
    """Intake over dicts."""

    def __init__(self) -> None:
        keys, policies = FixedKeys(), default_policies()
        letters = DeadLetters("intake", keys, _nonce)
        self._signals = IntakeSignals(policies, Publishers(), keys, _nonce)
        self._trajectories = IntakeTrajectories(policies, Publishers(), keys, _nonce, letters)
        self._signal_table: dict[bytes, bytes] = {}
        self._trajectory_table: dict[bytes, bytes] = {}

    def take(self, records: Iterable[TrajectoryEvent | EarlySignal]) -> list[Delivery]:
        """What the records bring to the matcher."""
        return [
            Delivery(emission.key, emission.value)
            for record in records
            for emission in self._step(record)
            if emission.topic == RESIDENT_EVENTS
        ]

    def _step(self, record: TrajectoryEvent | EarlySignal) -> list[Emission]:
        if isinstance(record, EarlySignal):
            arrival = Arrival("signals", record.received_at, codec("EarlySignal").encode(record))
            return self._signals.step(self._signal_table, record, arrival)
        source = Source("trajectories", 0, 0, record.recorded_at, None, b"")
        try:
            return self._trajectories.step(self._trajectory_table, record, source)
        except Rejected as refusal:
            # A death or an objection that does not say of which of two clients: a dead letter.
            if refusal.field != "clients":
                raise
            return []


def deliveries_of(town: Town, commands: Sequence[Command] = ()) -> list[Delivery]:
    """Everything of a town as intake sends it, and what was said."""
    sent = Intake().take([*town.events, *town.signals])
    return [*sent, *(Delivery(b"", b"", command) for command in commands)]


def steady(_: int) -> Clock:
    """A clock that stands still."""
    return Clock(1_772_000_000_000, 1_772_000_000_000)


class World:
    """The matcher, and a witness of everything that it was given and said."""

    def __init__(self, clock: Callable[[int], Clock] = steady, *, policies: Policies | None = None) -> None:
        self._policies = policies or default_policies()
        self._matcher = Matcher(self._policies)
        self.tables: tuple[dict[bytes, bytes], dict[bytes, bytes], dict[bytes, bytes]] = ({}, {}, {})
        self._state = MatcherState(*self.tables)
        self._clock = clock
        self._steps = 0
        self.decided_under: dict[bytes, Policy] = {}
        self.signals: dict[bytes, tuple[bytes, KeyedSignal]] = {}
        self.trajectories: dict[tuple[bytes, str], KeyedTrajectory] = {}
        self.effects: defaultdict[bytes, Effects] = defaultdict(Effects)
        self.offered: set[bytes] = set()
        self.erased: set[bytes] = set()
        self.emissions: list[Emission] = []
        self.decisions: defaultdict[bytes, list[Decision]] = defaultdict(list)

    def deliver(self, deliveries: Iterable[Delivery]) -> "World":
        """Deliver everything."""
        for delivery in deliveries:
            self.step(delivery)
        return self

    def step(self, delivery: Delivery) -> list[Emission]:
        """Deliver one record or command."""
        self._steps += 1
        came = self._commanded(delivery.command) if delivery.command else self._given(delivery)
        self.emissions += came
        for emission in came:
            if emission.topic == "decisions":
                decision: Decision = codec("Decision").decode(emission.value)
                self.decisions[bytes.fromhex(decision.routing_id.split("-")[0])].append(decision)
        return came

    def restart(self, policies: Policies | None = None) -> None:
        """Build the state anew from its tables, as a worker does; with another policy folder where one is given."""
        self._policies = policies or self._policies
        self._matcher = Matcher(self._policies)
        self._state = MatcherState(*self.tables)
        trajectories, recents, policies, *rotations = self.tables
        self._state.load(trajectories, recents.items(), policies, *(table.items() for table in rotations))

    def sweep(self, now: int) -> None:
        """Forget what no rule can need any more."""
        for match_key in list(self._state.match_keys()):
            sweep_match_key(self._state, match_key, self._policies, now)

    def knows(self, match_key: bytes) -> list[str]:
        """The trajectories that are known at a match key."""
        return sorted(one.trajectory_id for one in self._state.copies_at(match_key))

    def fresh(self, ref: bytes) -> Verdict:
        """What the records delivered so far, and what was said, make of a signal."""
        (match_key, signal), policy = self.signals[ref], self.decided_under[ref]
        horizon = horizon_of(signal.last_day, policy)
        folded = [
            fold(known.trajectory_id, within_horizon(known.facts, horizon))
            for (key, _), known in self.trajectories.items()
            if key == match_key
        ]
        return decide(signal, [one for one in folded if one is not None], self.effects[ref], policy)

    def answers(self) -> dict[str, tuple[Any, ...]]:
        """Per signal where it is in the end: route, the counsellor's trajectory, whether to verify."""
        last = {signal.signal_id: self.decisions[ref][-1] for ref, (_, signal) in self.signals.items()}
        return {name: answer_of(decision) for name, decision in last.items()}

    def _given(self, delivery: Delivery) -> list[Emission]:
        if delivery.is_signal:
            signal = read_keyed_signal(delivery.value)
            self.signals[signal.signal_ref] = (delivery.match_key, signal)
            if (policy := self._policies.get(signal.municipality)) is not None:
                self.decided_under.setdefault(signal.signal_ref, policy)
        else:
            known = read_keyed_trajectory(delivery.value)
            entry = (delivery.match_key, known.trajectory_id)
            if entry not in self.trajectories or self.trajectories[entry].version < known.version:
                self.trajectories[entry] = known
        return self._matcher.step(self._state, delivery.match_key, delivery.value, self._clock(self._steps))

    def _commanded(self, said: Command) -> list[Emission]:
        names = {signal.signal_id: ref for ref, (_, signal) in self.signals.items()}
        ref = names.get(f"S{said.signal}", b"nobody")
        command = ResidentCommand(
            f"c{self._steps}", said.kind, "0344", ref, said.trajectory_id, said.client, 1
        )
        try:
            value = codec("ResidentCommand").encode(command)
            came = self._matcher.step(self._state, b"", value, self._clock(self._steps))
        except Rejected:
            assert ref not in self.signals or ref in self.erased
            return []
        self._note(ref, said)
        return came

    def _note(self, ref: bytes, said: Command) -> None:
        candidate, before = Candidate(said.trajectory_id, said.client), self.effects[ref]
        if said.kind is Kind.CONFIRM_IDENTITY:
            others = tuple(other for other in before.refuted if other != candidate)
            self.effects[ref] = Effects(candidate, others)
        elif said.kind is Kind.REFUTE_IDENTITY:
            confirmed = None if before.confirmed == candidate else before.confirmed
            self.effects[ref] = Effects(confirmed, (*before.refuted, candidate))
        elif said.kind is Kind.ERASE_SIGNAL:
            self.erased.add(ref)
        elif self.decisions[ref][-1].route == "COUNSELLOR_FOLLOWUP":
            self.offered.add(ref)


def answer_of(decision: Decision | Verdict) -> tuple[Any, ...]:
    """Route, the counsellor's trajectory, whether to verify: what a correction is about."""
    hit = decision.route == "COUNSELLOR_FOLLOWUP"
    return decision.route, decision.trajectory_id if hit else None, decision.reason == "ADDRESS_ONLY_MATCH"


def _nonce() -> bytes:
    return b"n" * 12
