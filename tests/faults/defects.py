"""Seeded defects: wrong versions of the product, planted to learn whether the checker sees them.

Each one is a mistake that somebody could make, and each needs the fault that goes with it to show. The reach of a run
with one of them is the same as of a run without.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from signaalwissel.processors.emissions import DEAD_LETTERS
from signaalwissel.sinks import offsets, writer
from signaalwissel.sinks.records import Place, Progress
from signaalwissel.streams import intake
from signaalwissel.streams.outputs import Batch
from signaalwissel.streams.processor import ChunkProcessor
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.transactions import PartitionTransaction
from sqlalchemy import Connection

_THIRD = 3


def commit_before_produce() -> None:
    """The offsets are committed first, and then what was made of them: a kill between the two loses it."""
    original = PartitionTransaction.commit

    async def commit(self: PartitionTransaction, group_id: str, stream_time_ms: int | None) -> None:
        late = self._outputs.take()
        await original(self, group_id, stream_time_ms)
        if late:
            await self._enqueue(late)
            for state, next_offset in await self._acknowledged():
                state.reached(next_offset)
            self._deliveries.clear()
            await self._producer.commit_transaction()
            await self._producer.begin_transaction()

    PartitionTransaction.commit = commit  # type: ignore[method-assign]


def swallowed_exception() -> None:
    """A chunk whose handling raises is logged away and counts as handled; the third one raises."""
    original = ChunkProcessor._handle
    chunks = itertools.count(1)

    async def handle(self: ChunkProcessor, chunk: Any, transaction: PartitionTransaction) -> None:
        try:
            if chunk.records and next(chunks) == _THIRD:
                raise ZeroDivisionError
            await original(self, chunk, transaction)
        except ZeroDivisionError:
            tp = TopicPartition(chunk.topic, chunk.partition)
            transaction.handled(tp, chunk.end)
            self._stats.next_offsets[tp] = chunk.end
            self._app.transactions.dirty.set()

    ChunkProcessor._handle = handle  # type: ignore[method-assign]


def wrong_transactional_id() -> None:
    """Outputs leave by a producer with a transactional id of its own, which commits them by itself."""
    producers: dict[int, AIOKafkaProducer] = {}

    async def send(self: PartitionTransaction, builder: Any, batch: Batch) -> Any:
        if batch.topic in self._tables:
            return await self._producer.send_batch(builder, batch.topic, partition=batch.partition)
        producer = producers.get(self.partition)
        if producer is None:
            settings = self._settings
            producer = producers[self.partition] = AIOKafkaProducer(
                bootstrap_servers=settings.bootstrap,
                transactional_id=f"{settings.app_id}-output-{batch.partition}-{self.partition}",
                max_batch_size=settings.batch_bytes,
            )
            await producer.start()
        async with producer.transaction():
            sent = await producer.send_batch(builder, batch.topic, partition=batch.partition)
            await sent
        return sent

    PartitionTransaction._send = send  # type: ignore[method-assign]


def clock_dependent_rule() -> None:
    """Intake takes the wall clock for the moment at which a signal was received."""
    original = intake.read_early_signal

    def read(data: bytes) -> Any:
        return original(data)._replace(received_at=time.time_ns() // 1_000_000)

    intake.read_early_signal = read  # type: ignore[assignment]


def dropped_dead_letter() -> None:
    """What could not be handled is not told."""
    original = PartitionTransaction._enqueue

    async def enqueue(self: PartitionTransaction, batches: Iterable[Batch]) -> None:
        await original(self, [batch for batch in batches if not batch.topic.endswith(DEAD_LETTERS)])

    PartitionTransaction._enqueue = enqueue  # type: ignore[method-assign]


def sink_offsets_outside_the_transaction() -> None:
    """The sink's offsets are committed on a second connection, before the rows that they stand for."""
    original = offsets.advance

    def advance(connection: Connection, progress: Mapping[Place, Progress]) -> None:
        with connection.engine.connect() as second, second.begin():
            original(second, progress)

    writer.offsets.advance = advance


def dropped_tombstone() -> None:
    """What a handler deletes from a table stays in its changelog, and comes back with the next start."""
    original = PartitionedTable.take_changes

    def take_changes(self: PartitionedTable) -> dict[bytes, bytes | None]:
        return {key: value for key, value in original(self).items() if value is not None}

    PartitionedTable.take_changes = take_changes  # type: ignore[method-assign]


@dataclass(frozen=True)
class Defect:
    """A wrong version of the product.

    Attributes:
        plant: Makes the product of this process wrong.
        told_by: How what the checker must say of it begins: one of these, or it was not this defect that it saw.
    """

    plant: Callable[[], None]
    told_by: tuple[str, ...]


_LOST, _DOUBLED = "I1 accepted and not routed", "I2 routed more than once"
DEFECTS: dict[str, Defect] = {
    "commit-before-produce": Defect(commit_before_produce, (_LOST, "I8 refused without a dead letter")),
    "swallowed-exception": Defect(swallowed_exception, (_LOST,)),
    "wrong-transactional-id": Defect(wrong_transactional_id, (_DOUBLED, "I2 revisions with a gap or twice")),
    "clock-dependent-rule": Defect(clock_dependent_rule, ("I1 routed and never accepted",)),
    "dropped-dead-letter": Defect(dropped_dead_letter, ("I8 refused without a dead letter",)),
    "sink-offsets-outside-the-transaction": Defect(
        sink_offsets_outside_the_transaction, ("I7 revisions without an audit row",)
    ),
    "dropped-tombstone": Defect(dropped_tombstone, ("I3 recent signals of the matcher",)),
}
