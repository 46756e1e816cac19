"""Handlers without a broker: records in, tables in memory, and outputs that go to topics of the layout only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from signaalwissel.processors.dead_letters import open_original
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import DeadLetter, OriginalRecord
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.streams.chunk import ChunkHandler, Headers
from signaalwissel.streams.errors import UnknownTopicError
from signaalwissel.streams.outputs import partition_of
from signaalwissel.streams.publishing import Publisher
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.topics import Names, layout

PREFIX = "a-prefix."
PUBLISHER_TOPICS = ("signals.woonstad", "trajectories.stratech", "trajectories.long-moved")
NAMES = Names(PREFIX, PUBLISHER_TOPICS)
PARTITIONS = 4
SOURCE = "urn:nld:test"
NOON = 1_772_280_000_000  # 2026-02-28T12:00Z
DAY = 86_400_000
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
CLOUD_EVENT = {"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "content-type"}


@dataclass
class Arrived:
    """A record as Kafka hands it over; `topic` is without prefix in the constructor, with it afterwards."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = NOON
    headers: Sequence[tuple[str, Any]] = ()

    def __post_init__(self) -> None:
        self.topic = NAMES(self.topic)


class Sent(NamedTuple):
    """A record that a handler sent; `topic` is without prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, Any], ...]

    @property
    def named(self) -> dict[str, Any]:
        """Headers by name, each of which comes once."""
        assert len(dict(self.headers)) == len(self.headers)
        return dict(self.headers)

    @property
    def letter(self) -> DeadLetter:
        assert self.topic == "dead-letters"
        found: DeadLetter = codec("DeadLetter").decode(self.value or b"")
        return found


@dataclass
class CollectedOutputs:
    """The outputs of a chunk on a broker that has exactly the topics of the layout."""

    sent: list[Sent] = field(default_factory=list)
    topics: frozenset[str] = frozenset(topic.name for topic in layout(NAMES, PARTITIONS))

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        self._check(topic)
        assert partition is None
        assert topic.startswith(PREFIX)
        self.sent.append(Sent(topic.removeprefix(PREFIX), key, value, tuple(headers)))

    def partition_for(self, topic: str, key: bytes | None) -> int:
        self._check(topic)
        assert key is not None
        return partition_of(key, PARTITIONS)

    def _check(self, topic: str) -> None:
        if topic not in self.topics:
            raise UnknownTopicError(topic)


class Stand:
    """A handler and its tables, all partitions held."""

    def __init__(self, tables: Sequence[str]) -> None:
        self.keys = ThrowawayKeys()
        self.publisher = Publisher(NAMES, SOURCE)
        self.tables: Mapping[str, PartitionedTable] = {name: PartitionedTable() for name in tables}
        for table in self.tables.values():
            for partition in range(PARTITIONS):
                table.hold(partition)
        self.handler: ChunkHandler

    def take(self, *records: Arrived, partition: int | None = None) -> list[Sent]:
        """What the records of one chunk bring."""
        outputs = CollectedOutputs()
        partition = records[0].partition if partition is None else partition
        with self._bound(partition):
            self.handler.handle(partition, records, outputs)
        return outputs.sent

    def sweep(self, partition: int, now: int) -> list[Sent]:
        """What one round of sweeping brings."""
        outputs = CollectedOutputs()
        with self._bound(partition):
            self.handler.sweep(partition, now, outputs)
        return outputs.sent

    def original(self, letter: Sent) -> OriginalRecord:
        """What the seal of a dead letter holds."""
        return open_original(letter.letter.sealed, letter.letter.dead_letter_id, self.keys.by_id)

    def changed(self) -> dict[str, set[bytes]]:
        """The keys that changed in each table since the last call: what the changelogs would get."""
        return {name: set(table.take_changes()) for name, table in self.tables.items()}

    def _bound(self, partition: int) -> ExitStack:
        stack = ExitStack()
        for table in self.tables.values():
            stack.enter_context(table.bound(partition))
        return stack


def on_topic(sent: Sequence[Sent], topic: str) -> list[Sent]:
    return [record for record in sent if record.topic == topic]


def wire(line: Mapping[str, Any], **more: Any) -> bytes:
    """A line's value in wire format."""
    record = codec("TrajectoryEvent" if line["topic"].startswith("trajectories") else "EarlySignal")
    return record.encode(record.from_json({**line["value"], **more}))


def home_of(key: bytes) -> int:
    """The partition of a key."""
    return partition_of(key, PARTITIONS)


def away_from(key: bytes) -> int:
    """A partition where a key's records do not belong."""
    return (home_of(key) + 1) % PARTITIONS
