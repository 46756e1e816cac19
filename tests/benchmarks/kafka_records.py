"""Records onto Kafka and off it, in bulk. In: encoded records. Out: delivered batches; committed records."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from signaalwissel.streams.outputs import ChunkOutputs

from tests.benchmarks.month import Encoded
from tests.benchmarks.report import Place

_BOUND_S = 60.0
_BATCH_BYTES = 256 << 10


class Read(NamedTuple):
    """A committed record."""

    offset: int
    value: bytes | None


def preload(bootstrap: str, topic: str, partitions: int, records: Iterable[Encoded]) -> None:
    """Send records with their keys, and wait until the broker has all of them."""
    asyncio.run(asyncio.wait_for(_preload(bootstrap, topic, partitions, records), _BOUND_S))


async def _preload(bootstrap: str, topic: str, partitions: int, records: Iterable[Encoded]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=_BATCH_BYTES
    )
    await producer.start()
    try:
        outputs = ChunkOutputs(0, {topic: partitions}, producer.create_batch)
        for record in records:
            outputs.send(topic, record.key, record.value, record.headers)
        deliveries = []
        for batch in outputs.take():
            batch.builder.close()
            deliveries.append(
                await producer.send_batch(batch.builder, batch.topic, partition=batch.partition)
            )
        await asyncio.gather(*deliveries)
    finally:
        await producer.stop()


def read_committed(bootstrap: str, topic: str, since: Mapping[Place, int]) -> dict[Place, list[Read]]:
    """The committed records of a topic, per partition, from the given offsets on."""
    return asyncio.run(asyncio.wait_for(_read(bootstrap, topic, since), _BOUND_S))


async def _read(bootstrap: str, topic: str, since: Mapping[Place, int]) -> dict[Place, list[Read]]:
    begins = {TopicPartition(*place): offset for place, offset in since.items() if place.topic == topic}
    found: dict[Place, list[Read]] = {Place(*tp): [] for tp in begins}
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(begins))
        for tp, offset in begins.items():
            consumer.seek(tp, offset)
        ends = await consumer.end_offsets(list(begins))
        while [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
            for tp, records in (await consumer.getmany(timeout_ms=500, max_records=10_000)).items():
                found[Place(*tp)] += [Read(record.offset, record.value) for record in records]
    finally:
        await consumer.stop()
    return found
