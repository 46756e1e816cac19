"""What the engine's tests share: topics, records in and out, and worker processes of engine_worker.py."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.admin._topics import NewTopic
from kafka.errors import KafkaError
from signaalwissel.streams.outputs import partition_of
from signaalwissel.streams.topics import changelog_topic

WORKER = Path(__file__).with_name("engine_worker.py")
PARTITIONS = 4
PATIENCE_S = 60.0


class Read(NamedTuple):
    """One record as a reader of committed records sees it."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: int


def wait_until(true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `true()` is; fail with `what` after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        time.sleep(0.1)


async def _differ(uncommitted: AIOKafkaConsumer, committed: AIOKafkaConsumer) -> bool:
    ends = [await reader.end_offsets(reader.assignment()) for reader in (uncommitted, committed)]
    return bool(ends[0] != ends[1])


@dataclass
class Bench:
    """The topics of one test on one broker."""

    bootstrap: str
    prefix: str
    inputs: Sequence[str] = ("in",)
    partitions: int = PARTITIONS

    @property
    def app_id(self) -> str:
        return f"{self.prefix}app"

    @property
    def changelog(self) -> str:
        return changelog_topic(self.app_id, "counts")

    def name(self, topic: str) -> str:
        return self.prefix + topic

    def make_topics(self, counts: Mapping[str, int] | None = None, **configs: str) -> None:
        """Make inputs and changelog with 4 partitions, `out` with 3 and `sweeps` with 1, unless `counts` differ."""
        wanted = {
            **{self.name(topic): self.partitions for topic in self.inputs},
            self.name("out"): 3,
            self.name("sweeps"): 1,
            self.changelog: self.partitions,
            **(counts or {}),
        }
        for topic, count in wanted.items():
            if count:
                self.make_topic(
                    topic, count, {"cleanup.policy": "compact"} if topic == self.changelog else configs
                )

    def make_topic(self, topic: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Make one topic."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=dict(configs))])
        finally:
            admin.close()

    def plan(self, **settings: Any) -> dict[str, Any]:
        """The argument for a worker process."""
        return {
            "settings": {
                "app_id": self.app_id,
                "bootstrap": self.bootstrap,
                "session_timeout_s": 6.0,
                "heartbeat_s": 1.0,
                **settings,
            },
            "inputs": [self.name(topic) for topic in self.inputs],
            "out": self.name("out"),
            "sweeps": self.name("sweeps"),
        }

    def write(
        self,
        topic: str,
        records: Iterable[tuple[bytes, bytes]],
        transactional: bool = False,
        end: Literal["commit", "abort", "leave open"] = "commit",
    ) -> None:
        """Write records to the partitions of their keys; `end` is that of the transaction."""
        asyncio.run(self._write(self.name(topic), records, end if transactional else None))

    async def _write(self, topic: str, records: Iterable[tuple[bytes, bytes]], end: str | None) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            max_batch_size=256 << 10,
            linger_ms=20,
            transactional_id=f"{topic}-writer" if end else None,
        )
        await producer.start()
        try:
            if end:
                await producer.begin_transaction()
            count = len(await producer.partitions_for(topic))
            sent = [
                await producer.send(topic, value, key, partition=partition_of(key, count))
                for key, value in records
            ]
            await asyncio.gather(*sent)
            if end == "commit":
                await producer.commit_transaction()
            if end == "abort":
                await producer.abort_transaction()
        finally:
            await producer.stop()

    def read(self, topic: str, isolation: str = "read_committed") -> list[Read]:
        """All records of a topic after its transactions are settled, which is a moment after their commits."""
        asyncio.run(self._settle(topic))
        return asyncio.run(self._read(topic, isolation))

    def peek(self, topic: str, isolation: str = "read_committed") -> list[Read]:
        """All records of a topic as it is now, whatever transactions are open."""
        return asyncio.run(self._read(topic, isolation))

    async def _settle(self, topic: str) -> None:
        async with self._all_and_committed(topic) as readers:
            deadline = time.monotonic() + PATIENCE_S
            while await _differ(*readers):
                assert time.monotonic() < deadline, f"{topic} keeps an open transaction"
                await asyncio.sleep(0.02)

    def stays_open(self, topic: str) -> bool:
        """Whether records of an open transaction lie in a topic whose writers are frozen.

        What they had told the broker before may still be on its way, so it is asked twice.
        """
        return asyncio.run(self._stays_open(topic))

    async def _stays_open(self, topic: str) -> bool:
        async with self._all_and_committed(topic) as readers:
            if not await _differ(*readers):
                return False
            await asyncio.sleep(0.3)
            return await _differ(*readers)

    @asynccontextmanager
    async def _all_and_committed(self, topic: str) -> AsyncIterator[list[AIOKafkaConsumer]]:
        async with AsyncExitStack() as stack:
            readers = []
            for isolation in ("read_uncommitted", "read_committed"):
                reader = AIOKafkaConsumer(topic, bootstrap_servers=self.bootstrap, isolation_level=isolation)
                stack.push_async_callback(reader.stop)
                await reader.start()
                readers.append(reader)
            yield readers

    async def _read(self, topic: str, isolation: str) -> list[Read]:
        reader = AIOKafkaConsumer(
            topic, bootstrap_servers=self.bootstrap, isolation_level=isolation, auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 << 20,
        )  # fmt: skip
        await reader.start()
        try:
            partitions = reader.assignment()
            ends = await reader.end_offsets(partitions)
            records: list[Read] = []
            while any([await reader.position(tp) < ends[tp] for tp in partitions]):
                for batch in (await reader.getmany(timeout_ms=200, max_records=50_000)).values():
                    records += [
                        Read(r.partition, r.offset, r.key, r.value, dict(r.headers), r.timestamp)
                        for r in batch
                    ]
            return records
        finally:
            await reader.stop()

    def lag(self) -> int:
        """Offsets between the group's commits and the ends of all inputs, markers included."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                committed = self._committed()
                break
            except KafkaError:  # a broker that was just started
                assert time.monotonic() < deadline, "the broker does not answer"
                time.sleep(0.2)
        ends = self.ends()
        done = {(tp.topic, tp.partition): offset.offset for tp, offset in committed.items()}
        return sum(end - done.get((tp.topic, tp.partition), 0) for tp, end in ends.items())

    def ends(self) -> dict[TopicPartition, int]:
        """The last stable offsets of all inputs."""
        return asyncio.run(self._ends())

    def _committed(self) -> Mapping[TopicPartition, Any]:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            committed: Mapping[TopicPartition, Any] = admin.list_group_offsets(self.app_id)[self.app_id]
            return committed
        finally:
            admin.close()

    async def _ends(self) -> dict[TopicPartition, int]:
        reader = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        await reader.start()
        try:
            inputs = [self.name(topic) for topic in self.inputs]
            ends: dict[TopicPartition, int] = await reader.end_offsets(
                [TopicPartition(topic, number) for topic in inputs for number in range(self.partitions)]
            )
            return ends
        finally:
            await reader.stop()


class Worker:
    """One process of engine_worker.py; its output is kept for messages of failing tests."""

    def __init__(self, plan: Mapping[str, Any], folder: Path) -> None:
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", str(WORKER), json.dumps(plan)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """The exit status."""
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the worker did not end:\n{self.text[-4000:]}") from None

    def stop(self) -> dict[str, Any]:
        """End it in good order; its final statistics."""
        self.signal(signal.SIGTERM)
        assert self.wait() == 0, self.text[-4000:]
        return self.stats()

    def stats(self) -> dict[str, Any]:
        lines = [line for line in self.text.splitlines() if not line.startswith("standing ")]
        stats: dict[str, Any] = json.loads(lines[-1])
        return stats

    def kill(self) -> None:
        """End it as a crash would."""
        if self.running:
            self.signal(signal.SIGKILL)
        self._process.wait()

    def wait_ready(self) -> None:
        """Return when it reads its partitions."""
        wait_until(lambda: "reading partitions" in self.text or not self.running, "the worker reads")
        assert self.running, self.text[-4000:]
