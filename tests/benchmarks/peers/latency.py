"""Latency of one peer at a steady rate. In: a peer, its task, its workload. Out: milliseconds from signal to route.

Taken from handing a signal to the producer to its route's arrival at a reader of committed records, both in this
process; so the commit interval, and what this process adds, is in it, for every peer the same.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW
from signaalwissel.schemas.primitives import read_string
from signaalwissel.schemas.wire_format import HEADER_SIZE

from tests.benchmarks.peers.catalogue import Peer, Task, running
from tests.benchmarks.peers.ground import Ground
from tests.benchmarks.peers.measure import Given, ready
from tests.benchmarks.peers.tree import Tree
from tests.benchmarks.sampling import Stuck

RATE = 1000
_LEARN = 20_000
_COUNT = 25 * RATE
_RUN_IN = 5
"""One part of so many is not measured."""
_DRAIN_S = 20.0
_ARRIVED_SHARE = 0.99


class Latency(NamedTuple):
    """Milliseconds from signal to route."""

    p50_ms: float
    p99_ms: float


def latency(peer: Peer, task: Task, given: Given) -> Latency:
    """Half of the signals are routed within `p50_ms`, 99 % within `p99_ms`.

    Raises:
        Stuck: The peer ended, or more than 1 % did not arrive.
    """
    ground = task.ground
    learned = min(_LEARN, len(given.signals) // 5)
    count = min(_COUNT, len(given.signals) - learned)
    with ground.topics():
        for topic, records in given.before.items():
            ground.send(topic, records)
        ground.send(given.topic, given.signals[:learned])
        with running(peer, task) as pids, ground.looking() as looks:
            ready(Tree(pids), looks, learned)
            drive = _Drive(ground)
            asyncio.run(drive.run(given, range(learned, learned + count)))
    took = drive.took(given.ids[learned + count // _RUN_IN : learned + count])
    return Latency(took[len(took) // 2], took[len(took) * 99 // 100])


class _Drive:
    """Sends signals and notes when their routes arrive."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._sent: dict[str, float] = {}
        self._arrived: dict[str, float] = {}
        self._all = asyncio.Event()

    def took(self, ids: Iterable[str | None]) -> list[float]:
        """Milliseconds of these signals, sorted."""
        asked = [one for one in ids if one is not None]
        took = sorted(
            (self._arrived[one] - self._sent[one]) * 1000
            for one in asked
            if one in self._arrived and one in self._sent
        )
        if len(took) < _ARRIVED_SHARE * len(asked):
            raise Stuck(f"{len(took)} of {len(asked)} routes arrived")
        return took

    async def run(self, given: Given, numbers: range) -> None:
        bootstrap = self._ground.bootstrap
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0, acks="all")
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
        )
        await producer.start()
        await consumer.start()
        try:
            await self._place(consumer)
            reader = asyncio.create_task(self._read(consumer))
            await self._send(producer, given, numbers)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all.wait(), _DRAIN_S)
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader
        finally:
            await producer.stop()
            await consumer.stop()

    async def _place(self, consumer: Any) -> None:
        places = [
            TopicPartition(self._ground.prefix + name, number)
            for name in (COUNSELLOR_FOLLOWUP, REGULAR_FLOW)
            for number in range(self._ground.partitions)
        ]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)

    async def _send(self, producer: Any, given: Given, numbers: range) -> None:
        topic, began = self._ground.prefix + given.topic, time.perf_counter()
        for index, number in enumerate(numbers):
            due = began + index / RATE
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            signal, name = given.signals[number], given.ids[number]
            if name is not None:
                self._sent.setdefault(name, time.perf_counter())
            await producer.send(topic, signal.value, signal.key, headers=signal.headers)
        await producer.flush()

    async def _read(self, consumer: Any) -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=100)
            now = time.perf_counter()
            for records in fetched.values():
                for record in records:
                    self._arrived.setdefault(read_string(record.value, HEADER_SIZE)[0], now)
            if self._sent and self._sent.keys() <= self._arrived.keys():
                self._all.set()
