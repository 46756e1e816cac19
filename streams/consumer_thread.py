"""The Kafka consumer in its thread: reads whole fetches, and positions.

Flows in: which partitions to read, and where to go on. Flows out: per partition the records of one fetch and
the position behind them.

Why not the stock thread (engine notes B.3, B.14): it resets to the end or the beginning when an offset is
gone, without a word; it reports no positions, so an offset behind transaction markers is never committed and a
finished partition keeps a lag; and a read that waits through a rebalance may move the position that was just
set for the new assignment. Here reading and seeking take turns, and a read that a rebalance overtook returns
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from mode.threads import WorkerThread
from signaalwissel.streams.chunk import Record
from signaalwissel.streams.loops import new_event_loop
from signaalwissel.streams.unasked import NoSilentEnd
from signaalwissel.streams.wire import ForgivingConsumer

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

POLL_S = 0.5
"""How long one read waits for records; a rebalance waits for a read under way."""


class Fetched(NamedTuple):
    """What one read brought for one partition; `position` may lie behind the last record (markers)."""

    tp: TopicPartition
    records: Sequence[Record]
    position: int


class DaemonWorker(WorkerThread):
    """A thread that does not keep a process alive that must end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.daemon = True


class ReassignmentListener(driver.ConsumerRebalanceListener):
    """Tells the thread in which moment an assignment ends, and when the next one begins."""

    _thread: ChunkThread

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> Any:
        """Note the end of the assignment, then go on as Faust does."""
        self._thread.revocations += 1
        return super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note the beginning of an assignment, then go on as Faust does."""
        self._thread.assigned_after = self._thread.revocations
        await super().on_partitions_assigned(assigned)


class ChunkThread(NoSilentEnd, driver.AIOKafkaConsumerThread):
    """Owns the aiokafka consumer; its methods with `_in_thread` run in the thread's loop.

    Attributes:
        revocations: how often partitions were revoked.
        assigned_after: the number of revocations when partitions were last assigned; while the two differ, the
            group rebalances.
    """

    app: ChunkApp
    Worker = DaemonWorker
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, thread_loop=new_event_loop(), **kwargs)
        self._close_thread_loop_on_stop = True
        self.revocations = 0
        self.assigned_after = 0
        self._reading_after = 0
        self._turn = asyncio.Lock()

    def _stopped_set(self) -> None:
        # After a crash the thread has ended by itself, and its loop with it.
        if not self.thread_loop.is_closed():
            super()._stopped_set()

    async def on_thread_stop(self) -> None:
        """Stop the consumer; a fetch that waits to try again, which it cancels itself, does not end the thread as a bug would."""
        with suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    def _create_worker_consumer(self, transport: Any) -> ForgivingConsumer:
        settings = self.app.settings
        self._assignor = self.app.assignor
        return ForgivingConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id=settings.app_id,
            group_id=settings.app_id,
            partition_assignment_strategy=[self.app.assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_poll_records=settings.max_poll_records,
            max_partition_fetch_bytes=settings.fetch_partition_bytes,
            fetch_max_bytes=settings.fetch_bytes,
            fetch_max_wait_ms=1000,
            request_timeout_ms=int(max(10.0, settings.rebalance_timeout_s + 5) * 1000),
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.heartbeat_s * 1000),
            rebalance_timeout_ms=int(settings.rebalance_timeout_s * 1000),
            max_poll_interval_ms=int(settings.max_poll_interval_s * 1000),
            **settings.connection,
        )

    async def read(self, partitions: Sequence[TopicPartition]) -> list[Fetched]:
        """Read what has come for `partitions`, waiting up to `POLL_S`.

        Raises:
            CorruptLogError: a batch cannot be read.
            KafkaError: the group, the log or the broker refuse; an offset that is gone among them.
        """
        fetched: list[Fetched] = await self.call_thread(self._read_in_thread, partitions)
        return fetched

    async def _read_in_thread(self, partitions: Sequence[TopicPartition]) -> list[Fetched]:
        async with self._turn:
            consumer = self._ensure_consumer()
            if self._overtaken:
                return []
            try:
                # Reading no partitions still tells the group that this worker lives.
                records = await consumer.getmany(*partitions, timeout_ms=int(POLL_S * 1000))
            except KafkaError:
                if self._overtaken:  # it is about positions of an assignment whose own are not set yet
                    return []
                raise
            if self._overtaken:
                return []
            return [Fetched(tp, records.get(tp, ()), await consumer.position(tp)) for tp in partitions]

    @property
    def _overtaken(self) -> bool:
        return self.revocations != self._reading_after

    async def go_on_at(
        self, positions: Mapping[TopicPartition, int], held: Collection[TopicPartition]
    ) -> None:
        """Set the positions of the new assignment and pause the partitions in `held`.

        Raises:
            IllegalStateError: the assignment is over already.
        """
        await self.call_thread(self._go_on_in_thread, positions, held)

    async def _go_on_in_thread(
        self, positions: Mapping[TopicPartition, int], held: Collection[TopicPartition]
    ) -> None:
        async with self._turn:
            if self.revocations != self.assigned_after:
                raise IllegalStateError("the partitions are revoked again")
            consumer = self._ensure_consumer()
            for tp, offset in positions.items():
                consumer.seek(tp, offset)
            consumer.pause(*held)
            self._reading_after = self.assigned_after

    async def release(self, held: Collection[TopicPartition]) -> None:
        """Read paused partitions again; those that are not assigned any more are skipped."""
        await self.call_thread(self._release_in_thread, held)

    async def _release_in_thread(self, held: Collection[TopicPartition]) -> None:
        async with self._turn:
            consumer = self._ensure_consumer()
            consumer.resume(*(consumer.assignment() & frozenset(held)))
