"""What would happen: recorded lines through the same rules, without Kafka or a database (design 6).

In: lines `{"topic": ..., "value": {...}}` in arrival order. Out: every output record as such a line, in order. The
Kafka path is tested against it. Nothing is ever swept here, and the only clock is what the records tell.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    DEAD_LETTERS,
    DECISIONS,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
    RESIDENT_EVENTS,
    SIGNALS,
    TRAJECTORIES,
    Emission,
)
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.intake_signals import Arrival, IntakeSignals
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.validation import check_event, check_municipality, check_signal, is_plausible
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.units import Millis

_PRINTED = {
    COUNSELLOR_FOLLOWUP: "RoutedSignal",
    REGULAR_FLOW: "RoutedSignal",
    COUNSELLOR_CORRECTIONS: "RouteCorrection",
    REGULAR_CORRECTIONS: "RouteCorrection",
    DECISIONS: "Decision",
}
_IDS = {SIGNALS: "signal_id", TRAJECTORIES: "event_id"}
_RECORDS = {SIGNALS: "EarlySignal", TRAJECTORIES: "TrajectoryEvent"}
_MOMENTS = {SIGNALS: "received_at", TRAJECTORIES: "recorded_at"}

Line = dict[str, Any]


class UnknownTopic(ValueError):
    """A line names a topic that is no input."""


class Refused(NamedTuple):
    """A record that would become a dead letter: where it came from and why, never a value."""

    topic: str
    about: About
    refusal: Rejected

    def line(self) -> Line:
        """The dead letter as a line; `signal_id` or `event_id` by what the record is."""
        kind = kind_of(self.topic)
        value = {
            "topic": self.topic,
            "municipality": self.about.municipality,
            "record_id": self.about.record_id,
            _IDS[kind]: self.about.record_id,
            "code": self.refusal.code.value,
            "field": self.refusal.field,
            "rule": self.refusal.rule,
        }
        return {"topic": DEAD_LETTERS, "value": value}


class Simulation:
    """Intake and matcher over dicts.

    Args:
        policies: The policies to try.
        keys: Throw-away keys.
        nonce: Gives 12 fresh random bytes.
        publishers: The allow-list.
    """

    def __init__(
        self,
        policies: Policies,
        keys: KeyProvider,
        nonce: Callable[[], bytes],
        publishers: Publishers | None = None,
    ) -> None:
        allowed = publishers or Publishers()
        dead_letters = DeadLetters("intake", keys, nonce)
        self._signals = IntakeSignals(policies, allowed, keys, nonce)
        self._trajectories = IntakeTrajectories(policies, allowed, keys, nonce, dead_letters)
        self._matcher = Matcher(policies)
        self._signal_table: dict[bytes, bytes] = {}
        self._trajectory_table: dict[bytes, bytes] = {}
        self._state = MatcherState({}, {})
        self._clock: Millis = 0
        self._offset = 0
        self._waiting: set[bytes] = set()

    def feed(self, line: Mapping[str, Any]) -> Iterator[Line]:
        """The output lines that one input line causes.

        Raises:
            UnknownTopic: The line's topic is no input.
        """
        topic = line.get("topic")
        if not isinstance(topic, str) or kind_of(topic) not in _RECORDS:
            raise UnknownTopic(
                "the topic must be signals, trajectories, or one of a publisher (signals.<publisher>)"
            )
        self._offset += 1
        try:
            record = read_line(topic, line.get("value"))
        except Rejected as refusal:
            yield Refused(topic, about_of(topic, line.get("value")), refusal).line()
            return
        moment: Millis = getattr(record, _MOMENTS[kind_of(topic)])
        if is_plausible(moment):
            self._clock = max(self._clock, moment)
        yield from self._outputs(self._expired())
        try:
            emissions = self._take(topic, record)
        except Rejected as refusal:
            yield Refused(topic, about_of(topic, line.get("value")), refusal).line()
            return
        yield from self._outputs(emissions)

    def _take(self, topic: str, record: Any) -> list[Emission]:
        kind = kind_of(topic)
        value = codec(_RECORDS[kind]).encode(record)
        if kind == SIGNALS:
            return self._signals.step(self._signal_table, record, Arrival(topic, self._clock, value))
        source = Source(topic, 0, self._offset, self._clock, None, value)
        emissions = self._trajectories.step(self._trajectory_table, record, source)
        self._note_waiting(trajectory_key(record.municipality, record.trajectory_id))
        return emissions

    def _note_waiting(self, key: bytes) -> None:
        if self._trajectories.is_waiting(self._trajectory_table, key):
            self._waiting.add(key)
        else:
            self._waiting.discard(key)

    def _expired(self) -> list[Emission]:
        emissions: list[Emission] = []
        for key in sorted(self._waiting):
            expired = self._trajectories.expire(self._trajectory_table, key, self._clock)
            if expired:
                self._waiting.discard(key)
                emissions += expired
        return emissions

    def _outputs(self, emissions: list[Emission]) -> Iterator[Line]:
        for emission in emissions:
            yield from self._out(emission)

    def _out(self, emission: Emission) -> Iterator[Line]:
        if emission.topic == RESIDENT_EVENTS:
            clock = Clock(self._clock, self._clock)
            for decided in self._matcher.step(self._state, emission.key, emission.value, clock):
                yield _line(decided)
        elif emission.topic == DEAD_LETTERS:
            letter: DeadLetter = codec("DeadLetter").decode(emission.value)
            refusal = Rejected(RejectionCode(letter.code), letter.field, letter.rule)
            yield Refused(letter.topic, About(letter.municipality, letter.record_id), refusal).line()


def topic_of(line: Mapping[str, Any]) -> str:
    """The topic of a line; raises UnknownTopic where it is no input."""
    topic = line.get("topic")
    if not isinstance(topic, str) or kind_of(topic) not in _RECORDS:
        raise UnknownTopic(
            "the topic must be signals, trajectories, or one of a publisher (signals.<publisher>)"
        )
    return topic


def findings_in(line: Mapping[str, Any], policies: Policies) -> Refused | None:
    """Why a record would be refused whatever the others are, or None; raises UnknownTopic."""
    topic = topic_of(line)
    try:
        record = read_line(topic, line.get("value"))
        if isinstance(record, EarlySignal):
            check_municipality(record.municipality)
            check_signal(record, policies[record.municipality])
        else:
            check_event(record)
    except Rejected as refusal:
        return Refused(topic, about_of(topic, line.get("value")), refusal)
    return None


def kind_of(topic: str) -> str:
    """`signals` for `signals.<publisher>`, and likewise for trajectories."""
    return topic.split(".", 1)[0]


def read_line(topic: str, value: Any) -> Any:
    """The record of a line's value; raises Rejected where it does not fit the schema."""
    if value is None:
        raise Rejected(RejectionCode.NULL_VALUE, None, "has no value")
    try:
        return codec(_RECORDS[kind_of(topic)]).from_json(value)
    except DoesNotFit as finding:
        raise Rejected(RejectionCode.UNREADABLE, finding.field or None, finding.rule) from None


def about_of(topic: str, value: Any) -> About:
    """What may be shown of a line: municipality and id, where they are texts."""
    if not isinstance(value, dict):
        return About()
    shown = [value.get("municipality"), value.get(_IDS[kind_of(topic)])]
    return About(*(text if isinstance(text, str) else None for text in shown))


def _line(emission: Emission) -> Line:
    record = codec(_PRINTED[emission.topic])
    return {"topic": emission.topic, "value": record.to_json(record.decode(emission.value))}
