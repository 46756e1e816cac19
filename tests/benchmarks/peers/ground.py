"""Topics, records in and records out, for one run of one peer.

In: a broker, a prefix that no other run has. Out: records on it, sent at once or held back in an open transaction;
offsets; what was committed.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin, make
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, DECISIONS, REGULAR_FLOW
from signaalwissel.streams.outputs import ChunkOutputs
from signaalwissel.streams.topics import Names, layout

from tests.benchmarks.month import Encoded
from tests.benchmarks.report import Place

OUTPUTS = (COUNSELLOR_FOLLOWUP, REGULAR_FLOW, DECISIONS)
_BATCH_BYTES = 256 << 10
_FETCH_BYTES = 4 << 20
_TRANSACTION_MS = 600_000

Result = TypeVar("Result")


class Output(NamedTuple):
    """A committed record."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Ground:
    """The topics of one run.

    Args:
        bootstrap: Kafka.
        prefix: Put before every topic.
        partitions: Of every topic.
    """

    def __init__(self, bootstrap: str, prefix: str, partitions: int) -> None:
        self.bootstrap, self.prefix, self.partitions = bootstrap, prefix, partitions
        self._settings = Settings(kafka_bootstrap=bootstrap, topic_prefix=prefix, partitions=partitions)

    @contextmanager
    def topics(self) -> Iterator[None]:
        """All topics of the product for the length of the block; those that a peer made go with them."""
        with admin(self._settings) as client:
            make(client, layout(Names(self.prefix), self.partitions), 1)
        try:
            yield
        finally:
            with admin(self._settings) as client:
                client.delete_topics([name for name in client.list_topics() if name.startswith(self.prefix)])

    def send(self, topic: str, records: Iterable[Encoded]) -> None:
        """Send records with their keys; they are there when this returns."""
        with Gate(self, topic, records, transactional=False):
            pass

    def held_back(self, topic: str, records: Iterable[Encoded]) -> "Gate":
        """Send records that nobody sees before the gate is opened."""
        return Gate(self, topic, records, transactional=True)

    @contextmanager
    def looking(self) -> Iterator["Looks"]:
        """Looks at the outputs' last stable offsets."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        try:
            yield Looks(consumer, self)
        finally:
            consumer.close()

    def read(self) -> list[Output]:
        """Every committed record of the three output topics."""
        return asyncio.run(self._read())

    async def _read(self) -> list[Output]:
        places = [
            TopicPartition(self.prefix + name, number)
            for name in OUTPUTS
            for number in range(self.partitions)
        ]
        found: list[Output] = []
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            while [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
                fetched = await consumer.getmany(timeout_ms=500, max_records=20_000)
                for tp, records in fetched.items():
                    name = tp.topic.removeprefix(self.prefix)
                    found += [
                        Output(name, tp.partition, r.offset, r.key, r.value, r.headers) for r in records
                    ]
        finally:
            await consumer.stop()
        return found


class Looks:
    """Last stable offsets, as a reader of committed records sees them."""

    def __init__(self, consumer: KafkaConsumer, ground: Ground) -> None:
        self._consumer, self._ground = consumer, ground

    def ends(self, topic: str) -> dict[Place, int]:
        """Per partition the offset behind the last record that is visible."""
        partitions = [
            KafkaPartition(self._ground.prefix + topic, number) for number in range(self._ground.partitions)
        ]
        return {Place(topic, tp.partition): end for tp, end in self._consumer.end_offsets(partitions).items()}


class Gate:
    """Records in a transaction, until `open`; without a transaction they are there at once."""

    def __init__(
        self, ground: Ground, topic: str, records: Iterable[Encoded], *, transactional: bool
    ) -> None:
        self._ground, self._topic = ground, ground.prefix + topic
        self._records, self._transactional = records, transactional
        self._loop = asyncio.new_event_loop()
        self._producer: Any = None

    def __enter__(self) -> Self:
        self._run(self._fill())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._producer is not None:
                self._run(self._producer.stop())
        finally:
            self._loop.close()

    def open(self) -> None:
        """Commit: all records become visible at once."""
        self._run(self._producer.commit_transaction())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(work)

    async def _fill(self) -> None:
        transaction = {"transactional_id": f"{self._topic}-gate", "transaction_timeout_ms": _TRANSACTION_MS}
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._ground.bootstrap,
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            **(transaction if self._transactional else {}),
        )
        await self._producer.start()
        if self._transactional:
            await self._producer.begin_transaction()
        outputs = ChunkOutputs(0, {self._topic: self._ground.partitions}, self._producer.create_batch)
        for record in self._records:
            outputs.send(self._topic, record.key, record.value, record.headers)
        deliveries = []
        for batch in outputs.take():
            batch.builder.close()
            deliveries.append(
                await self._producer.send_batch(batch.builder, batch.topic, partition=batch.partition)
            )
        await asyncio.gather(*deliveries)
