"""Feedback on a partner's own topic: each notice once, for who reads committed records (domain 8.17, design 9).

Flows in: what a partner is told. Flows out: one transaction for each; NotDelivered says why not, and then nobody knows
whether Kafka has it. So whoever begins anew first ends what was under way under this name, then reads what the topic
holds already: what was told before the end and not marked as sent is found there, and not told twice.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError
from signaalwissel.processors.access_rights import FEEDBACK_ID
from signaalwissel.processors.emissions import FEEDBACK
from signaalwissel.processors.feedback import FEEDBACK_TYPE, Told, event_time, record_of
from signaalwissel.processors.public_topics import CONTENT_TYPE
from signaalwissel.sinks.feedback_channels import NotDelivered
from signaalwissel.sinks.reader import REQUEST_BOUND_S, open_consumer
from signaalwissel.sinks.settings import SinkSettings

_BOUND_MS = int(REQUEST_BOUND_S * 1000)
_READ_BOUND_S = 60.0
_POLL_MS = 500
# Notices have the database's time and records the broker's; the two may differ by far less.
_CLOCKS_DIFFER = timedelta(hours=24)


def topic_of(publisher: str) -> str:
    """The name of a publisher's topic, without prefix."""
    return f"{FEEDBACK}.{publisher}"


class PartnerTopics:
    """Tells partners on their topics. One at a time: opening another one ends this one's writing.

    Args:
        settings: Of the sink.
    """

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._told: dict[str, set[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def deliver(self, publisher: str, told: Told, since: Callable[[], datetime]) -> None:
        """Return once the partner's topic has it; raises NotDelivered.

        Args:
            publisher: Whose topic it is.
            told: What he is told.
            since: When the oldest was made that is not marked as sent; asked once for each topic.
        """
        topic = self._settings.topic(topic_of(publisher))
        try:
            # Before the topic is read: only now can nobody else write under this name any more.
            producer = self._opened()
            if topic not in self._told:
                self._told[topic] = self._on(topic, since() - _CLOCKS_DIFFER)
            if told.notice_id not in self._told[topic]:
                self._write(producer, topic, told)
                self._told[topic].add(told.notice_id)
        except KafkaError as error:
            self._drop()
            raise NotDelivered(f"topic: {type(error).__name__}") from error

    def _opened(self) -> KafkaProducer:
        if self._producer is None:
            settings = self._settings
            self._producer = KafkaProducer(
                bootstrap_servers=settings.bootstrap.split(","),
                client_id="signaalwissel-feedback",
                transactional_id=settings.topic(FEEDBACK_ID),
                transaction_timeout_ms=_BOUND_MS,
                allow_auto_create_topics=False,
                bootstrap_timeout_ms=_BOUND_MS,
                request_timeout_ms=_BOUND_MS // 2,
                delivery_timeout_ms=_BOUND_MS,
                max_block_ms=_BOUND_MS,
                metrics_enabled=False,
                **settings.kafka_connection,
            )
            self._producer.init_transactions()
        return self._producer

    def _write(self, producer: KafkaProducer, topic: str, told: Told) -> None:
        key, value = record_of(told)
        producer.begin_transaction()
        sent = producer.send(topic, key=key, value=value, headers=list(self._headers(told)))
        producer.flush(timeout=REQUEST_BOUND_S)
        sent.get(timeout=REQUEST_BOUND_S)
        producer.commit_transaction()

    def _headers(self, told: Told) -> Iterator[tuple[str, bytes]]:
        yield "ce_id", told.notice_id.encode()
        yield "ce_source", self._settings.ce_source.encode()
        yield "ce_specversion", b"1.0"
        yield "ce_type", FEEDBACK_TYPE.encode()
        yield "ce_time", event_time(told).encode()
        yield "content-type", CONTENT_TYPE.encode()

    def _on(self, topic: str, since: datetime) -> set[str]:
        """Ids of what a topic holds, of records from a moment on."""
        with closing(open_consumer(self._settings)) as consumer:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise NotDelivered(f"topic: there is no topic {topic}: make it with `topics apply`")
            partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
            ends = self._ends(partitions)
            consumer.assign(partitions)
            moment = int(since.timestamp() * 1000)
            begins = consumer.offsets_for_times(dict.fromkeys(partitions, moment))
            for partition in partitions:
                found = begins.get(partition)
                consumer.seek(partition, ends[partition] if found is None else found.offset)
            return set(_ids(consumer, ends))

    def _ends(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where partitions end, with what another writer has open: behind that may lie what we committed."""
        with closing(open_consumer(self._settings, isolation_level="read_uncommitted")) as consumer:
            ends: dict[TopicPartition, int] = consumer.end_offsets(partitions, timeout_ms=_BOUND_MS)
            return ends

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        self._told.clear()
        if producer is not None:
            producer.close(timeout=1)


def _ids(consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> Iterator[str]:
    deadline = time.monotonic() + _READ_BOUND_S
    while any((consumer.position(partition) or 0) < end for partition, end in ends.items()):
        if time.monotonic() > deadline:
            raise KafkaTimeoutError("a topic cannot be read to its end")
        for records in consumer.poll(timeout_ms=_POLL_MS).values():
            for record in records:
                yield from (value.decode() for name, value in record.headers if name == "ce_id")
