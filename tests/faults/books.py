"""What an installation has said so far, as any reader of committed records learns it: topics read on and on, folded.

In: the topics of one installation. Out: who was routed how often, who holds whom, what the tables' changelogs say.
Nothing here comes from the product's memory, and nothing is taken for true because the product says so twice.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    DEAD_LETTERS,
    DECISIONS,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
    RESIDENT_EVENTS,
    TASKS,
    TRAJECTORY_STATES,
)
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.routing import CorrectionAction, RouteCorrection
from signaalwissel.streams.topics import (
    INTAKE_SIGNALS,
    INTAKE_TRAJECTORIES,
    MATCHER_RECENTS,
    MATCHER_TRAJECTORIES,
    changelog_topic,
)

_NINE_DIGITS = re.compile(rb"(?<!\d)\d{9}(?!\d)")
_POLL_MS = 300


@dataclass
class Delivery:
    """What was said of one accepted delivery, by its ref.

    `counsellor` and `regular` are who holds it when both audiences fold what they were sent; `first_counsellor` and
    `first_regular` who was sent it first.
    """

    municipality: str = ""
    first: int = 0
    revisions: list[int] = field(default_factory=list)
    route: str = ""
    trajectory_id: str | None = None
    counsellor: str | None = None
    regular: bool = False
    first_counsellor: str | None = None
    first_regular: bool = False


class Move(NamedTuple):
    """What a correction says to one audience; in the order of revisions, and of one revision what is taken away first."""

    revision: int
    given: bool
    regular: bool
    trajectory_id: str | None
    """On the counsellor's side: whose it was, or becomes."""


@dataclass
class Books:
    """Everything that was read; `read_on` reads further."""

    settings: Settings
    deliveries: dict[bytes, Delivery] = field(default_factory=dict)
    ids: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each derived id stands on its topic."""
    letters: Counter[tuple[str | None, str, str | None]] = field(default_factory=Counter)
    places: set[tuple[str, int, int]] = field(default_factory=set)
    """Topic, partition and offset of what the dead letters are about."""
    tasks: dict[tuple[str, int], set[tuple[bytes, bytes]]] = field(default_factory=dict)
    """Of each version of each task the `ce_id` and the record that tell it: one, however often it is sent."""
    task_versions: dict[str, list[int]] = field(default_factory=dict)
    tables: dict[str, dict[bytes, bytes | None]] = field(default_factory=dict)
    tombstones: Counter[str] = field(default_factory=Counter)
    digits: set[str] = field(default_factory=set)
    """Nine digits in a row in a key, a header or a dead letter: nobody's number may be among them."""
    records: Counter[str] = field(default_factory=Counter)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)
    _moves: dict[bytes, list[Move]] = field(default_factory=dict)
    _told: set[bytes] = field(default_factory=set)
    """Who was told of since the last fold."""

    def __post_init__(self) -> None:
        names = runtime.names(self.settings)
        self._take = {
            names(COUNSELLOR_FOLLOWUP): self._routed,
            names(REGULAR_FLOW): self._routed,
            names(COUNSELLOR_CORRECTIONS): self._corrected,
            names(REGULAR_CORRECTIONS): self._corrected,
            names(DECISIONS): self._decided,
            names(DEAD_LETTERS): self._refused,
            names(TASKS): self._task,
            names(RESIDENT_EVENTS): self._internal,
            names(TRAJECTORY_STATES): self._state,
            **dict.fromkeys(self.changelogs().values(), self._change),
        }
        self._followup = names(COUNSELLOR_FOLLOWUP)
        self._on_counsellor = names(COUNSELLOR_CORRECTIONS)

    def changelogs(self) -> dict[str, str]:
        """The tables that are looked at, and their topics."""
        names = runtime.names(self.settings)
        return {
            "intake trajectories": changelog_topic(names.intake_app, INTAKE_TRAJECTORIES),
            "intake signals": changelog_topic(names.intake_app, INTAKE_SIGNALS),
            "matcher trajectories": changelog_topic(names.matcher_app, MATCHER_TRAJECTORIES),
            "matcher recents": changelog_topic(names.matcher_app, MATCHER_RECENTS),
        }

    def table(self, name: str) -> dict[bytes, bytes]:
        """A table as its changelog has it, or `trajectory states` as that topic has them."""
        topics = {**self.changelogs(), "trajectory states": runtime.names(self.settings)(TRAJECTORY_STATES)}
        found = self.tables.get(topics[name], {})
        return {key: value for key, value in found.items() if value is not None}

    def read_on(self) -> None:
        """Read up to where the topics end now."""
        asyncio.run(self._read_on())
        self.fold()

    def fold(self) -> None:
        """Who holds what, from the beginning: a transaction that hangs holds one partition back, and a correction is read
        before what it corrects."""
        for ref in self._told:
            fold(self.deliveries.setdefault(ref, Delivery()), self._moves.get(ref, []))
        self._told.clear()

    async def _read_on(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=runtime.bootstrap(self.settings),
            isolation_level="read_committed",
            enable_auto_commit=False,
            max_partition_fetch_bytes=4 << 20,
        )
        await consumer.start()
        try:
            partitions = [
                TopicPartition(topic, number)
                for topic in self._take
                for number in await _numbers(consumer, topic)
            ]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, self._positions.get(partition, 0))
            while any([await consumer.position(one) < ends[one] for one in partitions]):
                for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                    self._take_all(partition.topic, records)
            for partition in partitions:
                self._positions[partition] = await consumer.position(partition)
        finally:
            await consumer.stop()

    def _take_all(self, topic: str, records: list[Any]) -> None:
        take = self._take[topic]
        self.records[topic] += len(records)
        for record in records:
            self._look_for_numbers(record.key or b"")
            for _, value in record.headers:
                self._look_for_numbers(value or b"")
            take(topic, record)

    def _look_for_numbers(self, data: bytes) -> None:
        if len(data) >= 9:
            self.digits.update(found.decode() for found in _NINE_DIGITS.findall(data))

    def _routed(self, topic: str, record: Any) -> None:
        signal = codec("RoutedSignal").decode(record.value)
        self.ids["routing", signal.routing_id] += 1
        ref = _ref(signal.routing_id)
        delivery = self.deliveries.setdefault(ref, Delivery())
        delivery.municipality = signal.municipality
        delivery.first += 1
        if topic == self._followup:
            delivery.first_counsellor = signal.trajectory_id
        else:
            delivery.first_regular = True
        self._told.add(ref)

    def _corrected(self, topic: str, record: Any) -> None:
        correction: RouteCorrection = codec("RouteCorrection").decode(record.value)
        self.ids["correction", correction.correction_id] += 1
        given, regular = correction.action is not CorrectionAction.WITHDRAWN, topic != self._on_counsellor
        trajectory_id = None if regular else (record.key or b"").decode().split("/", 1)[1]
        if not regular and given and correction.to is not None:
            trajectory_id = correction.to.trajectory_id
        ref = _ref(correction.correction_id)
        self._moves.setdefault(ref, []).append(Move(correction.revision, given, regular, trajectory_id))
        self._told.add(ref)

    def _decided(self, _: str, record: Any) -> None:
        decision = read_decision(record.value)
        self.ids["decision", decision.routing_id] += 1
        delivery = self.deliveries.setdefault(_ref(decision.routing_id), Delivery())
        delivery.municipality = decision.municipality
        if not delivery.revisions or decision.revision > max(delivery.revisions):
            delivery.route = decision.route.value
            delivery.trajectory_id = decision.trajectory_id
        delivery.revisions.append(decision.revision)

    def _refused(self, _: str, record: Any) -> None:
        letter = codec("DeadLetter").decode(record.value)
        self.ids["dead letter", letter.dead_letter_id] += 1
        topic = letter.topic.removeprefix(self.settings.topic_prefix)
        self.letters[letter.municipality, topic, letter.record_id] += 1
        self.places.add((topic, letter.partition, letter.offset))
        self._look_for_numbers(record.value)

    def _task(self, _: str, record: Any) -> None:
        event = codec("TaskEvent").decode(record.value)
        told = (dict(record.headers).get("ce_id") or b"", record.value)
        self.tasks.setdefault((event.task_id, event.version), set()).add(told)
        self.task_versions.setdefault(event.task_id, []).append(event.version)

    def _change(self, topic: str, record: Any) -> None:
        self.tables.setdefault(topic, {})[record.key] = record.value
        if record.value is None:
            self.tombstones[topic] += 1

    def _internal(self, _: str, record: Any) -> None:
        pass

    def _state(self, topic: str, record: Any) -> None:
        self.tables.setdefault(topic, {})[record.key] = record.value


def fold(delivery: Delivery, moves: Iterable[Move]) -> None:
    """Who holds a delivery after all that its audiences were told, in whatever order it was read."""
    delivery.counsellor, delivery.regular = delivery.first_counsellor, delivery.first_regular
    for move in sorted(moves, key=lambda one: one[:2]):
        if move.regular:
            delivery.regular = move.given
        elif move.given:
            delivery.counsellor = move.trajectory_id
        elif delivery.counsellor == move.trajectory_id:
            delivery.counsellor = None


async def _numbers(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client._metadata_update(consumer._client.cluster, [topic])
    return sorted(consumer.partitions_for_topic(topic) or ())


def _ref(derived_id: str) -> bytes:
    return bytes.fromhex(derived_id.split("-", 1)[0])
