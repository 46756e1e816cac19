"""Lag: how much worker and sink still have to read."""

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.health import lag as sink_lag


def total_lag(settings: Settings) -> int:
    """Offsets that intake, matcher and sink have yet to pass, all partitions together."""
    sink = sink_lag(
        open_engine(runtime.database_url(settings), name="signaalwissel-lag"), runtime.sink_settings(settings)
    )
    return sum(stream_lag(settings).values()) + sum(partition.lag for partition in sink.values())


def stream_lag(settings: Settings) -> dict[tuple[str, str, int], int]:
    """Lag of intake and matcher by group, topic and partition; the last offsets may be transaction markers."""
    names = runtime.names(settings)
    read_by = {
        names.intake_app: [*names.signal_inputs(), *names.trajectory_inputs(), names(INTAKE_COMMANDS)],
        names.matcher_app: [names(RESIDENT_EVENTS)],
    }
    with admin(settings) as client:
        offsets = client.list_group_offsets(list(read_by))
    consumer = KafkaConsumer(
        bootstrap_servers=runtime.bootstrap(settings).split(","),
        group_id=None,
        isolation_level="read_committed",
        **runtime.kafka_python_connection(settings),
    )
    try:
        found = {}
        for group, topics in read_by.items():
            partitions = [
                TopicPartition(topic, number)
                for topic in topics
                for number in consumer.partitions_for_topic(topic) or ()
            ]
            ends = consumer.end_offsets(partitions)
            begins = consumer.beginning_offsets(partitions)
            for partition in partitions:
                committed = offsets.get(group, {}).get(partition)
                at = begins[partition] if committed is None else committed.offset
                found[group, partition.topic, partition.partition] = max(ends[partition] - at, 0)
        return found
    finally:
        consumer.close()
