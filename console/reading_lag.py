"""How far intake, matcher and sink are in what they read, and for how long the next record has waited.

Flows in: offsets and record timestamps. Flows out: findings for `doctor`.
"""

import time
from collections.abc import Iterator, Mapping

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.connections import BOUND_MS
from signaalwissel.console.findings import Finding, fine, listed, wrong
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.health import PartitionLag
from signaalwissel.sinks.records import Place

_POLL_MS = 200
_LOOKING_MAX_S = 10.0
_SECOND_MS = 1000
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


def lag_of(
    consumer: KafkaConsumer, topics: list[str], committed: Mapping[TopicPartition, int]
) -> dict[Place, PartitionLag]:
    """Where the log of each partition begins and ends, and where its reader is in it."""
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    if not partitions:
        return {}
    beginnings = consumer.beginning_offsets(partitions, timeout_ms=BOUND_MS)
    ends = consumer.end_offsets(partitions, timeout_ms=BOUND_MS)
    return {Place(*tp): PartitionLag(beginnings[tp], ends[tp], committed.get(tp)) for tp in partitions}


def waiting_since(consumer: KafkaConsumer, lags: Mapping[Place, PartitionLag]) -> dict[Place, Millis]:
    """When Kafka took the first record that was not read yet, for each partition that has one.

    A partition whose lag is nothing but markers of transactions is missing; so is one that does not answer in time.
    """
    behind = {TopicPartition(*place): lag for place, lag in lags.items() if lag.lag > 0 and not lag.lost}
    consumer.assign(list(behind))
    # An earlier look may have paused some of them.
    consumer.resume(*behind)
    for partition, lag in behind.items():
        consumer.seek(partition, lag.beginning if lag.next_offset is None else lag.next_offset)
    found: dict[Place, Millis] = {}
    deadline = time.monotonic() + _LOOKING_MAX_S
    while behind and time.monotonic() < deadline:
        for partition, records in consumer.poll(timeout_ms=_POLL_MS).items():
            found[Place(*partition)] = records[0].timestamp
        for partition in list(behind):
            position = consumer.position(partition, timeout_ms=BOUND_MS)
            if Place(*partition) in found or (position is not None and position >= behind[partition].end):
                consumer.pause(partition)
                del behind[partition]
    return found


def findings_of(
    reader: str,
    lags: Mapping[Place, PartitionLag],
    ages_ms: Mapping[Place, Millis],
    retentions_ms: Mapping[str, Millis],
) -> Iterator[Finding]:
    """What is to be said of one reader.

    Args:
        reader: intake, matcher or sink.
        lags: How far it is, by partition.
        ages_ms: For how long the first unread record waits, where there is one.
        retentions_ms: How long a topic keeps a record; topics that keep all are missing.
    """
    lost = [str(place) for place, lag in lags.items() if lag.lost]
    if lost:
        command = "sink" if reader == "sink" else "worker"
        yield wrong(
            f"{reader} offsets",
            f"records were deleted before they were read, or the topic was made anew: {listed(lost)}",
            f"find out what is missing, then start once with SIGNAALWISSEL_ACCEPT_LOSS=true signaalwissel {command}",
        )
    else:
        yield fine(f"{reader} offsets", "nothing was deleted before it was read")
    late = [
        str(place)
        for place, age in ages_ms.items()
        if place.topic in retentions_ms and age * 2 > retentions_ms[place.topic]
    ]
    unread = sum(max(lag.lag, 0) for place, lag in lags.items() if place in ages_ms)
    detail = "everything is read"
    if ages_ms:
        detail = f"{unread} records to be read, the oldest for {_duration(max(ages_ms.values()))}"
    if late:
        yield wrong(
            f"{reader} lag",
            f"{detail}; longer than half the retention on {listed(late)}",
            f"look at the log of {reader}, start it or give it more processes, before the records are deleted",
        )
    else:
        yield fine(f"{reader} lag", detail)


def findings_unseen(reader: str, lags: Mapping[Place, PartitionLag]) -> Iterator[Finding]:
    """What is to be said of one reader by an account that may not read the records themselves."""
    offsets, _ = findings_of(reader, lags, {}, {})
    yield offsets
    unread = sum(max(lag.lag, 0) for lag in lags.values() if not lag.lost)
    detail = (
        f"{unread} offsets to be passed; since when is not told, as this account may not read the records"
    )
    yield fine(f"{reader} lag", detail)


def _duration(milliseconds: Millis) -> str:
    seconds = max(milliseconds, 0) // _SECOND_MS
    for unit, name in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
