"""A broker in memory: logs with transactions, fencing by transactional id, markers, committed offsets.

In: requests of producers and readers, one at a time. Out: what Kafka would answer. Kafka's habits that the engine must
bear are here: a commit is answered before its markers are in the logs, markers come partition by partition, the
offsets of a commit among them; a producer that takes over aborts what its forerunner left, and hears of it only when
that is settled; a transaction that stays open too long is aborted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aiokafka import TopicPartition
from aiokafka.errors import ConcurrentTransactions, InvalidProducerEpoch
from aiokafka.structs import OffsetAndMetadata

OFFSETS = TopicPartition("__consumer_offsets", 0)
OPEN, COMMITTED, ABORTED = "open", "committed", "aborted"
MARKER_S = 0.2
TOMBSTONES_S = 12.0
"""How long a reader may take from a record to its tombstone (Kafka: delete.retention.ms); no stall lasts so long."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in a log; without a transaction it is readable at once."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    part: Part | None = None
    control: bool = False


@dataclass(eq=False, slots=True)
class Part:
    """What a transaction has in one partition: where it begins there, and how it ended there."""

    first: int
    state: str = OPEN


@dataclass(slots=True)
class Producer:
    """The coordinator's memory of one transactional id."""

    epoch: int = 0
    ending: str | None = None
    ended: str = ABORTED
    since: float = 0.0
    parts: dict[TopicPartition, Part] = field(default_factory=dict)
    offsets: dict[TopicPartition, OffsetAndMetadata] = field(default_factory=dict)
    answered: dict[tuple[TopicPartition, int], int] = field(default_factory=dict)


class Broker:
    """All logs and transactions of one run."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: random.Random, timeout_s: float) -> None:
        self._loop = loop
        self._rng = rng
        self.timeout_s = timeout_s
        self.logs: dict[TopicPartition, list[Entry]] = {}
        self.beginnings: dict[TopicPartition, int] = {}
        self.topic_ids: dict[str, str] = {}
        self.producers: dict[str, Producer] = {}
        self.committed: dict[TopicPartition, OffsetAndMetadata] = {}
        self.commits: list[tuple[TopicPartition, int]] = []
        self.compacted = 0
        self._tombstones: dict[tuple[TopicPartition, int], float] = {}

    # Logs

    def make(self, topic: str, partitions: int) -> None:
        """Make a topic, or make it anew."""
        self.topic_ids[topic] = f"{len(self.topic_ids)}{self.topic_ids.get(topic, '')}"
        self.logs |= {TopicPartition(topic, number): [] for number in range(partitions)}

    def empty(self, topic: str) -> None:
        """Delete all records of a topic; offsets go on."""
        self.beginnings |= {tp: len(log) for tp, log in self.logs.items() if tp.topic == topic}

    def append(
        self, tp: TopicPartition, key: bytes | None, value: bytes | None, control: bool = False
    ) -> None:
        """Write outside any transaction; with `control` only an offset is taken, as by a marker."""
        log = self.logs[tp]
        stamp = int(self._loop.time() * 1000)
        log.append(Entry(tp.topic, tp.partition, len(log), stamp, key, value, control=control))

    def stable_end(self, tp: TopicPartition) -> int:
        """The last stable offset."""
        still_open = (p.parts[tp].first for p in self.producers.values() if self._is_open(p, tp))
        return min(still_open, default=len(self.logs[tp]))

    def written_end(self, tp: TopicPartition) -> int:
        """Behind the last record, whatever its transaction is."""
        return len(self.logs[tp])

    def fetch(self, tp: TopicPartition, start: int, at_most: int) -> tuple[list[Entry], int]:
        """Committed records from `start` on, and the position behind what was looked at."""
        start = max(start, self.beginnings.get(tp, 0))
        position = min(self.stable_end(tp), start + at_most)
        seen = self.logs[tp][start:position]
        return [one for one in seen if not one.control and _readable(one)], max(position, start)

    def compact(self, topic: str) -> None:
        """As Kafka's cleaner: of each key the newest committed record stays, a tombstone only for a while."""
        for tp, log in self.logs.items():
            if tp.topic != topic:
                continue
            seen = [one for one in log[: self.stable_end(tp)] if not one.control]
            newest = {one.key: one.offset for one in seen if _readable(one)}
            for one in seen:
                if newest.get(one.key) != one.offset or self._is_old_tombstone(tp, one):
                    log[one.offset] = replace(one, key=None, value=None, control=True)
                    self.compacted += 1

    def _is_old_tombstone(self, tp: TopicPartition, entry: Entry) -> bool:
        now = self._loop.time()
        since = self._tombstones.setdefault((tp, entry.offset), now) if entry.value is None else now
        return now - since > TOMBSTONES_S

    @staticmethod
    def _is_open(producer: Producer, tp: TopicPartition) -> bool:
        return tp in producer.parts and producer.parts[tp].state == OPEN

    # Transactions

    def take_over(self, transactional_id: str) -> int:
        """A new epoch; what the one before left open is aborted first.

        Raises:
            ConcurrentTransactions: it is not settled yet.
        """
        producer = self.producers.setdefault(transactional_id, Producer())
        if producer.ending is None and (producer.parts or producer.offsets):
            self._end(producer, ABORTED)
            producer.epoch += 1
        if producer.ending is not None:
            raise ConcurrentTransactions
        producer.epoch += 1
        producer.answered.clear()
        return producer.epoch

    def produce(
        self, transactional_id: str, epoch: int, tp: TopicPartition, number: int, batch: Iterable[Entry]
    ) -> int:
        """Write a batch; the same `number` again is answered as the first time."""
        producer = self._checked(transactional_id, epoch)
        if (tp, number) in producer.answered:
            return producer.answered[tp, number]
        part = self._joined(producer, tp)
        log = self.logs[tp]
        first = len(log)
        for entry in batch:
            log.append(
                Entry(
                    tp.topic,
                    tp.partition,
                    len(log),
                    entry.timestamp,
                    entry.key,
                    entry.value,
                    entry.headers,
                    part,
                )
            )
        producer.answered[tp, number] = first
        return first

    def add_offsets(
        self, transactional_id: str, epoch: int, offsets: dict[TopicPartition, OffsetAndMetadata]
    ) -> None:
        """Offsets that become committed with the transaction."""
        producer = self._checked(transactional_id, epoch)
        self._joined(producer, OFFSETS)
        producer.offsets |= offsets

    def commit(self, transactional_id: str, epoch: int) -> None:
        """Decide the commit; the markers follow by themselves."""
        producer = self.producers[transactional_id]
        if epoch != producer.epoch:
            raise InvalidProducerEpoch
        if producer.ending is None and producer.parts:
            self._end(producer, COMMITTED)

    def abort_the_old(self) -> None:
        """Abort every transaction that was open for too long."""
        now = self._loop.time()
        for producer in self.producers.values():
            if producer.parts and producer.ending is None and now - producer.since > self.timeout_s:
                producer.epoch += 1
                self._end(producer, ABORTED)

    def _checked(self, transactional_id: str, epoch: int) -> Producer:
        producer = self.producers[transactional_id]
        if epoch != producer.epoch:
            raise InvalidProducerEpoch
        if producer.ending is not None:
            raise ConcurrentTransactions
        return producer

    def _joined(self, producer: Producer, tp: TopicPartition) -> Part:
        if not producer.parts:
            producer.since = self._loop.time()
        first = len(self.logs[tp]) if tp in self.logs else 0
        return producer.parts.setdefault(tp, Part(first))

    def _end(self, producer: Producer, verdict: str) -> None:
        producer.ending = verdict
        for tp in producer.parts:
            self._loop.call_later(self._rng.random() * MARKER_S, self._mark, producer, tp)

    def _mark(self, producer: Producer, tp: TopicPartition) -> None:
        assert producer.ending is not None
        part = producer.parts[tp]
        part.state = producer.ending
        if tp != OFFSETS:
            log = self.logs[tp]
            log.append(Entry(tp.topic, tp.partition, len(log), 0, None, None, part=part, control=True))
        elif producer.ending == COMMITTED:
            self.committed |= producer.offsets
            self.commits += [(where, one.offset) for where, one in producer.offsets.items()]
        if all(one.state != OPEN for one in producer.parts.values()):
            producer.ended, producer.ending = producer.ending, None
            producer.parts, producer.offsets = {}, {}


def _readable(entry: Entry) -> bool:
    return entry.part is None or entry.part.state == COMMITTED
