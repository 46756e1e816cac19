"""Reading changelogs: complete up to the true end, whatever lies at it."""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaProducer, TopicPartition
from signaalwissel.streams.changelog import ChangelogReader
from signaalwissel.streams.cluster import Cluster
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.table import PartitionState

from tests.streams.engine_support import Bench

Change = tuple[bytes, bytes | None]


async def write(bench: Bench, changes: list[Change], *, commit: bool, partition: int = 0) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bench.bootstrap, transactional_id=f"{bench.prefix}{partition}"
    )
    await producer.start()
    await producer.begin_transaction()
    for key, value in changes:
        await producer.send(bench.changelog, value, key, partition=partition)
    await producer.flush()
    await (producer.commit_transaction() if commit else producer.abort_transaction())
    await producer.stop()


async def read(bench: Bench, states: dict[TopicPartition, PartitionState]) -> set[int]:
    cluster = Cluster(EngineSettings(app_id=bench.app_id, bootstrap=bench.bootstrap))
    await cluster.open()
    try:
        return {tp.partition for tp in await ChangelogReader(cluster, 20.0).read(states)}
    finally:
        await cluster.close()


def states_of(bench: Bench, *partitions: int) -> dict[TopicPartition, PartitionState]:
    return {TopicPartition(bench.changelog, partition): PartitionState() for partition in partitions}


def test_a_changelog_that_ends_in_markers_is_read_to_its_end_without_a_stall(bench: Bench) -> None:
    states = states_of(bench, 0, 1)

    async def run() -> set[int]:
        await write(bench, [(b"a", b"1"), (b"b", b"1"), (b"a", b"2")], commit=True)
        await write(bench, [(b"b", None), (b"c", b"1")], commit=True)
        await write(bench, [(b"a", b"aborted"), (b"z", b"aborted")], commit=False)
        started = time.monotonic()
        changed = await read(bench, states)
        assert time.monotonic() - started < 4
        return changed

    assert asyncio.run(run()) == {0}
    state = states[TopicPartition(bench.changelog, 0)]
    assert state.items == {b"a": b"2", b"c": b"1"}
    assert state.next_offset == 3 + 1 + 2 + 1 + 2 + 1
    assert states[TopicPartition(bench.changelog, 1)].items == {}


def test_a_state_that_stayed_in_memory_reads_only_what_came_after_it(bench: Bench) -> None:
    states = states_of(bench, 0)
    state = states[TopicPartition(bench.changelog, 0)]

    async def run() -> None:
        await write(bench, [(b"a", b"1"), (b"b", b"1")], commit=True)
        await read(bench, states)
        state.items[b"only in memory"] = b"1"
        assert await read(bench, states) == set()
        await write(bench, [(b"a", b"2")], commit=True)
        assert await read(bench, states) == {0}

    asyncio.run(run())
    assert state.items == {b"a": b"2", b"b": b"1", b"only in memory": b"1"}


def test_a_state_beyond_the_end_of_its_changelog_is_read_anew(bench: Bench) -> None:
    states = states_of(bench, 0)
    state = states[TopicPartition(bench.changelog, 0)]
    state.items[b"stale"] = b"1"
    state.reached(1_000)

    async def run() -> None:
        await write(bench, [(b"a", b"1")], commit=True)
        assert await read(bench, states) == {0}

    asyncio.run(run())
    assert state.items == {b"a": b"1"}
