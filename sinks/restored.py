"""After a restore: a database from a backup does not know which versions of tasks Kafka has had since.

Flows in: what `tasks` holds and the database lacks. Flows out: tasks that go on from the last published version, and for
those that are not in the backup a mark in the outbox, already sent, from which they go on when they come again. What is
read anew from `decisions` comes between its partitions in another order: under a number that readers know, it would be
taken for the same version again and be dropped.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.outbox import mark_published
from signaalwissel.sinks.reader import REQUEST_BOUND_S, kafka_away, open_consumer
from signaalwissel.sinks.settings import TASKS, ServiceAway, SinkSettings
from signaalwissel.sinks.task_lock import lock_tasks
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_POLL_MS = 500
_READ_BOUND_S = 120.0
_KNOWN = text(
    "SELECT EXISTS (SELECT FROM tasks WHERE task_id = :task_id AND version >= :version) "
    "OR EXISTS (SELECT FROM outbox WHERE aggregate_id = :task_id AND version >= :version)"
)
_GO_ON = text("UPDATE tasks SET version = :version WHERE task_id = :task_id AND version < :version")


def go_on_from_published(connection: Connection, settings: SinkSettings) -> int:
    """Number tasks on from what readers have, in the caller's transaction; gives how many were behind.

    A database that was not restored knows the last record of each partition: then nothing else is read.

    Raises:
        ServiceAway: Kafka does not answer.
        SinkError: Kafka refuses.
    """
    with kafka_away(), closing(open_consumer(settings)) as consumer:
        partitions = _partitions(consumer, settings.topic(TASKS))
        behind = [one for one in partitions if _is_ahead(consumer, one, connection)]
        published = _last_versions(consumer, behind) if behind else {}
    if not published:
        return 0
    lock_tasks(connection)
    lacking = {task: version for task, version in published.items() if not _knows(connection, task, version)}
    for task_id, version in lacking.items():
        if not connection.execute(_GO_ON, {"task_id": task_id, "version": version}).rowcount:
            mark_published(connection, settings.topic(TASKS), task_id, version)
    if lacking:
        log.warning(
            "the database was restored: Kafka has later versions of %d tasks, which go on from these",
            len(lacking),
        )
    return len(lacking)


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    # Without the topic nothing was published; who writes to it says that it is missing.
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def _is_ahead(consumer: KafkaConsumer, partition: TopicPartition, connection: Connection) -> bool:
    """Whether the last record of a partition tells a version that the database never had."""
    consumer.assign([partition])
    begin, end = _bounds(consumer, partition)
    if begin == end:
        return False
    told = [_version(record) for record in _records(consumer, {partition: end}, {partition: end - 1})]
    return any(not _knows(connection, *version) for version in told)


def _last_versions(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> Mapping[str, int]:
    consumer.assign(partitions)
    bounds = {partition: _bounds(consumer, partition) for partition in partitions}
    ends = {partition: end for partition, (_, end) in bounds.items()}
    last: dict[str, int] = {}
    for record in _records(consumer, ends, {partition: begin for partition, (begin, _) in bounds.items()}):
        task_id, version = _version(record)
        last[task_id] = max(version, last.get(task_id, 0))
    return last


def _bounds(consumer: KafkaConsumer, partition: TopicPartition) -> tuple[int, int]:
    bound_ms = int(REQUEST_BOUND_S * 1000)
    begins = consumer.beginning_offsets([partition], timeout_ms=bound_ms)
    ends = consumer.end_offsets([partition], timeout_ms=bound_ms)
    return begins[partition], ends[partition]


def _records(
    consumer: KafkaConsumer, ends: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]
) -> Iterator[Any]:
    for partition, offset in begins.items():
        consumer.seek(partition, offset)
    deadline = time.monotonic() + _READ_BOUND_S
    while any((consumer.position(partition) or 0) < end for partition, end in ends.items()):
        if time.monotonic() > deadline:
            raise ServiceAway(f"Kafka: {TASKS} cannot be read to its end")
        for records in consumer.poll(timeout_ms=_POLL_MS).values():
            yield from records


def _version(record: Any) -> tuple[str, int]:
    event = codec("TaskEvent").decode(record.value)
    return event.task_id, event.version


def _knows(connection: Connection, task_id: str, version: int) -> bool:
    known: bool = connection.execute(_KNOWN, {"task_id": task_id, "version": version}).scalar_one()
    return known
