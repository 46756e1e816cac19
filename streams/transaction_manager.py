"""The transactions of all assigned partitions, in the place of Faust's transaction manager.

Flows in: assignments, revocations, and requests to commit. Flows out: started, committed and stopped partition
transactions. Why the stock one is not enough is told in `signaalwissel.streams.transactions`; beyond that it
trusts a class-wide dictionary of producers, so that two apps in one process share them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError
from faust.transport.consumer import TransactionManager
from faust.types import TP
from signaalwissel.streams.errors import EngineError, LayoutError
from signaalwissel.streams.transactions import PartitionTransaction, Surroundings
from signaalwissel.streams.unasked import NoSilentEnd, unasked_is_failure

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)

ABANDON_S = 3.0
"""How long connections are given to close after a failure."""


class ChunkTransactions(NoSilentEnd, TransactionManager):
    """Holds one `PartitionTransaction` per assigned input partition.

    Attributes:
        dirty: set while some transaction has something to commit.
        broken: True after a failure; from then on nothing is committed any more.
    """

    app: ChunkApp
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dirty = asyncio.Event()
        self.broken = False
        self._by_partition: dict[int, PartitionTransaction] = {}

    def of(self, partition: int) -> PartitionTransaction | None:
        """The transaction of an assigned partition; None when it is not assigned."""
        return self._by_partition.get(partition)

    @property
    def partitions(self) -> list[int]:
        """Numbers of the assigned partitions."""
        return sorted(self._by_partition)

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP]) -> None:
        """Start a new producer for every assigned partition.

        Partitions that stay get one too: only after it is initialised are the offsets of the last commit
        certain to be readable (the broker answers a commit before they are).

        Raises:
            LayoutError: another member of the group reads other topics, so that the partitions of one number
                would be split over workers.
            CancelledByNobody: a client gave up; Faust would go on with the assignment, and without transactions.
        """
        with unasked_is_failure("taking partitions over"):
            await self._take_over(assigned)

    async def _take_over(self, assigned: Iterable[TP]) -> None:
        await self._stop_all()
        app = self.app
        await app.read_layout()
        if app.should_stop:
            # Told to stop meanwhile: the last commit has been, and nobody would close producers that begin now.
            return
        tables = {table.changelog: table for table in app.chunk_tables}
        surroundings = Surroundings(app.settings, app.stats, app.partition_counts, tables)
        numbers = _whole_partitions(assigned, app.inputs)
        started = {number: PartitionTransaction(number, surroundings) for number in numbers}
        self._by_partition = started
        await asyncio.gather(*(transaction.start() for transaction in started.values()))

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Do nothing: the consumer has committed and stopped the transactions before."""

    async def commit_all(self) -> bool:
        """Commit every transaction with content, all at the same time; True when there was one."""
        if self.broken:
            return False
        self.dirty.clear()
        due = [transaction for transaction in self._by_partition.values() if transaction.dirty]
        await asyncio.gather(*(self._commit(transaction) for transaction in due))
        return bool(due)

    async def _commit(self, transaction: PartitionTransaction) -> None:
        async with transaction.lock:
            if not self.broken:
                stream_time = self.app.stats.stream_times_ms.get(transaction.partition)
                try:
                    await transaction.commit(self.app.settings.app_id, stream_time)
                except BaseException:
                    # Before the lock is free: who waits for it must not commit what is left of a failed transaction.
                    self.broken = True
                    raise

    async def finish(self) -> None:
        """Wait for chunks under way, commit, and stop all producers."""
        await self.commit_all()
        # A chunk that held its lock while the list of due transactions was made has made its own dirty since.
        for transaction in list(self._by_partition.values()):
            if not self.broken:
                await self._commit(transaction)
        await self._stop_all()

    async def abandon(self) -> None:
        """Close all connections without a commit, after a failure; the next owner aborts what is open."""
        self.broken = True
        try:
            async with asyncio.timeout(ABANDON_S):
                await self._stop_all()
        except (TimeoutError, KafkaError) as error:
            log.warning("transactions were left open; the broker aborts them: %r", error)

    async def _stop_all(self) -> None:
        stopped, self._by_partition = self._by_partition, {}
        await asyncio.gather(*(transaction.stop() for transaction in stopped.values()))

    async def send(self, topic: str, *_args: Any, **_kwargs: Any) -> Any:
        """Refuse: a record that Faust sends by itself would leave outside the transaction."""
        raise EngineError(f"a record for {topic} was sent past the outputs of its chunk")

    async def flush(self) -> None:
        """Do nothing: a commit waits for its own outputs."""


def _whole_partitions(assigned: Iterable[TP], inputs: Iterable[str]) -> list[int]:
    wanted = set(inputs)
    topics_of: dict[int, set[str]] = {}
    for tp in assigned:
        if tp.topic in wanted:
            topics_of.setdefault(tp.partition, set()).add(tp.topic)
    for partition, topics in topics_of.items():
        if topics != wanted:
            raise LayoutError(
                f"this worker got partition {partition} of {sorted(topics)}, but not of "
                f"{sorted(wanted - topics)}: another worker of the group reads other topics. "
                "Stop the workers of the other version first."
            )
    return sorted(topics_of)
