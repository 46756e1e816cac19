"""Defects planted into the engine, to see that the simulation finds them. In: a name. Out: the engine, broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from itertools import count
from typing import Any
from unittest.mock import patch

from aiokafka import TopicPartition
from mode import Service
from signaalwissel.streams import app, transaction_manager
from signaalwissel.streams.admission import Admission
from signaalwissel.streams.app import ChunkApp
from signaalwissel.streams.changelog import ChangelogReader
from signaalwissel.streams.processor import ChunkProcessor
from signaalwissel.streams.table import PartitionedTable, TableState
from signaalwissel.streams.transactions import PartitionTransaction
from signaalwissel.streams.unasked import NoSilentEnd

COMMIT, START = PartitionTransaction.commit, PartitionTransaction.__init__


@contextmanager
def commit_before_produce() -> Iterator[None]:
    """Outputs that wait for company leave after the commit of their offsets."""

    async def commit(self: PartitionTransaction, group_id: str, stream_time_ms: int | None) -> None:
        waiting = self._outputs.take()
        await COMMIT(self, group_id, stream_time_ms)
        await self._enqueue(waiting)

    with patch.object(PartitionTransaction, "commit", commit):
        yield


@contextmanager
def half_a_chunk_in_a_commit() -> Iterator[None]:
    """Nothing keeps a commit out while a chunk is handed over."""

    def start(self: PartitionTransaction, *args: Any) -> None:
        START(self, *args)
        self.lock = asyncio.Semaphore(99)  # type: ignore[assignment]

    with patch.object(PartitionTransaction, "__init__", start):
        yield


@contextmanager
def refused_output_passed_over() -> Iterator[None]:
    """What the broker refused is not in the way of the commit."""

    async def acknowledged(self: PartitionTransaction) -> list[Any]:
        await asyncio.gather(
            *(delivery.acknowledged for delivery in self._deliveries), return_exceptions=True
        )
        return []

    with patch.object(PartitionTransaction, "_acknowledged", acknowledged):
        yield


@contextmanager
def wrong_transactional_id() -> Iterator[None]:
    """Each assignment makes up an id, so that nobody is fenced."""
    numbers = count()

    def start(self: PartitionTransaction, *args: Any) -> None:
        START(self, *args)
        self._producer._id = f"{self._id}-{next(numbers)}"

    with patch.object(PartitionTransaction, "__init__", start):
        yield


@contextmanager
def swallowed_exception() -> Iterator[None]:
    """A failure is passed over, and the work goes on."""

    @asynccontextmanager
    async def passed_over(_app: ChunkApp) -> AsyncIterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 that is the defect
            return

    with patch.object(ChunkApp, "fatal_failures", passed_over):
        yield


@contextmanager
def table_not_read() -> Iterator[None]:
    """A recovery thinks that the changelog has nothing new."""

    async def read(_self: ChangelogReader, states: Any, _logs: Any) -> set[TopicPartition]:
        return set(states)

    with patch.object(ChangelogReader, "read", read):
        yield


@contextmanager
def late_chunk_handled() -> Iterator[None]:
    """Chunks of an assignment that is over are handled, wherever they begin."""

    async def handle(self: ChunkProcessor, chunk: Any, transaction: PartitionTransaction) -> None:
        self._stats.next_offsets[TopicPartition(chunk.topic, chunk.partition)] = chunk.start
        await HANDLE(self, chunk, transaction)

    with patch.object(Admission, "admits", lambda *_: True), patch.object(ChunkProcessor, "_handle", handle):
        yield


@contextmanager
def on_disk_before_the_commit() -> Iterator[None]:
    """A table on disk takes over what is in the log, before the transaction is committed, as Faust's own does."""

    async def acknowledged(self: PartitionTransaction) -> list[tuple[TableState, int]]:
        written = await ACKNOWLEDGED(self)
        for state, next_offset in written:
            state.reached(next_offset)
        return written

    with patch.object(PartitionTransaction, "_acknowledged", acknowledged):
        yield


@contextmanager
def cancellation_taken_for_a_stop() -> Iterator[None]:
    """A task ends as if it had been told to when its client gives up, as Faust's services do it."""
    with (
        patch.object(NoSilentEnd, "_execute_task", Service._execute_task),
        patch.object(app, "unasked_is_failure", nullcontext),
        patch.object(transaction_manager, "unasked_is_failure", nullcontext),
    ):
        yield


@contextmanager
def dropped_tombstone() -> Iterator[None]:
    """What a handler deletes from a table stays in its changelog."""

    def take_changes(self: PartitionedTable) -> dict[bytes, bytes | None]:
        return {key: value for key, value in TAKE_CHANGES(self).items() if value is not None}

    with patch.object(PartitionedTable, "take_changes", take_changes):
        yield


HANDLE, TAKE_CHANGES = ChunkProcessor._handle, PartitionedTable.take_changes
ACKNOWLEDGED = PartitionTransaction._acknowledged

ENGINE_DEFECTS: tuple[Callable[[], AbstractContextManager[None]], ...] = (
    commit_before_produce,
    half_a_chunk_in_a_commit,
    refused_output_passed_over,
    wrong_transactional_id,
    swallowed_exception,
    table_not_read,
    late_chunk_handled,
    cancellation_taken_for_a_stop,
    dropped_tombstone,
)
