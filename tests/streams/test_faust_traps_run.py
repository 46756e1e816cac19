"""The traps of stock Faust that show only when the parts run: a commit, an agent, two apps, a recovery.

As in `test_faust_traps`, by the numbers of the engine notes (B): the trap in the stock code, and that ours does not pass
there.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.assignor.partition_assignor import PartitionAssignor
from faust.events import Event
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from intervaltree import IntervalTree
from signaalwissel.streams.app import ChunkApp, build_app
from signaalwissel.streams.chunk import Chunk, ChunkHandler, Outputs, Record
from signaalwissel.streams.consumer_thread import ChunkThread
from signaalwissel.streams.errors import BrokenOrderError
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.stats import EngineStats
from signaalwissel.streams.transactions import PartitionTransaction, Surroundings

from tests.simulation.broker import Broker
from tests.simulation.clients import Builder, Network
from tests.simulation.group import Group
from tests.simulation.loop import SimulatedLoop
from tests.simulation.process import OUT, SWEEPS, Process, fakes

IN = TopicPartition("in", 0)
SETTINGS = EngineSettings(app_id="app", bootstrap="nowhere:1")


class Handler(ChunkHandler):
    """Counts its calls, and raises where it is told to."""

    def __init__(self, raises: bool = False) -> None:
        self.calls = 0
        self._raises = raises

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        self.calls += 1
        if self._raises:
            raise ZeroDivisionError("a bug in the handler")


class Transaction:
    """What a chunk asks of its partition's transaction."""

    partition = 0

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.acknowledged: list[int] = []

    def outputs(self) -> Any:
        return SimpleNamespace(sent=0)

    async def forward(self) -> None:
        await asyncio.sleep(0)

    def handled(self, _tp: TopicPartition, next_offset: int) -> None:
        self.acknowledged.append(next_offset)


def our_app(handler: Handler) -> tuple[ChunkApp, Transaction]:
    """An app that has partition 0 and reads it from the beginning; to be made in a running loop."""
    app, transaction = build_app(SETTINGS, lambda _tables: handler, inputs=["in"]), Transaction()
    app.consumer.transactions._by_partition = {0: cast("Any", transaction)}
    app.stats.next_offsets = {IN: 0}
    app.admission.open()
    return app, transaction


def chunk_of(app: ChunkApp, start: int, end: int, epoch: int | None = None) -> Chunk:
    records = [cast("Record", SimpleNamespace(timestamp=1, offset=offset)) for offset in range(start, end)]
    return Chunk("in", 0, records, start, end, app.admission.epoch if epoch is None else epoch)


class Producer:
    """A producer whose output is acknowledged when the test says so."""

    def __init__(self, **_options: Any) -> None:
        self.calls: list[str] = []
        self.acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, *_args: Any, **_options: Any) -> Awaitable[Any]:
        await self._called("send")
        return self.acknowledged

    async def send_offsets_to_transaction(self, *_args: Any) -> None:
        await self._called("offsets")

    async def commit_transaction(self) -> None:
        await self._called("commit")

    async def begin_transaction(self) -> None:
        await self._called("begin")

    async def _called(self, name: str) -> None:
        await asyncio.sleep(0)  # who calls and does not await leaves nothing behind
        self.calls.append(name)


def test_b2_our_commit_sends_waits_for_every_output_and_joins_the_offsets_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signaalwissel.streams.transactions.AIOKafkaProducer", Producer)

    async def run() -> tuple[list[str], list[str]]:
        transaction = PartitionTransaction(0, Surroundings(SETTINGS, EngineStats(), {"out": 1}, {}))
        producer = cast("Producer", transaction._producer)
        transaction.outputs().send("out", b"key", b"value")
        transaction.handled(IN, 7)
        committing = asyncio.create_task(transaction.commit("app", None))
        for _ in range(20):
            await asyncio.sleep(0)
        before = list(producer.calls)
        producer.acknowledged.set_result(SimpleNamespace(offset=0))
        await committing
        return before, producer.calls

    assert asyncio.run(run()) == (["send"], ["send", "offsets", "commit", "begin"])


async def through_the_agent(app: faust.App, values: Sequence[Any], done: Callable[[], bool]) -> list[bool]:
    """Give values to the app's one agent, as the conductor does; which of them are acknowledged when it is done."""
    (agent,) = app.agents.values()
    channel = app.channel()
    app.flow_control.resume()
    running = agent.clone(channel=channel)
    await running.start()
    generation, tp = app.consumer_generation_id, TP("in", 0)
    messages = [
        Message("in", 0, n, 0.0, 0, None, None, value, None, tp=tp, generation_id=generation)
        for n, value in enumerate(values)
    ]
    await asyncio.sleep(0.05)  # the agent subscribes in a task of its own
    for message in messages:
        await channel.put(Event(app, None, message.value, None, message))
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 nothing tells of a crash
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # time to go on, if it does
    return [message.acked for message in messages]


def test_b7_a_stock_agent_that_raised_has_acknowledged_the_event_and_goes_on_with_the_next() -> None:
    calls: list[int] = []

    async def stock() -> list[bool]:
        app = faust.App("stock", broker="kafka://nowhere:1")

        @app.agent(app.topic("in"))
        async def raises(stream: Any) -> None:
            async for value in stream:
                calls.append(value)
                raise ZeroDivisionError

        return await through_the_agent(app, [1, 2], lambda: len(calls) == 2)

    assert asyncio.run(stock()) == [True, True]


def test_b7_our_agent_that_raised_has_acknowledged_nothing_takes_nothing_more_and_ends_the_worker() -> None:
    handler = Handler(raises=True)

    async def ours() -> tuple[list[bool], list[int], BaseException | None]:
        app, transaction = our_app(handler)
        chunks = [chunk_of(app, 0, 2), chunk_of(app, 2, 3)]
        acked = await through_the_agent(app, chunks, lambda: app.failure is not None)
        return acked, transaction.acknowledged, app.failure

    acked, acknowledged, failure = asyncio.run(ours())
    assert (acked, acknowledged, handler.calls) == ([False, False], [], 1)
    assert isinstance(failure, ZeroDivisionError)


def test_b8_a_stock_app_without_tables_has_an_assignor_that_does_not_know_the_groups_and_ours_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Mapping[str, Any]] = []
    for place in (
        "faust.transport.drivers.aiokafka.aiokafka.AIOKafkaConsumer",
        "signaalwissel.streams.consumer_thread.ForgivingConsumer",
    ):
        monkeypatch.setattr(place, lambda *_args, **options: made.append(options))

    async def run() -> None:
        stock = faust.App("stock", broker="kafka://nowhere:1", processing_guarantee="exactly_once")
        stock.conf.table_standby_replicas = 0
        thread = SimpleNamespace(app=stock, consumer=SimpleNamespace(in_transaction=True))
        driver.AIOKafkaConsumerThread._create_worker_consumer(cast("Any", thread), stock.transport)
        ours, _ = our_app(Handler())
        ChunkThread._create_worker_consumer(cast("Any", SimpleNamespace(app=ours)), None)
        assert made[1]["partition_assignment_strategy"] == [ours.assignor]
        # This is what a stock transaction asks at the start, of an assignor that never assigned anything.
        with pytest.raises(KeyError):
            stock.assignor.group_for_topic("in")
        assert isinstance(ours.assignor, PartitionAssignor)

    asyncio.run(run())
    assert made[0]["partition_assignment_strategy"] == [RoundRobinPartitionAssignor]


def test_b8_stock_producers_are_shared_by_all_apps_of_a_process() -> None:
    producers = [
        faust.App(name, broker="kafka://nowhere:1", processing_guarantee="exactly_once").producer
        for name in ("one", "two")
    ]
    assert producers[0]._transaction_producers is producers[1]._transaction_producers


def test_b8_two_of_our_apps_in_one_process_have_producers_of_their_own_and_one_may_stop() -> None:
    loop = SimulatedLoop()
    asyncio.set_event_loop(loop)
    broker = Broker(loop, random.Random(1), timeout_s=3.0)
    try:
        with fakes(loop, worth_a_request=0):
            loop.run_until_complete(side_by_side(loop, broker))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert set(broker.producers) == {f"{app}-{partition}" for app in ("one", "two") for partition in (0, 1)}
    copied = [e.headers[0][1].decode() for e in broker.logs[TopicPartition(OUT, 0)] if e.key is not None]
    read_twice = [f"{app}-in/{number}/0" for app in ("one", "two") for number in (0, 1)]
    after_the_stop = [f"two-in/{number}/1" for number in (0, 1)]
    assert sorted(copied) == sorted(read_twice + after_the_stop)


async def side_by_side(loop: SimulatedLoop, broker: Broker) -> None:
    """Two apps read a record from each of their partitions; one stops, and the other reads on."""
    names = ("one", "two")
    for topic in (OUT, SWEEPS):
        broker.make(topic, 1)
    apps = {name: SideBySide(loop, broker, name) for name in names}
    for app in apps.values():
        app.write()
    for name in names:
        await apps[name].until_committed()
    await apps["one"].stop()
    apps["two"].write()
    await apps["two"].until_committed()
    await apps["two"].stop()


class SideBySide:
    """One app, with an input and a changelog of its own, and the only member of its group."""

    def __init__(self, loop: SimulatedLoop, broker: Broker, name: str) -> None:
        self._broker = broker
        for topic in (f"{name}-in", f"{name}-counts-changelog"):
            broker.make(topic, 2)
        self._places = [TopicPartition(f"{name}-in", number) for number in (0, 1)]
        network = Network(loop, broker, random.Random(2), faults=False)
        self._process = Process(network, [f"{name}-in"], {"commit_interval_s": 0.1}, app_id=name)
        group = Group(range(2), [f"{name}-in"])
        self._grouping = asyncio.ensure_future(group.run())
        self._living = asyncio.ensure_future(live(self._process, group))

    def write(self) -> None:
        """A record for each partition."""
        for tp in self._places:
            self._broker.append(tp, b"key", b"value")

    def _is_behind(self, tp: TopicPartition) -> bool:
        broker = self._broker
        return tp not in broker.committed or broker.committed[tp].offset < len(broker.logs[tp])

    async def until_committed(self) -> None:
        async with asyncio.timeout(60):
            while any(map(self._is_behind, self._places)):  # noqa: ASYNC110 nothing tells of a commit
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End it in good order."""
        self._process.told_to_stop = True
        await self._living
        self._process.end()
        self._grouping.cancel()
        await asyncio.gather(self._grouping, *self._process.tasks, return_exceptions=True)


async def live(process: Process, group: Group) -> None:
    over = asyncio.Event()

    async def run() -> None:
        await process.run(lambda: group.join(process))
        over.set()

    process.spawn(run())
    await over.wait()
    assert process.app is not None
    assert process.app.failure is None


def test_b14_a_record_that_a_stock_recovery_drops_blocks_its_commits_for_ever() -> None:
    stock = SimpleNamespace(
        _acked={IN: [6, 7, 8]},  # 5 was in a queue that the end of the recovery cleared
        _gap={IN: IntervalTree()},
        _acked_index=defaultdict(set),
        _committed_offset={IN: 4},
    )
    assert Consumer._new_offset(cast("Any", stock), IN) in (None, 4)


def test_b14_a_chunk_that_a_rebalance_drops_is_read_again_and_one_behind_a_gap_ends_our_worker() -> None:
    async def ours() -> None:
        app, transaction = our_app(Handler())
        fetched_before = chunk_of(app, 0, 3)
        app.admission.close()  # the recovery
        app.admission.open()
        await app.processor.process(fetched_before)
        assert (transaction.acknowledged, app.stats.dropped_chunks) == ([], 1)
        await app.processor.process(chunk_of(app, 0, 3))
        assert transaction.acknowledged == [3]
        with pytest.raises(BrokenOrderError):
            await app.processor.process(chunk_of(app, 4, 5))
        assert (transaction.acknowledged, app.failure is not None) == ([3], True)

    asyncio.run(ours())
