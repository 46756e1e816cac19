"""Delivery: records of a program that reads lines onto Kafka, in batches, without waiting for each.

In: records, one after the other, from the program's thread. Out: acknowledged batches (acks=all, idempotent: each
record once and in order); an error that says that Kafka did not take all.

A thread of its own runs the connection. It packs records as the streams do (`outputs`): a future for each record, as
Kafka's clients make them, costs more than all the rest of publishing. What was given waits for company for a moment
only, so a program that reads a pipe need not end before its records leave.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from signaalwissel.streams.chunk import Headers
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.cluster import REFUSALS
from signaalwissel.streams.loops import new_event_loop
from signaalwissel.streams.outputs import ChunkOutputs

BATCH_BYTES = 256 << 10
COMPANY_S = 0.02
WAITING_MAX = 20_000
"""Records that may wait to be sent; whoever gives more waits."""
RETRY_PAUSE_S = 0.5
YOUNG_TOPIC_S = 10.0
"""A topic that was just made may not be there yet for every client."""


class NotDelivered(RuntimeError):
    """Kafka did not take every record."""


class Delivery:
    """Delivers records; a context manager that waits for all of them at its end.

    Args:
        bootstrap: Kafka's address.
        connection: Security options as aiokafka takes them.
        client_id: How the broker's logs name the program.
        bound_s: How long to wait for a broker: at the start, for each batch, and at the end.
    """

    def __init__(
        self, bootstrap: str, connection: Mapping[str, Any], client_id: str, *, bound_s: float = 30.0
    ) -> None:
        self._options = {
            **connection,
            "bootstrap_servers": bootstrap,
            "client_id": client_id,
            "request_timeout_ms": int(bound_s * 1000),
        }
        self._bound_s = bound_s
        # Guards all below; both threads hold it for moments only.
        self._changed = threading.Condition()
        self._outputs: ChunkOutputs | None = None
        self._counts: dict[str, int] = {}
        self._missing: str | None = None
        self._waiting = 0
        self._closing = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def __enter__(self) -> Delivery:
        """Connect; raises NotDelivered without a broker."""
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._outputs is not None or self._failure is not None)
            self._raise_failure()
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._closing = True
        self._thread.join()
        if error_type is None:
            self._raise_failure()

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Take a record; it leaves within moments.

        Raises:
            NotDelivered: There is no such topic, Kafka did not take an earlier record, or does not answer.
        """
        with self._changed:
            if self._waiting >= WAITING_MAX:
                self._changed.wait_for(lambda: self._waiting < WAITING_MAX or self._failure is not None)
            if topic not in self._counts:
                self._wait_for(topic)
            self._raise_failure()
            assert self._outputs is not None, "a record is given before the delivery was entered"  # noqa: S101 order of calls
            self._outputs.send(topic, key, value, headers)
            self._waiting += 1

    def _wait_for(self, topic: str) -> None:
        self._missing = topic
        if not self._changed.wait_for(
            lambda: topic in self._counts or self._failure is not None, min(self._bound_s, YOUNG_TOPIC_S)
        ):
            raise NotDelivered(f"there is no topic {topic!r}; make it with `topics apply`")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise NotDelivered(str(self._failure) or f"no answer for {self._bound_s:g} s") from self._failure

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            try:
                runner.run(self._deliver())
            except (KafkaError, OSError, TimeoutError) as error:
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()

    async def _deliver(self) -> None:
        async with asyncio.timeout(self._bound_s):
            producer = await self._connected()
        pending: list[asyncio.Future[Any]] = []
        try:
            last = False
            while not last:
                last = await self._round(producer, pending)
                await asyncio.sleep(0 if last else COMPANY_S)
            async with asyncio.timeout(self._bound_s):
                await asyncio.gather(*pending)
        finally:
            for delivered in pending:
                delivered.cancel()
            async with asyncio.timeout(self._bound_s):
                await producer.stop()

    async def _round(self, producer: AIOKafkaProducer, pending: list[asyncio.Future[Any]]) -> bool:
        """Send what was given since the last round; whether it was the last."""
        with self._changed:
            assert self._outputs is not None, "records are delivered before there is a connection"  # noqa: S101 order of calls
            last = self._closing
            batches = self._outputs.take()
            self._outputs.now_ms = now_ms()
        for topic, partition, builder in batches:
            builder.close()
            records = builder.record_count()
            # Waits for the batch before it on that partition: what may be under way is bounded.
            pending.append(await producer.send_batch(builder, topic, partition=partition))
            with self._changed:
                self._waiting -= records
                self._changed.notify_all()
        for delivered in [one for one in pending if one.done()]:
            delivered.result()
            pending.remove(delivered)
        if self._missing is not None:
            await self._look_again()
        return last

    async def _look_again(self) -> None:
        counts = await self._partition_counts()
        with self._changed:
            self._counts.update(counts)
            if self._missing in counts:
                self._missing = None
            self._changed.notify_all()
        if self._missing is not None:
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _connected(self) -> AIOKafkaProducer:
        while True:
            try:
                producer = await self._started()
            except REFUSALS:
                raise
            except (KafkaError, OSError):
                await asyncio.sleep(RETRY_PAUSE_S)
            else:
                self._ready(producer)
                return producer

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._options, enable_idempotence=True, max_batch_size=BATCH_BYTES)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(producer.stop)
            self._counts.update(await self._partition_counts())
            await producer.start()
            undo.pop_all()
        return producer

    def _ready(self, producer: AIOKafkaProducer) -> None:
        with self._changed:
            self._outputs = ChunkOutputs(0, self._counts, producer.create_batch)
            self._outputs.now_ms = now_ms()
            self._changed.notify_all()

    async def _partition_counts(self) -> dict[str, int]:
        # Not from the producer: to ask it for a topic would make the topic on brokers that allow it.
        admin = AIOKafkaAdminClient(**self._options)
        try:
            await admin.start()
            topics = await admin.describe_topics()
        finally:
            await admin.close()
        return {topic["topic"]: len(topic["partitions"]) for topic in topics if not topic["error_code"]}
