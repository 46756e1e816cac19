"""A bounded look at a topic: its newest records, up to where it ends now.

Flows in: settings and the name of a topic on the broker. Flows out: committed records, or a failure that says what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.connections import BOUND_MS, reader
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.console.whole_topics import records_of
from signaalwissel.processors.wire_findings import WireRecord
from signaalwissel.sinks.records import KafkaRecord
from signaalwissel.sinks.wire import CorruptLog, forgiving


class LookedTopic(NamedTuple):
    """A topic that is looked at.

    Attributes:
        name: On the broker.
        partitions: How many it has.
        records: The newest of each partition, oldest first; they are read while they are taken.
    """

    name: str
    partitions: int
    records: Iterator[KafkaRecord]


@contextmanager
def looking_at(settings: Settings, topic: str, most: int) -> Iterator[LookedTopic]:
    """A topic and at most `most` of its newest offsets, shared out evenly over its partitions.

    Raises:
        UsageFailure: There is no such topic.
        ServiceAway: Kafka does not answer, or its records cannot be read.
    """
    with reader(settings) as consumer:
        found = consumer.partitions_for_topic(topic)
        if not found:
            raise UsageFailure(
                f"Kafka at {settings.kafka_bootstrap} has no topic {topic}, or this account may not see it;"
                " `signaalwissel topics plan` lists ours"
            )
        partitions = [TopicPartition(topic, number) for number in sorted(found)]
        yield LookedTopic(topic, len(partitions), _newest(forgiving(consumer), partitions, most))


def wire_record(record: KafkaRecord) -> WireRecord:
    """A record as the rules look at it."""
    return WireRecord(record.key, record.value, record.headers, record.partition, record.timestamp)


def _newest(consumer: KafkaConsumer, partitions: list[TopicPartition], most: int) -> Iterator[KafkaRecord]:
    begins = consumer.beginning_offsets(partitions, timeout_ms=BOUND_MS)
    ends = consumer.end_offsets(partitions, timeout_ms=BOUND_MS)
    try:
        for partition, start in shared_out({p: ends[p] - begins[p] for p in partitions}, most).items():
            if start:
                yield from records_of(consumer, partition, start=ends[partition] - start)
    except CorruptLog as error:
        raise ServiceAway(str(error)) from error


def shared_out(held: dict[TopicPartition, int], most: int) -> dict[TopicPartition, int]:
    """How many of the newest offsets of each partition are read; together at most `most`.

    What a partition with few records leaves goes to the others.
    """
    left, shares = most, {}
    for waiting, (partition, count) in enumerate(sorted(held.items(), key=lambda item: item[1])):
        shares[partition] = min(count, left // (len(held) - waiting))
        left -= shares[partition]
    return {partition: shares[partition] for partition in held}
