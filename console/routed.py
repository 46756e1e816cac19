"""What the routing topics say, read as their audiences would: committed records only, folded per signal."""

from collections import Counter
from typing import Any, NamedTuple, Self

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    DEAD_LETTERS,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
)
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.routing import CorrectionAction, RouteCorrection, RoutedSignal

_BOUND_MS = 5000

Delivery = tuple[str, str, str, int]


class Routed(NamedTuple):
    """The routing topics as a whole.

    Attributes:
        first_routings: How often each delivery was routed with revision 0.
        held_by: Per delivery the trajectory whose counsellor holds it, and whether the regular side does.
        on_followup: Records on counsellor-followup.
        on_regular: Records on regular-flow.
        corrections: Records on both correction topics.
        dead_letters: Records on dead-letters.
    """

    first_routings: Counter[Delivery]
    held_by: dict[Delivery, tuple[str | None, bool]]
    on_followup: int
    on_regular: int
    corrections: int
    dead_letters: int


class RoutedTopics:
    """Reads the routing topics, further with every `read_on`; close it after use.

    Args:
        settings: Where Kafka is, and what its topics are called.
    """

    def __init__(self, settings: Settings) -> None:
        self._signals: dict[str, list[RoutedSignal]] = {COUNSELLOR_FOLLOWUP: [], REGULAR_FLOW: []}
        self._corrections: dict[str, list[tuple[str, RouteCorrection]]] = {
            COUNSELLOR_CORRECTIONS: [],
            REGULAR_CORRECTIONS: [],
        }
        self._dead_letters = 0
        every = (*self._signals, *self._corrections, DEAD_LETTERS)
        self._topics = {runtime.names(settings)(topic): topic for topic in every}
        adopt(settings)
        self._consumer = KafkaConsumer(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_poll_records=5000,
            **runtime.kafka_python_connection(settings),
        )
        self._partitions = [
            TopicPartition(name, number)
            for name in self._topics
            for number in self._consumer.partitions_for_topic(name) or ()
        ]
        self._consumer.assign(self._partitions)
        self._consumer.seek_to_beginning(*self._partitions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read_on(self) -> None:
        """Read up to where the topics end now."""
        ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._partitions)
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            for partition, records in self._consumer.poll(timeout_ms=_BOUND_MS).items():
                self._take(self._topics[partition.topic], records)

    def _take(self, topic: str, records: list[Any]) -> None:
        if topic in self._signals:
            self._signals[topic] += [_routed(record.value) for record in records]
        elif topic in self._corrections:
            self._corrections[topic] += [_correction(record) for record in records]
        else:
            self._dead_letters += len(records)

    def routed(self) -> Routed:
        """What was read, as a whole."""
        followed, regular = self._signals[COUNSELLOR_FOLLOWUP], self._signals[REGULAR_FLOW]
        audiences = _Audiences()
        for signal in followed:
            audiences.counsellor[_ref(signal.routing_id)] = signal.trajectory_id
        for signal in regular:
            audiences.regular.add(_ref(signal.routing_id))
        names = {_ref(signal.routing_id): _name(signal) for signal in (*followed, *regular)}
        on_counsellor = self._corrections[COUNSELLOR_CORRECTIONS]
        on_regular = self._corrections[REGULAR_CORRECTIONS]
        audiences.correct(on_counsellor, on_regular)
        return Routed(
            Counter(_name(signal) for signal in (*followed, *regular) if signal.revision == 0),
            {name: (audiences.counsellor.get(ref), ref in audiences.regular) for ref, name in names.items()},
            len(followed),
            len(regular),
            len(on_counsellor) + len(on_regular),
            self._dead_letters,
        )


class _Audiences:
    """Who holds which delivery, as each side's own topics tell."""

    def __init__(self) -> None:
        self.counsellor: dict[str, str | None] = {}
        self.regular: set[str] = set()

    def correct(
        self, on_counsellor: list[tuple[str, RouteCorrection]], on_regular: list[tuple[str, RouteCorrection]]
    ) -> None:
        # One revision may withdraw from one counsellor and move to another: what is taken away goes first.
        for key, correction in sorted(on_counsellor, key=lambda c: (c[1].revision, c[1].to is not None)):
            ref = _ref(correction.correction_id)
            if correction.action is CorrectionAction.WITHDRAWN:
                if self.counsellor.get(ref) == key.split("/", 1)[1]:
                    self.counsellor[ref] = None
            elif correction.to is not None:
                self.counsellor[ref] = correction.to.trajectory_id
        for _, correction in sorted(on_regular, key=lambda c: c[1].revision):
            ref = _ref(correction.correction_id)
            if correction.action is CorrectionAction.WITHDRAWN:
                self.regular.discard(ref)
            else:
                self.regular.add(ref)


def _routed(value: bytes) -> RoutedSignal:
    signal: RoutedSignal = codec("RoutedSignal").decode(value)
    return signal


def _correction(record: Any) -> tuple[str, RouteCorrection]:
    return (record.key or b"").decode(), codec("RouteCorrection").decode(record.value)


def _name(signal: RoutedSignal) -> Delivery:
    return signal.municipality, signal.partner.partner_id, signal.signal_id, signal.received_at


def _ref(derived_id: str) -> str:
    """The accepted delivery in a routing or correction id."""
    return derived_id.split("-", 1)[0]
