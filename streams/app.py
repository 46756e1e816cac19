"""Builds the Faust app that runs a handler chunk by chunk, exactly once.

Flows in: settings, the names of topics and tables, a handler. Flows out: an app for `runner.run_app`.

Faust stays what it is: app, topics, agent, tables, assignor, conductor and services. What is replaced goes
through its extension points (transport, table manager, schema), for the reasons that each module tells.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import faust
import mode
from faust.events import Event
from faust.types import EventT, Message
from mode import Service
from signaalwissel.processors.topic_settings import CHANGELOG, unmet_settings
from signaalwissel.streams.admission import Admission
from signaalwissel.streams.chunk import ChunkHandler
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.cluster import Cluster, check_layout, retentions_of
from signaalwissel.streams.collector import settle
from signaalwissel.streams.consumer import ChunkConsumer
from signaalwissel.streams.errors import EngineError, LayoutError
from signaalwissel.streams.gate import ColdStart, Gate
from signaalwissel.streams.processor import ChunkProcessor
from signaalwissel.streams.recovery import ChunkTableManager
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.stats import EngineStats
from signaalwissel.streams.table import ChunkTable, PartitionedTable
from signaalwissel.streams.transaction_manager import ChunkTransactions
from signaalwissel.streams.transport import ChunkTransport
from signaalwissel.streams.unasked import NoSilentEnd, unasked_is_failure

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Pause between two looks at the ends of the logs; they show whether the broker answers at all."""

HandlerFactory = Callable[[Mapping[str, PartitionedTable]], ChunkHandler]


class ChunkSchema(faust.Schema):
    """Makes the event of a chunk without any decoding."""

    def compile(self, app: Any, **_kwargs: Any) -> Any:
        """Return the function that wraps a message."""

        async def decode(message: Message, **_options: Any) -> EventT:
            return Event(app, None, message.value, None, message)

        return decode


class ChunkApp(NoSilentEnd, faust.App):
    """A Faust app whose unit of work is a chunk; made by `build_app`.

    Attributes:
        settings: as given to `build_app`.
        inputs: the input topics.
        stats: what a metrics endpoint may show.
        partition_counts: partitions by topic, as of the start.
        retentions_ms: how long each input topic keeps a record, where it does not keep all.
        failure: why the app crashed first, None while it has not.
    """

    mundane_level = "debug"
    consumer: ChunkConsumer
    handler: ChunkHandler
    processor: ChunkProcessor

    def __init__(self, settings: EngineSettings, inputs: Sequence[str], gate: Gate | None) -> None:
        self.settings = settings
        self.inputs = tuple(inputs)
        self.stats = EngineStats()
        self.partition_counts: dict[str, int] = {}
        self.retentions_ms: dict[str, int] = {}
        self.failure: BaseException | None = None
        self.chunk_tables: list[ChunkTable] = []
        self.admission = Admission()
        self.cluster = Cluster(settings)
        self.cold_start = ColdStart(gate, self.cluster, self.stats)
        super().__init__(
            settings.app_id,
            broker=";".join(f"kafka://{server}" for server in settings.bootstrap.split(",")),
            processing_guarantee="exactly_once",
            store="memory://",
            TableManager=ChunkTableManager,
            agent_supervisor=mode.CrashingSupervisor,
            stream_wait_empty=False,
            table_standby_replicas=0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )
        self.in_worker = True

    @property
    def transactions(self) -> ChunkTransactions:
        """The transactions of the assigned partitions."""
        return self.consumer.transactions

    @property
    def broken(self) -> bool:
        """True after a failure: nothing is committed any more. Safe to ask from another thread."""
        return self._consumer is not None and self.transactions.broken

    def _new_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> ChunkTransport:
        return ChunkTransport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """Make none: tables live in memory and in their changelogs."""

    async def on_start(self) -> None:
        """Connect, read the partition counts and check them; then as Faust does.

        Raises:
            BrokerAwayError: no broker within the bound.
            LayoutError: topics are missing, have unequal partition counts or other settings than they must.
        """
        await self.cluster.open()
        await self.read_layout()
        await self._check_settings()
        await super().on_start()

    async def read_layout(self) -> None:
        """Read the partition counts of all topics, at the start and at every assignment.

        Raises:
            LayoutError: inputs or changelogs are missing or have unequal partition counts.
        """
        self.partition_counts = await self.cluster.partition_counts()
        check_layout(self.partition_counts, self.inputs, [table.changelog for table in self.chunk_tables])

    async def _check_settings(self) -> None:
        wanted = {
            **self.settings.input_settings,
            **{table.changelog: CHANGELOG for table in self.chunk_tables},
        }
        if not wanted:
            return
        found = await self.cluster.topic_settings(wanted)
        if unmet := unmet_settings(found, wanted):
            raise LayoutError(unmet)
        self.retentions_ms = retentions_of(found)

    async def on_stop(self) -> None:
        """Finish the chunk under way and commit; after a failure commit nothing."""
        if self._consumer is not None:
            if self.failure is None:
                await self.consumer.finish()
            else:
                self.admission.close()
                await self.transactions.abandon()
        await super().on_stop()

    async def _producer_flush(self, _logger: Any) -> None:
        """Do nothing: Faust's own producer sends nothing."""

    async def on_shutdown(self) -> None:
        """Close the connections of the cluster client."""
        await self.cluster.close()
        await super().on_shutdown()

    async def crash(self, reason: BaseException) -> None:
        """End the process with `reason`; only the first one counts."""
        if self.failure is None and not isinstance(reason, EngineError):
            log.error("%s fails", self.settings.app_id, exc_info=reason)
        self._crash(reason)

    @asynccontextmanager
    async def fatal_failures(self) -> AsyncIterator[None]:
        """End the process with whatever is raised inside, wherever Faust would let it drop."""
        try:
            with unasked_is_failure("handling or committing"):
                yield
        except BaseException as error:
            # Outputs of a chunk may lie in a producer already: this process commits nothing any more.
            self.transactions.broken = True
            if isinstance(error, Exception):
                await self.crash(error)
            raise

    def _crash(self, reason: BaseException) -> None:
        if self.failure is None:
            self.failure = reason
        if self._consumer is not None:
            self.transactions.broken = True
        super()._crash(reason)

    @Service.task
    async def _watch_logs(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_S)
            self.stats.looked_monotonic, asked_ms = time.monotonic(), now_ms()
            self.stats.end_offsets = await self.cluster.ends(self.stats.next_offsets)
            self.stats.looked_monotonic = time.monotonic()
            self.stats.caught_up_ms |= {tp: asked_ms for tp, behind in self.stats.lag().items() if not behind}

    @Service.task
    async def _open_gate(self) -> None:
        await self.cold_start.wait(self.partition_counts)
        await self.consumer.release_held()

    @Service.task
    async def _sweep(self) -> None:
        while not self.should_stop:
            await self.sleep(self.settings.sweep_interval_s)
            for partition in self.transactions.partitions:
                await self.processor.sweep(partition)
                await asyncio.sleep(0)
            settle()


def build_app(
    settings: EngineSettings,
    handler_factory: HandlerFactory,
    *,
    inputs: Sequence[str],
    tables: Sequence[str] = (),
    gate: Gate | None = None,
) -> ChunkApp:
    """Return an app that is ready to run; nothing is connected yet.

    Args:
        settings: how the app runs.
        handler_factory: makes the handler from the tables by name.
        inputs: names of the input topics, with equal partition counts.
        tables: names of the tables; each has a changelog topic `topics.changelog_topic(app_id, name)`.
        gate: which topics wait at the start, and until when.
    """
    app = ChunkApp(settings, inputs, gate)
    app.chunk_tables = [ChunkTable(app, name=name, state_dir=settings.state_dir) for name in tables]
    for table in app.chunk_tables:
        app.tables.add(table)
    app.handler = handler_factory({table.name: table for table in app.chunk_tables})
    app.processor = ChunkProcessor(app, app.handler, app.chunk_tables)
    source = app.topic(*inputs, schema=ChunkSchema(), maxsize=2)
    app.agent(source, name=f"{settings.app_id}-chunks")(app.processor.run)
    return app
