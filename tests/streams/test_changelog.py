"""Reading changelogs: complete up to the true end, whatever lies at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.metadata import MetadataRequest_v5
from signaalwissel.streams import topic_ids
from signaalwissel.streams.changelog import ChangelogReader
from signaalwissel.streams.cluster import Cluster
from signaalwissel.streams.positions import UNKNOWN_ID, Log, Origin
from signaalwissel.streams.rocks import RocksState
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.table import PartitionState, TableState

from tests.streams.engine_support import PATIENCE_S, Bench

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


async def read(bench: Bench, states: Mapping[TopicPartition, TableState]) -> set[int]:
    cluster = Cluster(EngineSettings(app_id=bench.app_id, bootstrap=bench.bootstrap))
    await cluster.open()
    try:
        logs = await cluster.logs(states)
        return {tp.partition for tp in await ChangelogReader(cluster, 20.0).read(states, logs)}
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


@pytest.mark.parametrize("store", ["memory", "disk"])
def test_a_state_of_another_topic_of_the_same_name_is_read_anew_although_it_lies_inside_it(
    bench: Bench, tmp_path: Path, store: str
) -> None:
    tp = TopicPartition(bench.changelog, 0)
    state: TableState = PartitionState() if store == "memory" else RocksState(tmp_path / "state" / "0")
    state.restart(Origin("another", 0))
    state.items[b"stale"] = b"1"
    state.reached(1)

    async def run() -> None:
        await write(bench, [(b"a", b"1"), (b"b", b"1"), (b"c", b"1")], commit=True)
        assert await read(bench, {tp: state}) == {0}
        assert await read(bench, {tp: state}) == set()

    asyncio.run(run())
    assert dict(state.items.items()) == {b"a": b"1", b"b": b"1", b"c": b"1"}
    assert state.next_offset == 4
    state.close()


@pytest.mark.parametrize("store", ["memory", "disk"])
def test_the_first_id_that_a_broker_tells_is_taken_over_and_nothing_is_read_anew(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    tp = TopicPartition(bench.changelog, 0)
    state: TableState = PartitionState() if store == "memory" else RocksState(tmp_path / "state" / "0")

    async def run() -> None:
        await write(bench, [(b"a", b"1")], commit=True)
        with monkeypatch.context() as before_ids:
            before_ids.setattr(topic_ids._TopicIds, "_CLASSES", (MetadataRequest_v5,))
            assert await read(bench, {tp: state}) == {0}
        assert state.origin == Origin(UNKNOWN_ID, 0)
        state.items[b"only here"] = b"1"
        state.reached(2)
        assert await read(bench, {tp: state}) == set()

    asyncio.run(run())
    assert dict(state.items.items()) == {b"a": b"1", b"only here": b"1"}
    assert state.origin is not None
    assert state.origin.topic_id != UNKNOWN_ID
    state.close()


def test_a_changelog_that_is_compacted_begins_where_it_began(kafka_bootstrap: str, topic_prefix: str) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics({bench.changelog: 0})
    quickly = {"cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.001"}
    bench.make_topic(bench.changelog, 1, quickly)
    tp = TopicPartition(bench.changelog, 0)

    async def run() -> None:
        cluster = Cluster(EngineSettings(app_id=bench.app_id, bootstrap=bench.bootstrap))
        await cluster.open()
        try:
            before = (await cluster.logs([tp]))[tp]
            deadline = time.monotonic() + PATIENCE_S
            written, kept = 0, 0
            while kept == written:
                assert time.monotonic() < deadline, "the broker compacts nothing"
                await write(bench, [(b"a", b"%d" % written)], commit=True)
                written += 1
                await bench._settle(bench.changelog)
                kept = len(await bench._read(bench.changelog, "read_committed"))
            after = (await cluster.logs([tp]))[tp]
        finally:
            await cluster.close()
        assert after == Log(before.origin, 2 * written)  # with each record comes a marker

    asyncio.run(run())
