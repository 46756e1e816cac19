"""After a restore: a database from a backup does not know which versions of tasks Kafka has had since.

Flows in: what `tasks` holds and the database lacks. Flows out: tasks that go on from the last published version, and for
those that are not in the backup a mark in the outbox, already sent, from which they go on when they come again. What is
read anew from `decisions` comes between its partitions in another order: under a number that readers know, it would be
taken for the same version again and be dropped. Tasks that were destroyed, by themselves or with their trajectory, are
nobody's: a tombstone says so, and nothing of them comes back. Nor does a task of which readers have that an erasure
cancelled it: what is read anew of it keeps numbers that they know, until the erasure is read too. Of a municipality that
left, keys and all, nobody can tell which tasks are of the erased: those that the backup lacks stay as readers have them.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError
from signaalwissel.processors.followup_texts import cancelled_by_erasure
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskEvent
from signaalwissel.sinks import tombstones
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.outbox import mark_published
from signaalwissel.sinks.reader import REQUEST_BOUND_S, kafka_away, open_consumer
from signaalwissel.sinks.settings import TASKS, ServiceAway, SinkError, SinkSettings
from signaalwissel.sinks.task_lock import lock_tasks
from signaalwissel.sinks.timekeeping import DatabaseTime, moment_at
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_POLL_MS = 500
_READ_BOUND_S = 120.0
"""How long nothing may come."""
_FURTHER = 16
"""So many times as many records at each look further back."""
_AT_ONCE = 1_000
"""Tasks in one statement."""
_UNKNOWN = text(
    """
    SELECT task_id FROM unnest(CAST(:ids AS text[]), CAST(:versions AS integer[])) AS told (task_id, version)
    WHERE NOT EXISTS (SELECT FROM tasks WHERE tasks.task_id = told.task_id AND tasks.version >= told.version)
        AND NOT EXISTS (SELECT FROM outbox WHERE aggregate_id = told.task_id AND outbox.version >= told.version)
    """
)
_GO_ON = text(
    """
    UPDATE tasks SET version = told.version
    FROM unnest(CAST(:ids AS text[]), CAST(:versions AS integer[])) AS told (task_id, version)
    WHERE tasks.task_id = told.task_id AND tasks.version < told.version RETURNING tasks.task_id
    """
)


def go_on_from_published(
    connection: Connection,
    settings: SinkSettings,
    erased: Callable[[TaskEvent], bool] = lambda _: False,
    *,
    needs_topic: bool = False,
) -> int:
    """Number tasks on from what readers have, in the caller's transaction; gives how many were behind.

    A database that was not restored knows the last record of each partition: then nothing else is read.

    Args:
        connection: To the database.
        settings: Where Kafka is.
        erased: Whether a task that the database does not have is of somebody who was erased: it leaves a tombstone, and
            what is read anew of it keeps numbers that readers know.
        needs_topic: Whether a topic that cannot be seen is refused. Who may not see it gets the same answer as where it
            is not: an erasure that is told under a number that readers know is told to nobody.

    Raises:
        ServiceAway: Kafka does not answer.
        SinkError: Kafka refuses, or the topic that is needed cannot be seen.
    """
    with kafka_away(), closing(open_consumer(settings)) as consumer:
        topic = settings.topic(TASKS)
        partitions = _partitions(consumer, topic)
        if needs_topic and not partitions:
            raise SinkError(
                f"there is no topic {topic}, or this login may not see it: make it with `signaalwissel topics apply`, "
                "and rights with `signaalwissel topics apply --acls`"
            )
        # One that is ahead tells of a restore; the others may end in a task that the ledger has ended again since.
        restored = any(_is_ahead(consumer, one, connection) for one in partitions)
        published = _last_told(consumer, partitions, connection) if restored else []
    if not published:
        return 0
    lock_tasks(connection)
    lacking = _unknown(connection, [one for one in published if not cancelled_by_erasure(one)])
    numbered = 0
    for part in _parts(lacking):
        here = set(connection.execute(_GO_ON, _asked(part)).scalars())
        absent = [
            one for one in part if one.task_id not in here and one.municipality not in settings.departed
        ]
        _keep_absent(connection, absent, settings, erased)
        numbered += len(here) + len(absent)
    if numbered:
        log.warning(
            "Kafka has later versions of %d tasks than the database, as after a restore; they go on from these",
            numbered,
        )
    return numbered


def _keep_absent(
    connection: Connection,
    absent: Sequence[TaskEvent],
    settings: SinkSettings,
    erased: Callable[[TaskEvent], bool],
) -> None:
    """Remember of tasks that the backup lacks what readers have of them, or that they were destroyed."""
    gone = [(one.task_id, one.municipality) for one in absent if erased(one)]
    tombstones.lay_for_absent_tasks(connection, gone, moment_at(DatabaseTime(), connection).today)
    destroyed = {task_id for task_id, _ in gone}
    marked = {one.task_id: one.version for one in absent if one.task_id not in destroyed}
    mark_published(connection, settings.topic(TASKS), marked)


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    # Without the topic nothing was published; who writes to it says that it is missing.
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


def _is_ahead(consumer: KafkaConsumer, partition: TopicPartition, connection: Connection) -> bool:
    """Whether the last record of a partition that is not of a destroyed task tells a version that the database never had."""
    consumer.assign([partition])
    begin, end = _bounds(consumer, partition)
    first, further = end, 1
    while first > begin:
        behind, first = first, max(begin, first - further)
        told = [_event(record) for record in _records(consumer, {partition: behind}, {partition: first})]
        standing = _standing(connection, told)
        if standing:
            return bool(_unknown(connection, standing[-1:]))
        further *= _FURTHER
    return False


def _last_told(
    consumer: KafkaConsumer, partitions: list[TopicPartition], connection: Connection
) -> list[TaskEvent]:
    consumer.assign(partitions)
    bounds = {partition: _bounds(consumer, partition) for partition in partitions}
    ends = {partition: end for partition, (_, end) in bounds.items()}
    begins = {partition: begin for partition, (begin, _) in bounds.items()}
    last: dict[str, TaskEvent] = {}
    for record in _records(consumer, ends, begins):
        event = _event(record)
        known = last.get(event.task_id)
        if known is None or known.version < event.version:
            last[event.task_id] = event
    return _standing(connection, list(last.values()))


def _standing(connection: Connection, events: Sequence[TaskEvent]) -> list[TaskEvent]:
    """The events without those of tasks that were destroyed, or whose trajectory was."""
    keys = {_trajectory(event) for event in events}
    gone = tombstones.among(connection, {key for key in keys if key is not None})
    ended = tombstones.tasks_among(connection, {event.task_id for event in events})
    return [event for event in events if _trajectory(event) not in gone and event.task_id not in ended]


def _trajectory(event: TaskEvent) -> TrajectoryKey | None:
    return None if event.trajectory_id is None else TrajectoryKey(event.municipality, event.trajectory_id)


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
        try:
            polled = consumer.poll(timeout_ms=_POLL_MS)
        except OffsetOutOfRangeError as error:
            # Its beginning went meanwhile, with its period: the next attempt begins behind it.
            raise ServiceAway(f"Kafka: the beginning of {TASKS} went while it was read") from error
        for records in polled.values():
            deadline = time.monotonic() + _READ_BOUND_S
            yield from records


def _event(record: Any) -> TaskEvent:
    event: TaskEvent = codec("TaskEvent").decode(record.value)
    return event


def _unknown(connection: Connection, events: Sequence[TaskEvent]) -> list[TaskEvent]:
    """Of one event for each task, those that tell a version that the database never had."""
    found: list[TaskEvent] = []
    for part in _parts(events):
        unknown = set(connection.execute(_UNKNOWN, _asked(part)).scalars())
        found += [event for event in part if event.task_id in unknown]
    return found


def _parts(events: Sequence[TaskEvent]) -> Iterator[Sequence[TaskEvent]]:
    for first in range(0, len(events), _AT_ONCE):
        yield events[first : first + _AT_ONCE]


def _asked(events: Sequence[TaskEvent]) -> dict[str, Any]:
    return {"ids": [event.task_id for event in events], "versions": [event.version for event in events]}
