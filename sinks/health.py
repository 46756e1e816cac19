"""How the sink is doing: how far it has read, what waits in the outbox, what lies in the dead letters.

Flows in: a database, and Kafka for the lag. Flows out: plain values for `doctor`, `/readyz` and metrics.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from kafka import TopicPartition
from signaalwissel.sinks.reader import REQUEST_BOUND_S, kafka_away, open_consumer
from signaalwissel.sinks.records import Place
from signaalwissel.sinks.settings import INPUT_TOPICS, SinkSettings
from signaalwissel.sinks.tables import consumed_offsets, dead_letters, outbox, tasks
from sqlalchemy import ColumnElement, Engine, Float, Row, cast, func, select


@dataclass(frozen=True, slots=True)
class PartitionHealth:
    """How far one partition was read; `idle_s` is the time since it last moved on."""

    next_offset: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class SinkHealth:
    """What the database tells of the sink, by its own clock.

    Attributes:
        outbox_unsent: Records that wait for the relay.
        outbox_oldest_s: For how long the oldest of them waits; 0 when none does.
        dead_letters: How many there are of each status.
        tasks: How many there are of each status.
    """

    partitions: Mapping[Place, PartitionHealth]
    outbox_unsent: int
    outbox_oldest_s: float
    dead_letters: Mapping[str, int]
    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """Where the log of one partition begins and ends for readers, and where the sink is in it.

    `next_offset` is None where the sink has never read.
    """

    beginning: int
    end: int
    next_offset: int | None

    @property
    def lag(self) -> int:
        """Offsets still to be read; a few of them may be markers of transactions."""
        return self.end - (self.beginning if self.next_offset is None else self.next_offset)

    @property
    def lost(self) -> bool:
        """Whether records were deleted before the sink had read them."""
        return self.next_offset is not None and not self.beginning <= self.next_offset <= self.end


def health(engine: Engine) -> SinkHealth:
    """What the database tells of the sink."""
    with engine.connect() as connection:
        offsets = connection.execute(
            select(
                consumed_offsets.c.topic,
                consumed_offsets.c.partition,
                consumed_offsets.c.next_offset,
                _age_s(consumed_offsets.c.updated_at).label("idle_s"),
            )
        ).all()
        unsent, oldest = connection.execute(
            select(func.count(), func.coalesce(_age_s(func.min(outbox.c.created_at)), 0.0)).where(
                outbox.c.sent_at.is_(None)
            )
        ).one()
        letters = connection.execute(
            select(dead_letters.c.status, func.count()).group_by(dead_letters.c.status)
        ).all()
        kept = connection.execute(select(tasks.c.status, func.count()).group_by(tasks.c.status)).all()
    return SinkHealth(
        partitions={
            Place(row.topic, row.partition): PartitionHealth(row.next_offset, row.idle_s) for row in offsets
        },
        outbox_unsent=unsent,
        outbox_oldest_s=oldest,
        dead_letters=_counts(letters),
        tasks=_counts(kept),
    )


def lag(engine: Engine, settings: SinkSettings) -> dict[Place, PartitionLag]:
    """How far the sink is behind, for every partition of its topics that exists.

    Raises:
        ServiceAway: Kafka does not answer.
    """
    with engine.connect() as connection:
        rows = connection.execute(select(consumed_offsets)).all()
    stored = {Place(row.topic, row.partition): row.next_offset for row in rows}
    timeout_ms = int(REQUEST_BOUND_S * 1000)
    with kafka_away(), closing(open_consumer(settings)) as consumer:
        topics = [settings.topic(name) for name in INPUT_TOPICS]
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        beginnings = consumer.beginning_offsets(partitions, timeout_ms=timeout_ms)
        ends = consumer.end_offsets(partitions, timeout_ms=timeout_ms)
    return {Place(*tp): PartitionLag(beginnings[tp], ends[tp], stored.get(Place(*tp))) for tp in partitions}


def _counts(rows: Iterable[Row[str, int]]) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}


def _age_s(moment: ColumnElement[object]) -> ColumnElement[float]:
    return cast(func.extract("epoch", func.now() - moment), Float)
