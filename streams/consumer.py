"""The app's consumer: turns fetches into chunks, and brackets every rebalance.

Flows in: fetched records per partition, revocations, the command to commit. Flows out: chunks to Faust's
conductor (and so to the agent), commits of all transactions.

Why not the stock consumer (engine notes A, B.2, B.4): it wraps every message in two tasks; it finds the offset
to commit by searching gaps in a list of acknowledged offsets, with an off-by-one that can skip a record; it
commits on its own timer whatever was acknowledged by then; and after a rebalance it rewinds while old events
are still being handled. Here an offset becomes committable only by `PartitionTransaction.handled`, and a
revocation first closes the admission, then waits for the chunk under way, commits, and stops the producers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from faust.transport.consumer import Fetcher
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service
from signaalwissel.streams.chunk import Chunk
from signaalwissel.streams.consumer_thread import ChunkThread, Fetched, ReassignmentListener
from signaalwissel.streams.errors import OffsetLostError
from signaalwissel.streams.transaction_manager import ChunkTransactions
from signaalwissel.streams.unasked import NoSilentEnd, asked_to_end

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)

FEW_RECORDS = 256
GATHER_S = 0.01
"""After a read of few records more are let gather: at 2,000 a second it halves the processor time."""


class ChunkFetcher(NoSilentEnd, Fetcher):
    """Runs the reading; the stock one crashes the app when it is stopped while the group rebalances."""

    app: ChunkApp
    mundane_level = "debug"

    @Service.task
    async def _fetcher(self) -> None:
        try:
            await self.app.consumer.deliver_chunks(self)
        finally:
            self.set_shutdown()


class ChunkConsumer(NoSilentEnd, driver.Consumer):
    """One message per (partition, fetch); offsets, acknowledgements and commits belong to the transactions."""

    app: ChunkApp
    transactions: ChunkTransactions
    _thread: ChunkThread
    RebalanceListener = ReassignmentListener
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._positions: dict[TopicPartition, int] = {}
        self._held: frozenset[TopicPartition] = frozenset()
        self._wanted: list[TopicPartition] = []

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    # Reading

    async def deliver_chunks(self, fetcher: Service) -> None:
        """Read and deliver until `fetcher` stops.

        Raises:
            OffsetLostError: the log lost the records that were due, while this worker was reading.
        """
        while not (self.should_stop or fetcher.should_stop):
            if not self.app.admission.is_open:
                await self.wait_for_stopped(self.app.admission.opened)  # type: ignore[arg-type]
                continue
            epoch = self.app.admission.epoch
            try:
                await self._read_and_deliver(epoch)
            except OffsetOutOfRangeError as error:
                raise await self._explained(error) from error
            except self.consumer_stopped_errors:
                if self.app.should_stop:
                    return
                raise
            except asyncio.CancelledError:
                # A rebalance has Faust empty its queues and cancel what waits for room in them: those chunks are of the
                # past then.
                if asked_to_end() or epoch == self.app.admission.epoch:
                    raise

    async def _read_and_deliver(self, epoch: int) -> None:
        fetched = await self._thread.read(self._wanted)
        for part in fetched:
            if epoch != self.app.admission.epoch:
                break
            await self._deliver(part, epoch)
        if fetched and sum(len(part.records) for part in fetched) < FEW_RECORDS:
            await asyncio.sleep(GATHER_S)

    async def _deliver(self, part: Fetched, epoch: int) -> None:
        tp, records, end = part
        start = self._positions[tp]
        if end == start:
            return
        self._positions[tp] = end
        chunk = Chunk(tp.topic, tp.partition, records, start, end, epoch)
        carried: Any = chunk  # what Faust takes for the bytes of one message
        message = ConsumerMessage(
            tp.topic, tp.partition, end - 1, 0.0, 0, None, None, carried, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        # The conductor's queue is full while the agent is two chunks behind: this waits then.
        await self.callback(message)

    async def _explained(self, error: OffsetOutOfRangeError) -> Exception:
        (places,) = error.args
        tp, offset = next(iter(places.items()))
        beginning = (await self.app.cluster.beginnings([tp]))[tp]
        end = (await self.app.cluster.ends([tp]))[tp]
        return OffsetLostError(f"{tp.topic}[{tp.partition}]", offset, beginning, end)

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full queue makes `_deliver` wait, which is all the back pressure there is to be."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing; see `on_buffer_full`."""

    # Assignments

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Close the admission, let the chunk under way finish, commit, stop the producers; then as Faust does."""
        self.app.admission.close()
        self.app.stats.in_recovery = True
        if revoked:
            log.info("partitions are revoked; committing what is complete")
        async with self.app.fatal_failures():
            await self.transactions.finish()
        await super().on_partitions_revoked(revoked)

    async def go_on_at(self, positions: Mapping[TopicPartition, int]) -> None:
        """Set where reading goes on; held-back topics stay paused.

        Raises:
            IllegalStateError: the assignment is over already.
        """
        holds = self.app.cold_start.holds
        self._positions = dict(positions)
        self.app.stats.committed_offsets = dict(positions)
        self._held = frozenset(tp for tp in positions if holds(tp.topic))
        await self._thread.go_on_at(positions, self._held)
        self._wanted = [tp for tp in positions if tp not in self._held]

    async def release_held(self) -> None:
        """Read the topics that were held back until now."""
        held, self._held = self._held, frozenset()
        if held:
            await self._thread.release(held)
            # A new assignment may have come in between: its positions count, not those of the held ones.
            self._wanted = [tp for tp in self._positions if tp not in self._held]

    # Committing

    @Service.task
    async def _commit_handler(self) -> None:
        # The loop's clock, by which it also sleeps: a simulated loop brings its own.
        clock = asyncio.get_running_loop().time
        interval, began = self.app.settings.commit_interval_s, clock()
        while not await self.wait_for_stopped(self.transactions.dirty):  # type: ignore[arg-type]
            # Counted from the beginning of the last commit: what a commit takes is no longer added to each wait,
            # and what comes after a pause waits for nothing.
            await asyncio.sleep(max(0.0, began + interval - clock()))
            began = clock()
            await self.transactions.commit_all()

    @Service.task
    async def _commit_livelock_detector(self) -> None:
        """Do nothing: `EngineStats` tells lag and last commit, and a health check judges them."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit whatever is complete; Faust calls this when it stops."""
        return await self.transactions.commit_all()

    async def finish(self) -> None:
        """Take no more chunks, commit what is complete, and end all transactions."""
        self.app.admission.close()
        await self.transactions.finish()


def partitions_of(assigned: Iterable[Any], topics: Iterable[str]) -> list[TopicPartition]:
    """The assigned partitions of `topics`, in order."""
    wanted = set(topics)
    return sorted(TopicPartition(tp.topic, tp.partition) for tp in assigned if tp.topic in wanted)
