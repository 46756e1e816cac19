"""The body of the one agent: handles a chunk inside its partition's transaction, and sweeps.

Flows in: chunks, and the clock that starts sweeps. Flows out: outputs, table changes and offsets, handed to
the partition's transaction as one.

Why not a plain agent (engine notes B.2, B.7): Faust acknowledges an event whose agent raised, keeps what it
had changed in tables, and starts the agent again; and a commit may fall between two outputs of one event.
Here the whole chunk happens under the lock of its transaction, after the admission was asked: from there on it
is committed as a whole, or the process ends. Therefore tables can be changed in place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from aiokafka import TopicPartition
from faust import Stream
from faust.types import StreamT
from signaalwissel.streams.chunk import Chunk, ChunkHandler, Record
from signaalwissel.streams.errors import BrokenOrderError
from signaalwissel.streams.outputs import ChunkOutputs
from signaalwissel.streams.table import ChunkTable
from signaalwissel.streams.transactions import PartitionTransaction

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)

timestamp_of = attrgetter("timestamp")


class ChunkProcessor:
    """Runs the handler of one app."""

    def __init__(self, app: ChunkApp, handler: ChunkHandler, tables: Sequence[ChunkTable]) -> None:
        self._app = app
        self._handler = handler
        self._tables = tables
        self._stats = app.stats

    async def run(self, stream: StreamT) -> None:
        """The agent: handle chunk after chunk until the app stops."""
        async for event in cast("Stream[Chunk]", stream).noack().events():
            await self.process(event.value)

    async def process(self, chunk: Chunk) -> None:
        """Handle one chunk, or drop it when a rebalance has overtaken it.

        Raises:
            BaseException: whatever the handler or the transaction raises; the app is then crashed.
        """
        self._stats.in_hand = len(chunk.records)
        async with self._app.fatal_failures():
            if chunk.records:
                await self._handler.before_chunk(chunk.partition, chunk.records)
            transaction = self._app.transactions.of(chunk.partition)
            if transaction is None:
                self._stats.dropped_chunks += 1
                self._stats.in_hand = 0
                return
            async with transaction.lock:
                if self._app.admission.admits(chunk):
                    await self._handle(chunk, transaction)
                else:
                    self._stats.dropped_chunks += 1
        self._stats.in_hand = 0

    async def sweep(self, partition: int) -> None:
        """Let the handler clean up one partition, unless it is not assigned or saw no record yet."""
        async with self._app.fatal_failures():
            transaction = self._app.transactions.of(partition)
            stream_time = self._stats.stream_times_ms.get(partition)
            if transaction is None or stream_time is None:
                return
            async with transaction.lock:
                if self._app.admission.is_open and self._app.transactions.of(partition) is transaction:
                    with self._sending(transaction) as outputs:
                        self._handler.sweep(partition, stream_time, outputs)
                    await transaction.forward()
                    self._app.transactions.dirty.set()
                    self._stats.sweeps += 1

    async def _handle(self, chunk: Chunk, transaction: PartitionTransaction) -> None:
        tp = TopicPartition(chunk.topic, chunk.partition)
        expected = self._stats.next_offsets.get(tp)
        if expected != chunk.start:
            raise BrokenOrderError(
                f"{tp.topic}[{tp.partition}]: a chunk begins at offset {chunk.start} where {expected} was due; "
                "please report this. Nothing was acknowledged beyond it; a restart reads from there"
            )
        if chunk.records:
            began_s = time.monotonic()
            with self._sending(transaction) as outputs:
                self._handler.handle(chunk.partition, chunk.records, outputs)
            self._stats.note_chunk(tp.topic, len(chunk.records), time.monotonic() - began_s)
            await transaction.forward()
            self._note(tp, chunk.records)
        transaction.handled(tp, chunk.end)
        self._stats.next_offsets[tp] = chunk.end
        self._app.transactions.dirty.set()

    def _note(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        stats = self._stats
        newest = max(map(timestamp_of, records))
        stats.handled_ms[tp] = newest
        stats.stream_times_ms[tp.partition] = max(newest, stats.stream_times_ms.get(tp.partition, newest))

    @contextmanager
    def _sending(self, transaction: PartitionTransaction) -> Iterator[ChunkOutputs]:
        """Bind the tables to the partition; what the block changed in them follows what it sent."""
        outputs = transaction.outputs()
        before = outputs.sent
        with ExitStack() as stack:
            for table in self._tables:
                stack.enter_context(table.bound(transaction.partition))
            yield outputs
        for table in self._tables:
            changes = table.take_changes()
            outputs.add_changes(table.changelog, changes)
            self._stats.changes += len(changes)
        self._stats.outputs += outputs.sent - before
