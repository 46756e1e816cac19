"""What the engine learns from the broker before it reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3
from signaalwissel.processors.topic_settings import STAMPED_BY_BROKER
from signaalwissel.streams.cluster import Cluster, check_layout
from signaalwissel.streams.errors import BrokerAwayError, LayoutError
from signaalwissel.streams.settings import EngineSettings
from signaalwissel.streams.topic_ids import IdentifyingAdmin

from tests.streams.engine_support import PARTITIONS, Bench, Worker


@asynccontextmanager
async def asked(bench: Bench) -> AsyncIterator[tuple[Cluster, AIOKafkaProducer]]:
    """The cluster as a worker asks it, and a producer that changes what it answers."""
    cluster = Cluster(EngineSettings(app_id=bench.app_id, bootstrap=bench.bootstrap))
    await cluster.open()
    producer = AIOKafkaProducer(bootstrap_servers=bench.bootstrap, transactional_id=f"{bench.prefix}w")
    await producer.start()
    try:
        yield cluster, producer
    finally:
        await producer.stop()
        await cluster.close()


def test_equal_counts_are_returned() -> None:
    assert check_layout({"a": 4, "b": 4, "log": 4, "other": 9}, ["a", "b"], ["log"]) == 4


def test_unequal_counts_are_all_named() -> None:
    with pytest.raises(LayoutError, match=r"a has 4, b has 8, log has 4"):
        check_layout({"a": 4, "b": 8, "log": 4}, ["a", "b"], ["log"])


def test_missing_topics_are_all_named() -> None:
    with pytest.raises(LayoutError, match="missing topics: b, log"):
        check_layout({"a": 4}, ["a", "b"], ["log"])


def test_the_end_of_a_log_is_the_end_of_what_is_committed(bench: Bench) -> None:
    tp = TopicPartition(bench.name("out"), 0)

    async def run() -> None:
        async with asked(bench) as (cluster, producer):
            await producer.begin_transaction()
            await producer.send_and_wait(tp.topic, b"v", b"k", partition=0)
            assert await cluster.ends([tp]) == {tp: 0}
            await producer.commit_transaction()
            deadline = time.monotonic() + 5
            while (await cluster.ends([tp]))[tp] != 2:  # the marker counts
                assert time.monotonic() < deadline
            assert await cluster.beginnings([tp]) == {tp: 0}
            assert await cluster.committed([tp]) == {}
            counts = await cluster.partition_counts()
            assert (counts[bench.name("in")], counts[tp.topic]) == (PARTITIONS, 3)

    asyncio.run(run())


def test_a_broker_that_is_not_there_is_waited_for_no_longer_than_the_bound() -> None:
    async def run() -> None:
        cluster = Cluster(EngineSettings(app_id="a", bootstrap="127.0.0.1:1", broker_timeout_s=1.0))
        with pytest.raises(BrokerAwayError, match=r"did not answer for 1 s while connecting"):
            await cluster.open()
        await cluster.close()

    asyncio.run(run())


def test_a_worker_does_not_start_on_a_topic_whose_time_the_publisher_sets(
    bench: Bench, start_worker: Callable[[dict[str, Any]], Worker]
) -> None:
    topic = bench.name("in")
    worker = start_worker(bench.plan(input_settings={topic: STAMPED_BY_BROKER}))
    assert worker.wait() == 1
    assert f"{topic} has message.timestamp.type=CreateTime, which must be LogAppendTime" in worker.text
    assert "signaalwissel topics apply" in worker.text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"cleanup.policy": "delete"}, "cleanup.policy=delete, which must be compact"),
        ({"cleanup.policy": "compact,delete"}, "cleanup.policy=compact,delete, which must be compact"),
        (
            {"cleanup.policy": "compact", "delete.retention.ms": "60000"},
            "delete.retention.ms=60000, which must be 86400000 or more",
        ),
    ],
)
def test_a_worker_does_not_start_on_a_changelog_that_forgets(
    kafka_bootstrap: str,
    topic_prefix: str,
    start_worker: Callable[[dict[str, Any]], Worker],
    given: dict[str, str],
    told: str,
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics({bench.changelog: 0})
    bench.make_topic(bench.changelog, bench.partitions, given)
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert f"{bench.changelog} has {told}" in worker.text
    assert "signaalwissel topics apply" in worker.text


def test_a_worker_starts_on_topics_that_are_set_as_they_must(
    kafka_bootstrap: str, topic_prefix: str, start_worker: Callable[[dict[str, Any]], Worker]
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics(**STAMPED_BY_BROKER)
    worker = start_worker(bench.plan(input_settings={bench.name("in"): STAMPED_BY_BROKER}))
    worker.wait_ready()
    worker.stop()


def test_a_coordinator_that_still_loads_the_group_is_asked_again_and_not_taken_for_nothing_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tp = TopicPartition(bench.name("in"), 0)
    send, refusals = IdentifyingAdmin._send_request, [OffsetFetchResponse_v3(0, [], 14)]

    async def refused_first(self: IdentifyingAdmin, request: Any, *where: Any) -> Any:
        if isinstance(request, OffsetFetchRequest) and refusals:
            return refusals.pop()
        return await send(self, request, *where)

    async def run() -> None:
        async with asked(bench) as (cluster, producer):
            async with producer.transaction():
                await producer.send_offsets_to_transaction({tp: 5}, bench.app_id)
            found = await cluster.committed([tp])
            assert found[tp].offset == 5
            assert not refusals

    monkeypatch.setattr(IdentifyingAdmin, "_send_request", refused_first)
    asyncio.run(run())
