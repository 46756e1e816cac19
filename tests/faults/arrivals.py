"""How long a signal takes: from the moment at which Kafka took it to the moment at which a reader sees its route, or its row.

In: the topics and the database of an installation. Out: one time for each signal that came while the block lasted.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.settings import Settings
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW, SIGNALS
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import read_early_signal
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from sqlalchemy import Engine, text

_POLL_MS = 20
_START_S = 20.0
_LOOK_S = 0.05
_IN_DATABASE = text("SELECT routing_id FROM decisions WHERE municipality = :municipality AND revision = 0")


class Arrivals:
    """Reads signals and routes, from now on, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        names = runtime.names(settings)
        self._signals = names(SIGNALS)
        self._topics = [self._signals, names(COUNSELLOR_FOLLOWUP), names(REGULAR_FLOW)]
        self._taken: dict[bytes, float] = {}
        self._seen: dict[bytes, float] = {}
        self._reading, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._read()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._reading.wait(_START_S), "the reader of arrivals does not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def latencies_ms(self, seen: Mapping[bytes, float] | None = None) -> list[float]:
        """One for each signal, in milliseconds: until its route, or until it was `seen` elsewhere."""
        until = self._seen if seen is None else seen
        return [at - self._taken[ref] for ref, at in until.items() if ref in self._taken]

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=runtime.bootstrap(self._settings),
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()
            partitions = [
                TopicPartition(topic, number)
                for topic in self._topics
                for number in range(self._settings.partitions)
            ]
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            self._reading.set()
            while not self._over.is_set():
                for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                    self._take(partition.topic, records)
        finally:
            await consumer.stop()

    def _take(self, topic: str, records: list[Any]) -> None:
        now = time.time() * 1000
        for record in records:
            if topic != self._signals:
                routed = codec("RoutedSignal").decode(record.value)
                self._seen.setdefault(bytes.fromhex(routed.routing_id.split("-")[0]), now)
                continue
            try:
                signal = read_early_signal(record.value)
            except (DoesNotFit, NotWireFormat, UnknownSchemaId):
                continue
            ref = signal_ref(
                signal.municipality, signal.partner.partner_id, signal.signal_id, signal.received_at
            )
            self._taken.setdefault(ref, float(record.timestamp))


class Stored:
    """Looks for decisions in the database, past every proxy, from now on; `seen` says when each was first there, in ms."""

    def __init__(self, engine: Engine, municipality: str) -> None:
        self._engine = engine
        self._municipality = municipality
        self.seen: dict[bytes, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with self._engine.connect() as connection:
            while not self._over.wait(_LOOK_S):
                found = connection.execute(_IN_DATABASE, {"municipality": self._municipality}).scalars().all()
                connection.rollback()
                now = time.time() * 1000
                for routing_id in found:
                    self.seen.setdefault(bytes.fromhex(routing_id.split("-")[0]), now)
