"""One Kafka transaction per input partition, and the lock that keeps half a chunk out of a commit.

Flows in: the batches of handled chunks and the offsets behind them. Flows out: committed transactions.

Why stock Faust is not enough (engine notes B.1, B.2, B.4, B.8, B.10): its outputs leave outside the
transaction; its commit takes along whatever is in the producer, outputs of unacknowledged events included; at
a rebalance it begins a transaction on a producer that still has one, logs the error and goes on; and its
transactional ids hang on an index over the partition counts of all topics, so that a new topic renames them
and breaks fencing. Here the id is `<app>-<input partition>`, every assignment starts new producers (which
fences whoever held the partition and waits until his last transaction is settled), and outputs are known to
be in the log before the offsets join the transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.bounded import bounded
from signaalwissel.streams.errors import TransactionLostError
from signaalwissel.streams.outputs import Batch, ChunkOutputs
from signaalwissel.streams.positions import Note, Position
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.stats import EngineStats
from signaalwissel.streams.table import PartitionedTable, TableState
from signaalwissel.streams.topics import table_of

log = logging.getLogger(__name__)

WORTH_A_REQUEST_BYTES = 64 << 10
"""Outputs below this wait for those of further chunks: at low load a chunk is one record."""

REQUEST_TIMEOUT_S = 10.0
"""A request without an answer is repeated after this; the settings bound how often."""


@dataclass(slots=True)
class Delivery:
    """A batch under way."""

    batch: Batch
    records: int
    acknowledged: Awaitable[Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the transactions of one app share: how it runs, the counts of its topics, its tables by changelog."""

    settings: EngineSettings
    stats: EngineStats
    partition_counts: Mapping[str, int]
    tables: Mapping[str, PartitionedTable]


class PartitionTransaction:
    """The transaction of one input partition; `lock` makes a chunk and a commit exclude each other.

    All other methods are called with the lock held.
    """

    def __init__(self, partition: int, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        self.partition = partition
        self.lock = asyncio.Lock()
        self._settings = settings
        self._stats = surroundings.stats
        self._tables = surroundings.tables
        self._id = f"{settings.app_id}-{partition}"
        self._producer = self._new_producer()
        self._stopped = False
        self._outputs = ChunkOutputs(partition, surroundings.partition_counts, self._producer.create_batch)
        self._deliveries: list[Delivery] = []
        self._offsets: dict[TopicPartition, int] = {}

    def _new_producer(self) -> AIOKafkaProducer:
        settings = self._settings
        return AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            client_id=self._id,
            transactional_id=self._id,
            transaction_timeout_ms=int(settings.transaction_timeout_s * 1000),
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            max_batch_size=settings.batch_bytes,
            **settings.connection,
        )

    async def start(self) -> None:
        """Fence the former owner, wait until his transaction is settled, and begin."""
        try:
            async with self._guarded("taking over"):
                await self._producer.start()
                await self._producer.begin_transaction()
        except TransactionLostError:
            # A stop that overtakes the start closes its connections; nothing had begun that could be lost.
            if not self._stopped:
                raise

    async def stop(self) -> None:
        """Close the connections; what is uncommitted never becomes readable."""
        self._stopped = True
        await self._producer.stop()

    def outputs(self) -> ChunkOutputs:
        """Where the next chunk's outputs go; those of small chunks that are not committed yet may wait there."""
        self._outputs.now_ms = int(time.time() * 1000)
        return self._outputs

    @property
    def dirty(self) -> bool:
        """True when there is something to commit."""
        return bool(self._deliveries or self._offsets or self._outputs.waiting)

    async def forward(self) -> None:
        """Hand to the producer what is worth a request; the rest waits for company, at most until the commit."""
        batches = self._outputs.take(WORTH_A_REQUEST_BYTES)
        if batches:
            async with self._guarded("sending outputs"):
                await self._enqueue(batches)

    async def _enqueue(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            batch.builder.close()  # a closed batch leaves at once, without lingering
            records = batch.builder.record_count()
            self._deliveries.append(Delivery(batch, records, await self._send(batch.builder, batch)))

    async def _send(self, builder: BatchBuilder, batch: Batch) -> Awaitable[Any]:
        while True:
            try:
                return await self._producer.send_batch(builder, batch.topic, partition=batch.partition)
            except KafkaTimeoutError:
                # The previous batch of that partition is still waiting for a broker; the guard sets the bound.
                log.warning("%s: %s[%d] takes no more batches yet", self._id, batch.topic, batch.partition)

    def handled(self, tp: TopicPartition, next_offset: int) -> None:
        """Note that everything of `tp` before `next_offset` is handled: the commit will say so."""
        self._offsets[tp] = next_offset

    async def commit(self, group_id: str, stream_time_ms: int | None) -> None:
        """Commit outputs, table changes and offsets together, and begin the next transaction.

        Raises:
            TransactionLostError: the broker refused an output, or another worker took the partition over.
            BrokerAwayError: no answer within the bound.
        """
        if not self.dirty:
            return
        began_s = time.monotonic()
        async with self._guarded("committing"):
            await self._enqueue(self._outputs.take())
            # aiokafka commits a transaction although one of its batches failed, so they are awaited first. The offsets
            # join after that: beside it they saved a round trip on a slow network, and doubled p99 on a fast one
            # (docs/adr/0012).
            written = await self._acknowledged()
            await self._join_offsets(group_id, stream_time_ms, written)
            await self._producer.commit_transaction()
            for state, next_offset in written:
                state.reached(next_offset)
            self._stats.advances += bool(self._offsets)
            self._stats.committed_offsets.update(self._offsets)
            for delivery in self._deliveries:
                self._stats.note_sent(delivery.batch.topic, delivery.records)
            self._deliveries.clear()
            self._offsets.clear()
            await self._producer.begin_transaction()
        self._stats.note_commit(began_s, time.monotonic())

    async def _join_offsets(
        self, group_id: str, stream_time_ms: int | None, written: list[tuple[TableState, int]]
    ) -> None:
        if self._offsets:
            metadata = Note(stream_time_ms, self._positions(written)).text()
            offsets = {tp: OffsetAndMetadata(offset, metadata) for tp, offset in self._offsets.items()}
            await self._producer.send_offsets_to_transaction(offsets, group_id)

    def _positions(self, written: list[tuple[TableState, int]]) -> dict[str, Position]:
        """How far each table's changelog goes with this transaction; of what an older version read, nothing."""
        reached = {id(state): next_offset for state, next_offset in written}
        states = {
            table_of(self._settings.app_id, changelog): table.held.get(self.partition)
            for changelog, table in self._tables.items()
        }
        return {
            name: Position(state.origin, reached.get(id(state), state.next_offset))
            for name, state in states.items()
            if state is not None and state.origin is not None
        }

    async def _acknowledged(self) -> list[tuple[TableState, int]]:
        """Wait for the log; the table partitions that changed, with the offsets behind their changes."""
        written: list[tuple[TableState, int]] = []
        results = await asyncio.gather(*(d.acknowledged for d in self._deliveries), return_exceptions=True)
        for delivery, result in zip(self._deliveries, results, strict=True):
            topic, partition, _builder = delivery.batch
            if isinstance(result, BaseException):
                log.error(
                    "%s: the broker refused %d record(s) for %s[%d]: %r",
                    self._id, delivery.records, topic, partition, result,
                )  # fmt: skip
                raise result
            if topic in self._tables and result.offset >= 0:
                state = self._tables[topic].held[self.partition]
                written.append((state, result.offset + delivery.records))
        return written

    @asynccontextmanager
    async def _guarded(self, doing: str) -> AsyncIterator[None]:
        try:
            async with bounded(f"{doing} ({self._id})", self._settings.broker_timeout_s):
                yield
        except KafkaError as error:
            raise TransactionLostError(self._id, error) from error
