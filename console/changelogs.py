"""Changelogs and other compacted topics, read once through by a command.

Flows in: a consumer of committed records. Flows out: every record of a topic, up to where it ends now.
"""

import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.connections import BOUND_MS
from signaalwissel.console.failures import ServiceAway, UsageFailure

_SILENCE_MAX_S = 30.0
_POLL_MS = 300


def partitions_of(consumer: KafkaConsumer, topic: str) -> list[int]:
    """The partitions of a topic; UsageFailure where there is no such topic."""
    numbers = sorted(consumer.partitions_for_topic(topic) or ())
    if not numbers:
        raise UsageFailure(f"there is no topic {topic}; make it with `signaalwissel topics apply`")
    return numbers


def read_through(consumer: KafkaConsumer, topic: str) -> Iterator[Any]:
    """The records of all partitions, each partition's in the order of its log.

    Raises:
        UsageFailure: There is no such topic.
        ServiceAway: The broker gives nothing for a while before the end is reached.
    """
    left = {TopicPartition(topic, number) for number in partitions_of(consumer, topic)}
    consumer.assign(list(left))
    consumer.seek_to_beginning(*left)
    ends = consumer.end_offsets(list(left), timeout_ms=BOUND_MS)
    moved_at = time.monotonic()
    while left := {partition for partition in left if _before(consumer, partition, ends[partition])}:
        polled = consumer.poll(timeout_ms=_POLL_MS)
        if polled:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > _SILENCE_MAX_S:
            first = min(left)
            raise ServiceAway(f"Kafka: {topic}[{first.partition}] gives nothing up to offset {ends[first]}")
        for records in polled.values():
            yield from records


def _before(consumer: KafkaConsumer, partition: TopicPartition, end: int) -> bool:
    position = consumer.position(partition, timeout_ms=BOUND_MS)
    return position is None or position < end
