"""aiokafka's clients as the engine uses them, on the fake broker.

In: calls of the engine. Out: answers after a seeded time. A request that was sent arrives, whatever becomes of the
sender; an answer may be lost, then the client asks again, as aiokafka does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import (
    ConcurrentTransactions,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerFenced,
)
from aiokafka.structs import OffsetAndMetadata

from tests.simulation.broker import Broker, Entry
from tests.simulation.loop import owner

Answer = TypeVar("Answer")
BACKOFF_S = 0.1
BATCH_RECORDS = 8


class Network:
    """What lies between one process and the broker.

    Attributes:
        cut: True once the process is dead: nothing of it goes out any more.
        stalled_until: Until then nothing goes through, in either direction.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, broker: Broker, rng: random.Random, faults: bool
    ) -> None:
        self.loop = loop
        self.broker = broker
        self.rng = rng
        self.faults = faults
        self.cut = False
        self.stalled_until = 0.0
        self.stalled_since = 0.0
        self._last_arrival = 0.0

    async def ask(self, action: Callable[[], Answer], gives_up: bool = True) -> Answer:
        """Send a request and wait for its answer; requests arrive in the order in which they were sent.

        A client that `gives_up` cancels now and then what waits for it, as aiokafka does with a lost connection.
        """
        if self.cut:
            raise asyncio.CancelledError
        answer: asyncio.Future[Answer] = self.loop.create_future()
        self._last_arrival = max(self._last_arrival + 1e-6, self._there())
        if gives_up and self.now_and_then(0.005):
            self.loop.call_at(self._last_arrival, answer.cancel)
        self.loop.call_at(self._last_arrival, self._arrive, action, answer)
        return await answer

    def now_and_then(self, share: float) -> bool:
        """True in a `share` of cases while faults are on."""
        return self.faults and self.rng.random() < share

    def _there(self) -> float:
        quick = self.rng.random() < 0.8
        return max(self.loop.time(), self.stalled_until) + self.rng.random() * (0.002 if quick else 0.1)

    def _arrive(self, action: Callable[[], Answer], answer: asyncio.Future[Answer]) -> None:
        try:
            result: Any = action()
        except KafkaError as error:
            result = error
        if self.now_and_then(0.01):
            result = KafkaConnectionError()
        self.loop.call_at(self._there(), self._answer, answer, result)

    def _answer(self, answer: asyncio.Future[Answer], result: Any) -> None:
        if self.cut or answer.done():
            return
        if isinstance(result, BaseException):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    async def ask_until_answered(self, action: Callable[[], Answer], gives_up: bool = True) -> Answer:
        """Ask again after what passes by itself."""
        while True:
            try:
                return await self.ask(action, gives_up)
            except (ConcurrentTransactions, KafkaConnectionError):
                await asyncio.sleep(BACKOFF_S)


class Written(NamedTuple):
    """What a delivery answers."""

    offset: int


class Builder:
    """Counts records where aiokafka counts bytes."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(
        self, *, timestamp: int, key: bytes | None, value: bytes | None, headers: Any = ()
    ) -> object | None:
        if len(self.entries) >= BATCH_RECORDS:
            return None
        self.entries.append(Entry("", 0, 0, timestamp, key, value, tuple(headers)))
        return self

    def close(self) -> None:
        """Do nothing: what is closed is taken as it is."""

    def record_count(self) -> int:
        return len(self.entries)

    def size(self) -> int:
        return 100 * len(self.entries)


class FakeProducer:
    """A transactional producer."""

    def __init__(self, *, transactional_id: str, **_options: Any) -> None:
        self._network: Network = owner.get().network
        self._id = transactional_id
        self._epoch = -1
        self._numbers: dict[TopicPartition, int] = {}
        self._pending: list[asyncio.Task[Written]] = []
        self._queues: dict[TopicPartition, asyncio.Lock] = {}

    async def start(self) -> None:
        broker = self._network.broker
        self._epoch = await self._network.ask_until_answered(lambda: broker.take_over(self._id))

    async def stop(self) -> None:
        for task in self._pending:
            task.cancel()

    async def begin_transaction(self) -> None:
        await asyncio.sleep(0)

    def create_batch(self) -> Builder:
        return Builder()

    async def send_batch(self, builder: Builder, topic: str, *, partition: int) -> Awaitable[Written]:
        await asyncio.sleep(0)
        if self._network.now_and_then(0.01):
            raise KafkaTimeoutError
        tp = TopicPartition(topic, partition)
        number = self._numbers[tp] = self._numbers.get(tp, 0) + 1
        # A task of its own, as aiokafka's sender is; its result is kept although nobody may ask for it.
        task = asyncio.ensure_future(self._deliver(tp, number, builder.entries))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending.append(task)
        return task

    async def _deliver(self, tp: TopicPartition, number: int, entries: list[Entry]) -> Written:
        broker = self._network.broker
        async with self._queues.setdefault(tp, asyncio.Lock()):
            if self._network.now_and_then(0.004):
                raise MessageSizeTooLargeError
            return Written(
                await self._network.ask_until_answered(
                    lambda: broker.produce(self._id, self._epoch, tp, number, entries)
                )
            )

    async def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, OffsetAndMetadata], _group_id: str
    ) -> None:
        broker = self._network.broker
        await self._fenced(lambda: broker.add_offsets(self._id, self._epoch, offsets))

    async def commit_transaction(self) -> None:
        # As aiokafka: it waits for its batches, and commits although one of them failed.
        await asyncio.gather(*self._pending, return_exceptions=True)
        self._pending.clear()
        broker = self._network.broker
        await self._fenced(lambda: broker.commit(self._id, self._epoch))

    async def _fenced(self, action: Callable[[], None]) -> None:
        try:
            await self._network.ask_until_answered(action)
        except KafkaError as error:
            raise ProducerFenced from error


class FakeReader:
    """A consumer of committed records; the group's member, too."""

    def __init__(
        self,
        *_topics: str,
        max_poll_records: int = 20,
        isolation_level: str = "read_committed",
        **_options: Any,
    ) -> None:
        self._network: Network = owner.get().network
        self._broker = self._network.broker
        self._at_most = max_poll_records
        self._committed_only = isolation_level == "read_committed"
        self._positions: dict[TopicPartition, int] = {}
        self._assigned: set[TopicPartition] = set()

    async def start(self) -> None:
        await self._network.ask(lambda: None)

    async def stop(self) -> None:
        await asyncio.sleep(0)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._assigned, self._positions = set(partitions), {}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._assigned)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        if tp not in self._assigned:
            raise IllegalStateError(f"{tp} is not assigned")
        self._positions[tp] = offset

    def pause(self, *_partitions: TopicPartition) -> None:
        """Do nothing: the simulated app has no gate."""

    async def position(self, tp: TopicPartition) -> int:
        if tp not in self._assigned:
            raise IllegalStateError(f"{tp} is not assigned")
        await asyncio.sleep(0)
        return self._positions[tp]

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int = 20
    ) -> dict[TopicPartition, list[Entry]]:
        await asyncio.sleep(0)
        wanted = {tp: self._positions[tp] for tp in partitions if tp in self._positions}
        at_most = min(max_records, self._at_most)
        found = await self._network.ask_until_answered(
            lambda: {tp: self._broker.fetch(tp, start, at_most) for tp, start in wanted.items()}
        )
        taken = {}
        for tp, (records, position) in found.items():
            if self._positions.get(tp) == wanted[tp] and tp in self._assigned:
                self._positions[tp] = position
                taken[tp] = records
        if not any(taken.values()):
            await asyncio.sleep(min(timeout_ms / 1000, 0.1))
        return {tp: records for tp, records in taken.items() if records}

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        asked, beginnings = list(partitions), self._broker.beginnings
        return await self._network.ask(lambda: {tp: beginnings.get(tp, 0) for tp in asked})

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        asked = list(partitions)
        end_of = self._broker.stable_end if self._committed_only else self._broker.written_end
        return await self._network.ask(lambda: {tp: end_of(tp) for tp in asked})


class FakeAdmin:
    """The administration client."""

    def __init__(self, **_options: Any) -> None:
        self._network: Network = owner.get().network

    async def start(self) -> None:
        await self._network.ask(lambda: None)

    async def close(self) -> None:
        await asyncio.sleep(0)

    async def describe_topics(self) -> list[dict[str, Any]]:
        counts: dict[str, list[int]] = {}
        for tp in self._network.broker.logs:
            counts.setdefault(tp.topic, []).append(tp.partition)
        return await self._network.ask(
            lambda: [{"topic": t, "partitions": p, "error_code": 0} for t, p in counts.items()]
        )

    async def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        asked, ids = list(topics), self._network.broker.topic_ids
        return await self._network.ask(lambda: {topic: ids[topic] for topic in asked})

    async def list_consumer_group_offsets(
        self, _group: str, partitions: Iterable[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        committed = self._network.broker.committed
        asked = list(partitions)
        if self._network.now_and_then(0.05):
            asked = []  # aiokafka's answer where the coordinator still loads the group
        return await self._network.ask(
            lambda: {tp: committed.get(tp, OffsetAndMetadata(-1, "")) for tp in asked}
        )
