"""One transaction per input partition, against a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from signaalwissel.streams.errors import TransactionLostError
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.stats import EngineStats
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.transactions import PartitionTransaction, Surroundings

from tests.streams.engine_support import Bench


class Transactions:
    """Makes started transactions of one app and stops them at the end."""

    def __init__(self, bench: Bench) -> None:
        self.stats = EngineStats()
        self.table = PartitionedTable()
        self._surroundings = Surroundings(
            EngineSettings(app_id=bench.app_id, bootstrap=bench.bootstrap, broker_timeout_s=20),
            self.stats,
            {bench.name("out"): 3},
            {bench.changelog: self.table},
        )
        self._made: list[PartitionTransaction] = []

    def new(self, partition: int = 0) -> PartitionTransaction:
        self._made.append(PartitionTransaction(partition, self._surroundings))
        return self._made[-1]

    async def start(self, partition: int = 0) -> PartitionTransaction:
        transaction = self.new(partition)
        await transaction.start()
        return transaction

    async def stop(self) -> None:
        await asyncio.gather(*(transaction.stop() for transaction in self._made))


@asynccontextmanager
async def transactions(bench: Bench) -> AsyncIterator[Transactions]:
    made = Transactions(bench)
    try:
        yield made
    finally:
        await made.stop()


async def send(transaction: PartitionTransaction, bench: Bench, *values: bytes) -> None:
    outputs = transaction.outputs()
    for value in values:
        outputs.send(bench.name("out"), b"key", value)
    await transaction.forward()


def test_outputs_and_offsets_become_readable_with_the_commit_and_not_before(bench: Bench) -> None:
    tp = TopicPartition(bench.name("in"), 0)
    bench.write("in", [(b"key-%d" % i, b"v") for i in range(100)])
    before = bench.lag()

    async def run() -> None:
        async with transactions(bench) as made:
            transaction = await made.start()
            await send(transaction, bench, b"1", b"2")
            transaction.handled(tp, 7)
            assert transaction.dirty
            assert await bench._read(bench.name("out"), "read_committed") == []
            await transaction.commit(bench.app_id, 1234)
            assert not transaction.dirty
            assert made.stats.commits == 1

    asyncio.run(run())
    assert [record.value for record in bench.read(bench.name("out"))] == [b"1", b"2"]
    assert before - bench.lag() == 7


def test_outputs_that_were_never_committed_are_aborted_by_the_next_owner(bench: Bench) -> None:
    async def run() -> None:
        async with transactions(bench) as made:
            await send(await made.start(), bench, b"first owner")
            successor = await made.start()
            await send(successor, bench, b"second owner")
            await successor.commit(bench.app_id, None)

    asyncio.run(run())
    assert [record.value for record in bench.read(bench.name("out"))] == [b"second owner"]


def test_a_fenced_owner_cannot_commit(bench: Bench) -> None:
    async def run() -> None:
        async with transactions(bench) as made:
            zombie = await made.start()
            await send(zombie, bench, b"zombie")
            await made.start()
            with pytest.raises(TransactionLostError, match=f"{bench.app_id}-0 is lost"):
                await zombie.commit(bench.app_id, None)

    asyncio.run(run())
    assert bench.read(bench.name("out")) == []


def test_owners_of_different_partitions_do_not_fence_each_other(bench: Bench) -> None:
    async def run() -> None:
        async with transactions(bench) as made:
            both = [await made.start(0), await made.start(1)]
            for transaction in both:
                await send(transaction, bench, b"%d" % transaction.partition)
            await asyncio.gather(*(transaction.commit(bench.app_id, None) for transaction in both))

    asyncio.run(run())
    assert sorted(record.value or b"" for record in bench.read(bench.name("out"))) == [b"0", b"1"]


def test_an_output_that_the_broker_refuses_commits_nothing_and_leaves_nothing_under_way(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics(**{"max.message.bytes": "2000"})
    tp = TopicPartition(bench.name("in"), 0)

    async def run() -> None:
        async with transactions(bench) as made:
            transaction = await made.start()
            await send(transaction, bench, b"small")
            await send(transaction, bench, b"x" * 4000)
            transaction.handled(tp, 0)
            with pytest.raises(TransactionLostError, match="MessageSizeTooLarge"):
                await transaction.commit(bench.app_id, None)
            under_way = [
                task for task in asyncio.all_tasks() if "PartitionTransaction" in repr(task.get_coro())
            ]
            assert under_way == []

    asyncio.run(run())
    assert bench.peek(bench.name("out")) == []


def test_a_commit_tells_the_table_how_far_its_changelog_went(bench: Bench) -> None:
    async def run() -> None:
        async with transactions(bench) as made:
            state = made.table.hold(2)
            transaction = await made.start(2)
            transaction.outputs().add_changes(bench.changelog, {b"a": b"1", b"b": b"2"})
            await transaction.forward()
            assert state.next_offset == 0
            await transaction.commit(bench.app_id, None)
            assert state.next_offset == 2

    asyncio.run(run())
    assert [(r.partition, r.key, r.value) for r in bench.read(bench.changelog)] == [
        (2, b"a", b"1"),
        (2, b"b", b"2"),
    ]


def test_small_chunks_of_one_transaction_share_a_request_and_large_ones_leave_at_once(bench: Bench) -> None:
    async def run() -> None:
        async with transactions(bench) as made:
            transaction = await made.start()
            for value in (b"1", b"2", b"3"):
                await send(transaction, bench, value)
            assert await bench._read(bench.name("out"), "read_uncommitted") == []
            await send(transaction, bench, b"x" * 100_000)
            await transaction.commit(bench.app_id, None)

    asyncio.run(run())
    values = [record.value or b"" for record in bench.read(bench.name("out"))]
    assert [len(value) for value in values] == [1, 1, 1, 100_000]


def test_a_start_that_a_stop_overtakes_ends_without_a_loss(bench: Bench) -> None:
    async def scenario() -> None:
        async with transactions(bench) as made:
            transaction = made.new()
            starting = asyncio.ensure_future(transaction.start())
            while not transaction._producer.client._conns:  # noqa: ASYNC110 - no event tells of a connection
                await asyncio.sleep(0)
            await transaction.stop()
            await starting

    asyncio.run(scenario())
