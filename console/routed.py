"""What the routing topics say, read as their audiences would: committed records only, folded per signal."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
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


def read_routed(settings: Settings) -> Routed:
    """Read the routing topics from their beginnings to their ends."""
    followed = [_routed(value) for _, value in _values(settings, COUNSELLOR_FOLLOWUP)]
    regular = [_routed(value) for _, value in _values(settings, REGULAR_FLOW)]
    audiences = _Audiences()
    for signal in followed:
        audiences.counsellor[_ref(signal.routing_id)] = signal.trajectory_id
    for signal in regular:
        audiences.regular.add(_ref(signal.routing_id))
    names = {_ref(signal.routing_id): _name(signal) for signal in (*followed, *regular)}
    on_counsellor = [_correction(record) for record in _values(settings, COUNSELLOR_CORRECTIONS)]
    on_regular = [_correction(record) for record in _values(settings, REGULAR_CORRECTIONS)]
    audiences.correct(on_counsellor, on_regular)
    return Routed(
        Counter(_name(signal) for signal in (*followed, *regular) if signal.revision == 0),
        {name: (audiences.counsellor.get(ref), ref in audiences.regular) for ref, name in names.items()},
        len(followed),
        len(regular),
        len(on_counsellor) + len(on_regular),
        sum(1 for _ in _values(settings, DEAD_LETTERS)),
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


def _values(settings: Settings, topic: str) -> Iterator[tuple[str, bytes]]:
    name = runtime.names(settings)(topic)
    consumer = KafkaConsumer(
        bootstrap_servers=runtime.bootstrap(settings).split(","),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_poll_records=5000,
        **runtime.kafka_python_connection(settings),
    )
    try:
        partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        consumer.assign(partitions)
        ends: dict[Any, int] = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=_BOUND_MS).values():
                for record in records:
                    yield (record.key or b"").decode(), record.value
    finally:
        consumer.close()


def _routed(value: bytes) -> RoutedSignal:
    signal: RoutedSignal = codec("RoutedSignal").decode(value)
    return signal


def _correction(record: tuple[str, bytes]) -> tuple[str, RouteCorrection]:
    return record[0], codec("RouteCorrection").decode(record[1])


def _name(signal: RoutedSignal) -> Delivery:
    return signal.municipality, signal.partner.partner_id, signal.signal_id, signal.received_at


def _ref(derived_id: str) -> str:
    """The accepted delivery in a routing or correction id."""
    return derived_id.split("-", 1)[0]
