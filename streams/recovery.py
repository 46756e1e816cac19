"""From an assignment to the first chunk: tables, offsets, and the opening of the admission.

Flows in: assigned partitions. Flows out: complete tables, checked reading positions, an open admission.

Why stock Faust is not enough (engine notes B.3, B.4, B.14 and A): see `changelog` for the tables. Then it seeks
to the committed offsets without looking whether the log still has them, and lets aiokafka reset in silence; it
does not subscribe apart from the changelogs, so a worker keeps fetching what it has just written itself. Here
the group reads input topics only; changelog partition p belongs to whoever has input partition p.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from aiokafka.structs import OffsetAndMetadata
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.types import TP
from mode import Service
from signaalwissel.streams.changelog import ChangelogReader
from signaalwissel.streams.collector import filling
from signaalwissel.streams.consumer import partitions_of
from signaalwissel.streams.errors import OffsetLostError
from signaalwissel.streams.losses import checked, notes_of, readable_logs, unnoted
from signaalwissel.streams.positions import Note
from signaalwissel.streams.unasked import NoSilentEnd, asked_to_end

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)


class ChunkRecovery(NoSilentEnd, Recovery):
    """Runs once per assignment; a further rebalance interrupts it and starts it again."""

    app: ChunkApp
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._assigned: list[TopicPartition] = []
        self._epoch = 0
        self._announced: set[int] = set()
        self._stale: set[int] = set()

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Note the assignment and start; an assignment that is over already is left to its successor."""
        if generation_id != self.app.consumer_generation_id:
            return
        self._assigned = partitions_of(assigned, self.app.inputs)
        self._epoch = self.app.admission.epoch
        self._generation_id = generation_id
        self.app.stats.rebalances += 1
        self.signal_recovery_start.set()

    @Service.task
    async def _restart_recovery(self) -> None:
        while not await self.wait_for_stopped(self.signal_recovery_start):  # type: ignore[arg-type]
            self.signal_recovery_start.clear()
            try:
                await self._wait(self._recover(self._epoch))
            except (RebalanceAgain, IllegalStateError):
                log.info("a rebalance interrupted the recovery; it starts again")
            except asyncio.CancelledError:
                if self.should_stop or asked_to_end():
                    raise
                # A client that loses its connection may cancel what waits for it. Faust would end this task without a
                # word, and a worker without it takes nothing over any more.
                log.warning("a lost connection interrupted the recovery; it starts again")
                self.signal_recovery_start.set()
            except ServiceStopped:
                return

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Do nothing: changelogs are not read through Faust's queue."""

    @Service.task
    async def _publish_stats(self) -> None:
        """Do nothing: `EngineStats` tells how far a recovery is."""

    async def _recover(self, epoch: int) -> None:
        app = self.app
        app.stats.in_recovery = True
        self._set_recovery_started()
        partitions = {tp.partition for tp in self._assigned}
        committed = await app.cluster.committed(self._assigned) if self._assigned else {}
        notes = notes_of(committed)
        with filling():
            lost = await self._fill_tables(partitions, notes)
        positions = await StartingPositions(app).find(self._assigned, committed)
        await app.on_rebalance_complete.send()
        await app.consumer.go_on_at(positions)
        await app._fetcher.maybe_start()  # noqa: SLF001 Faust's recovery starts it here too
        if epoch != app.admission.epoch:
            raise RebalanceAgain
        # Nothing is awaited from here on: a revocation comes before all of it or after all of it.
        app.stats.next_offsets = positions
        app.stats.stream_times_ms = _stream_times(notes)
        anew = lost | unnoted(app, notes)
        self._commit_anew([tp for tp in committed if tp.partition in anew])
        if partitions:
            # Accepted once: what is lost after this is another loss, which nobody has looked at.
            app.settings = replace(app.settings, accept_loss=False)
        self._open()
        log.info("reading partitions %s of %s", sorted(partitions), ", ".join(app.inputs))

    async def _fill_tables(self, partitions: set[int], notes: Mapping[int, list[Note]]) -> set[int]:
        app = self.app
        for gone in sorted(self._announced - partitions):
            app.handler.on_revoked(gone)
            self._announced.discard(gone)
        for table in app.chunk_tables:
            for released in set(table.held) - partitions:
                table.release(released)
        tables = {
            TopicPartition(table.changelog, partition): table
            for table in app.chunk_tables
            for partition in sorted(partitions)
        }
        # Before a table is opened: where its changelog is lost, what lies on disk may be the last copy.
        logs, lost = checked(app, notes, await readable_logs(app, notes, tables))
        states = {tp: table.hold(tp.partition) for tp, table in tables.items()}
        reader = ChangelogReader(app.cluster, app.settings.broker_timeout_s, app.stats.note_recovered)
        stale, self._stale = self._stale, partitions  # stays so when a rebalance interrupts the reading
        changed = {tp.partition for tp in await reader.read(states, logs)}
        self._stale = set()
        self._announce(partitions, stale | changed)
        return lost

    def _commit_anew(self, inputs: Iterable[TopicPartition]) -> None:
        """Commit where reading goes on, of inputs at rest too.

        Else a loss that was accepted is found again, and one of tables that an older version read is not found at all.
        """
        app = self.app
        for tp in inputs:
            transaction = app.transactions.of(tp.partition)
            if transaction is not None:
                transaction.handled(tp, app.stats.next_offsets[tp])
                app.transactions.dirty.set()

    def _announce(self, partitions: set[int], changed: set[int]) -> None:
        handler = self.app.handler
        for partition in sorted(partitions):
            if partition in self._announced and partition in changed:
                handler.on_revoked(partition)
                self._announced.discard(partition)
            if partition not in self._announced:
                handler.on_recovered(partition)
                self._announced.add(partition)

    def _open(self) -> None:
        app = self.app
        self._set_recovery_ended()
        self.completed.set()
        app.flow_control.resume()
        app.consumer.resume_flow()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        app.stats.in_recovery = False
        app.admission.open()


def _stream_times(notes: Mapping[int, list[Note]]) -> dict[int, int]:
    """The stream times that were committed with the offsets (`PartitionTransaction.commit`)."""
    told = {
        partition: [note.stream_time_ms for note in found if note.stream_time_ms is not None]
        for partition, found in notes.items()
    }
    return {partition: max(times) for partition, times in told.items() if times}


class StartingPositions:
    """Where reading goes on after an assignment: the committed offsets, checked against the log."""

    def __init__(self, app: ChunkApp) -> None:
        self._app = app

    async def find(
        self, partitions: list[TopicPartition], committed: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, int]:
        """The next offset of every partition; without a committed one the beginning of its log.

        Raises:
            OffsetLostError: the log does not hold a committed offset, and `accept_loss` is not set.
        """
        if not partitions:
            return {}
        cluster = self._app.cluster
        beginnings, ends = await cluster.beginnings(partitions), await cluster.ends(partitions)
        self._app.stats.end_offsets = ends
        positions = {}
        for tp in partitions:
            found = committed.get(tp)
            if found is None:
                positions[tp] = beginnings[tp]
            else:
                positions[tp] = self._checked(tp, found.offset, beginnings[tp], ends[tp])
        return positions

    def _checked(self, tp: TopicPartition, committed: int, beginning: int, end: int) -> int:
        if beginning <= committed <= end:
            return committed
        lost = OffsetLostError(f"{tp.topic}[{tp.partition}]", committed, beginning, end)
        if not self._app.settings.accept_loss:
            raise lost
        self._app.stats.losses_accepted += 1
        log.warning("accepted, as accept_loss is set: %s", lost)
        return beginning


class ChunkTableManager(TableManager):
    """Faust's table manager without changelog channels and without its second of waiting at the start."""

    app: ChunkApp
    mundane_level = "debug"
    _recovery: ChunkRecovery | None = None

    @property
    def recovery(self) -> ChunkRecovery:
        """The recovery service of all tables."""
        if self._recovery is None:
            self._recovery = ChunkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Start the recovery, which waits for an assignment."""
        await self._update_channels()
        await self.recovery.start()

    async def _update_channels(self) -> None:
        self._tables_finalized.set()
        for table in self.values():
            await table.maybe_start()
        self._tables_registered.set()
