"""What chunks send, packed into Kafka batches while the handler runs.

Flows in: records from a handler, and the changes of the tables. Flows out: one or more batches per topic
partition, ready for the transaction; small chunks of one transaction share batches.

Why not `topic.send` (engine notes A and B.1): it costs 160 us a record in futures and sensor calls, and under
`exactly_once` it sends outside the transaction, because it derives the transactional id from the partition of
the output. Batches are built at once with aiokafka's C builder and handed over whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from aiokafka.producer.message_accumulator import BatchBuilder
from murmurhash2 import murmurhash2
from signaalwissel.streams.chunk import Headers
from signaalwissel.streams.errors import UnknownTopicError

KAFKA_SEED: Final = 0x9747B28C
"""Seed of the murmur2 hash in Kafka's default partitioner."""


class Batch(NamedTuple):
    """Records for one topic partition, in order."""

    topic: str
    partition: int
    builder: BatchBuilder


def partition_of(key: bytes, count: int) -> int:
    """The partition out of `count` that Kafka's own clients choose for `key`."""
    return (murmurhash2(key, KAFKA_SEED) & 0x7FFFFFFF) % count


class ChunkOutputs:
    """The outputs of chunks; see `signaalwissel.streams.chunk.Outputs` for what a handler may rely on.

    Attributes:
        sent: records sent so far, without changes of tables.
        now_ms: timestamp of the records, for topics that keep the producer's.
    """

    def __init__(
        self, partition: int, counts: Mapping[str, int], new_builder: Callable[[], BatchBuilder]
    ) -> None:
        self.sent = 0
        self.now_ms = 0
        self._partition = partition
        self._counts = counts
        self._new_builder = new_builder
        self._batches: list[Batch] = []
        self._filling: dict[tuple[str, int], BatchBuilder] = {}

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        """Add one record; see `Outputs.send`."""
        if partition is None:
            partition = self.partition_for(topic, key)
        self._append(topic, partition, key, value, headers)
        self.sent += 1

    def add_changes(self, topic: str, changes: Mapping[bytes, bytes | None]) -> None:
        """Add the changes of a table to the changelog partition with the input's number."""
        for key, value in changes.items():
            self._append(topic, self._partition, key, value, ())

    def partition_for(self, topic: str, key: bytes | None) -> int:
        """The partition that `send` would choose; see `Outputs.partition_for`."""
        count = self._counts.get(topic)
        if count is None:
            raise UnknownTopicError(
                f"there is no topic {topic!r} (as of this worker's start); make it with `topics apply`, "
                "then start the worker again"
            )
        return self._partition % count if key is None else partition_of(key, count)

    @property
    def waiting(self) -> bool:
        """True when there are records that were not taken."""
        return bool(self._batches)

    def take(self, at_most_bytes: int = 0) -> list[Batch]:
        """Take the full batches, and the others too if they hold more than `at_most_bytes` together.

        Batches of one topic partition come in the order of their records.
        """
        if sum(builder.size() for builder in self._filling.values()) > at_most_bytes:
            self._filling.clear()
        filling = set(map(id, self._filling.values()))
        taken = [batch for batch in self._batches if id(batch.builder) not in filling]
        self._batches = [batch for batch in self._batches if id(batch.builder) in filling]
        return taken

    def _append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        slot = (topic, partition)
        listed = headers if isinstance(headers, list) else list(headers)  # the C builder takes lists only
        builder = self._filling.get(slot)
        if builder is not None and (
            builder.append(timestamp=self.now_ms, key=key, value=value, headers=listed) is not None
        ):
            return
        builder = self._filling[slot] = self._new_builder()
        self._batches.append(Batch(topic, partition, builder))
        # The first record of a batch always fits; the broker judges whether it is too large.
        builder.append(timestamp=self.now_ms, key=key, value=value, headers=listed)
