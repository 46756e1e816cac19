"""Whole topics, from their beginning up to where they end now.

Flows in: a consumer of committed records and a partition. Flows out: its records, or ServiceAway where the broker gives
nothing for a while.
"""

import time
from collections.abc import Iterator

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.connections import BOUND_MS
from signaalwissel.console.failures import ServiceAway
from signaalwissel.sinks.records import KafkaRecord

_SILENCE_MAX_S = 30.0
_POLL_MS = 500


def records_of(
    consumer: KafkaConsumer, partition: TopicPartition, *, start: int | None = None
) -> Iterator[KafkaRecord]:
    """The committed records of a partition, oldest first.

    Args:
        consumer: Of committed records.
        partition: Which.
        start: The offset to begin at; the oldest when None.

    Raises:
        ServiceAway: The broker gives nothing for a while before the end is reached.
    """
    consumer.assign([partition])
    if start is None:
        consumer.seek_to_beginning(partition)
    else:
        consumer.seek(partition, start)
    end = consumer.end_offsets([partition], timeout_ms=BOUND_MS)[partition]
    reached, moved_at = -1, time.monotonic()
    while (position := consumer.position(partition, timeout_ms=BOUND_MS)) is None or position < end:
        if position is not None and position > reached:
            reached, moved_at = position, time.monotonic()
        elif time.monotonic() - moved_at > _SILENCE_MAX_S:
            raise ServiceAway(
                f"Kafka: {partition.topic}[{partition.partition}] gives nothing from offset {reached} up to {end}"
            )
        yield from consumer.poll(timeout_ms=_POLL_MS).get(partition, [])
