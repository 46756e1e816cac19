"""One worker process of the simulation: the engine's own parts, with the fake clients under them.

In: a network and a plan. Out: chunks handled and committed until it is killed, fails, or is told to stop. Faust's
services, which only pass things on here, are left out: the loops of consumer and recovery run as tasks, and a queue
stands where Faust's conductor and stream stand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from aiokafka import TopicPartition
from mode import Service
from signaalwissel.processors.progress import Idle
from signaalwissel.streams import app as apps
from signaalwissel.streams import changelog, cluster, recovery, standing, transactions
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.chunk import ChunkHandler, Outputs, Record
from signaalwissel.streams.consumer import ChunkConsumer
from signaalwissel.streams.consumer_thread import ChunkThread
from signaalwissel.streams.recovery import ChunkRecovery
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.table import PartitionedTable

from tests.simulation.clients import FakeAdmin, FakeProducer, FakeReader, Network
from tests.simulation.loop import SimulatedLoop, owner

APP = "sim"
OUT, SWEEPS = "out", "sweeps"
SWEPT = b"swept"
LIFE = 3
"""With so many records of its key an entry has done its work and is deleted; the next record begins anew."""


class Copier(ChunkHandler):
    """Copies every record to `out` with its number within the entry's life; a sweep counts itself and tells the number."""

    def __init__(self, tables: Mapping[str, PartitionedTable], network: Network) -> None:
        self._counts = tables["counts"]
        self._network = network
        self.index: dict[int, set[bytes]] = {}

    async def before_chunk(self, partition: int, records: Sequence[Record]) -> None:
        # Now and then a key service is slow, and a rebalance overtakes the chunk.
        length_s = 1.5 if self._network.now_and_then(0.05) else 0.02
        await asyncio.sleep(self._network.rng.random() * length_s)

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        for record in records:
            assert record.key is not None
            number = int(self._counts.get(record.key, b"0")) + 1
            assert (number > 1) == (record.key in self.index[partition]), "the index is not that of the table"
            if number < LIFE:
                self.index[partition].add(record.key)
                self._counts[record.key] = b"%d" % number
            else:
                self.index[partition].remove(record.key)
                del self._counts[record.key]
            if self._network.now_and_then(0.003):
                raise ZeroDivisionError("a defect in the handler")
            origin = f"{record.topic}/{record.partition}/{record.offset}".encode()
            outputs.send(OUT, record.key, b"%d" % number, [("origin", origin)])

    def sweep(self, partition: int, stream_time_ms: int, outputs: Outputs) -> None:
        number = int(self._counts.get(SWEPT, b"0")) + 1
        self._counts[SWEPT] = b"%d" % number
        outputs.send(SWEEPS, b"%d" % partition, b"%d" % number, partition=0)

    def on_recovered(self, partition: int) -> None:
        assert partition not in self.index
        self.index[partition] = {key for key, _ in self._counts.items_of(partition)}

    def on_revoked(self, partition: int) -> None:
        del self.index[partition]


class SimulatedThread(Service):
    """The consumer's thread without a thread: everything of `ChunkThread` that reads and seeks."""

    read = ChunkThread.read
    go_on_at = ChunkThread.go_on_at
    release = ChunkThread.release
    _read_in_thread = ChunkThread._read_in_thread
    _go_on_in_thread = ChunkThread._go_on_in_thread
    _release_in_thread = ChunkThread._release_in_thread
    _overtaken = ChunkThread._overtaken

    def __init__(self, consumer: ChunkConsumer) -> None:
        super().__init__(loop=consumer.loop, beacon=consumer.beacon)
        settings = consumer.app.settings
        self.reader = FakeReader(max_poll_records=settings.max_poll_records)
        self.revocations = 0
        self.assigned_after = 0
        self._reading_after = 0
        self._turn = asyncio.Lock()

    async def call_thread(self, method: Any, *args: Any) -> Any:
        return await method(*args)

    def _ensure_consumer(self) -> FakeReader:
        return self.reader


def _new_thread(consumer: ChunkConsumer) -> SimulatedThread:
    return SimulatedThread(consumer)


@contextmanager
def fakes(loop: SimulatedLoop, worth_a_request: int) -> Iterator[None]:
    """The engine on fake clients and the loop's clock."""
    clock = SimpleNamespace(monotonic=loop.time, time=loop.time)
    with ExitStack() as stack:
        for module, name, value in (
            (transactions, "AIOKafkaProducer", FakeProducer),
            (transactions, "WORTH_A_REQUEST_BYTES", worth_a_request),
            (transactions, "time", clock),
            (changelog, "time", clock),
            (apps, "time", clock),
            (standing, "time", clock),
            (cluster, "IdentifyingAdmin", FakeAdmin),
            (cluster, "ForgivingConsumer", FakeReader),
            (recovery, "filling", nullcontext),
            (ChunkConsumer, "_new_consumer_thread", _new_thread),
        ):
            stack.enter_context(patch.object(module, name, value))
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        yield


class Process:
    """A worker from its start to its end.

    Attributes:
        tasks: Everything that runs in it.
        app: The engine's app, once it is built.
        idle: For how long it has done nothing, as a health check sees it.
        ended_at: When it ended, by whatever cause; None while it runs.
    """

    def __init__(
        self, network: Network, inputs: Sequence[str], settings: Mapping[str, Any], app_id: str = APP
    ) -> None:
        self.network = network
        self.app: ChunkApp | None = None
        self.idle: Idle | None = None
        self.tasks: list[asyncio.Task[Any]] = []
        self.ended_at: float | None = None
        self.told_to_stop = False
        self.instructions: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._inputs = inputs
        self._chunks: asyncio.Queue[Any] = asyncio.Queue(maxsize=2)
        self._settings = EngineSettings(app_id=app_id, bootstrap="nowhere:1", **settings)

    @property
    def running(self) -> bool:
        return self.ended_at is None

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something as part of this process."""
        token = owner.set(self)
        try:
            asyncio.ensure_future(coroutine)  # noqa: RUF006 kept in `tasks`
        finally:
            owner.reset(token)

    def end(self) -> None:
        """End it as kill -9 does: nothing of it reaches anybody any more."""
        if self.running:
            self.ended_at = self.network.loop.time()
            self.network.cut = True
            for task in self.tasks:
                task.cancel()
            if hasattr(self, "app"):
                for table in self.app.chunk_tables:
                    for state in table.held.values():
                        state.close()

    async def run(self, joined: Any) -> None:
        """Start, join the group, and run until it fails or is told to stop."""
        self.app = app = build_app(
            self._settings,
            lambda tables: Copier(tables, self.network),
            inputs=self._inputs,
            tables=["counts"],
        )
        app.consumer.callback = self._chunks.put
        app.consumer._on_partitions_revoked = _nothing
        app.__dict__["_fetcher"] = SimpleNamespace(maybe_start=_nothing)
        await app.cluster.open()
        await app.read_layout()
        for part in (
            partial(ChunkConsumer._commit_handler.fun, app.consumer),
            partial(ChunkRecovery._restart_recovery.fun, app.tables.recovery),
            partial(ChunkApp._watch_logs.fun, app),
            partial(app.consumer.deliver_chunks, app.consumer),
            partial(self._handle_chunks, app),
            partial(self._sweep, app),
            self._follow_instructions,
        ):
            self.spawn(_as_task(app, part))
        joined()
        while app.failure is None and not self.told_to_stop:  # noqa: ASYNC110 as the runner looks
            await asyncio.sleep(0.05)
        if app.failure is None:
            await app.consumer.finish()
        else:
            await app.transactions.abandon()

    def look(self) -> Idle:
        """Look whether it gets on with its work."""
        assert self.app is not None
        found, now_s = standing.standing_of(self.app), self.network.loop.time()
        self.idle = (self.idle or Idle(now_s, found.moved)).after(now_s, found)
        return self.idle

    async def _handle_chunks(self, app: ChunkApp) -> None:
        while True:
            await app.processor.process((await self._chunks.get()).value)

    async def _sweep(self, app: ChunkApp) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_interval_s)
            for partition in app.transactions.partitions:
                await app.processor.sweep(partition)

    async def _follow_instructions(self) -> None:
        while True:
            await (await self.instructions.get())()

    async def revoke(self) -> None:
        """What the consumer's coordinator does before it joins the group anew."""
        assert self.app is not None
        thread = self.app.consumer._thread
        thread.revocations += 1
        await self.app.consumer.on_partitions_revoked(set(thread.reader.assignment()))

    async def assign(self, partitions: Sequence[TopicPartition], generation: int) -> None:
        """What it does with an assignment, and what Faust's app does then."""
        assert self.app is not None
        app, thread = self.app, self.app.consumer._thread
        thread.assigned_after = thread.revocations
        thread.reader.assign(partitions)
        app.consumer_generation_id = generation
        await app.transactions.on_rebalance(set(partitions), set(), set(partitions))
        await app.tables.recovery.on_rebalance(set(partitions), set(), set(partitions), generation)


async def _as_task(app: ChunkApp, part: Callable[[], Awaitable[None]]) -> None:
    # As the services do with their tasks.
    await app._execute_task(part())


async def _nothing(*_args: Any, **_options: Any) -> None:
    """Stands where Faust passes something on."""
