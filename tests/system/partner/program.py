"""A partner's program on the wire: kafka-python and avro-python3, and nothing of this project.

`write` takes records in their JSON form from standard input, `read` prints those of a topic; both get the broker, the
topic and a folder with the published schemas as arguments. `partner.py` lies beside this file.
"""

import argparse
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from partner import Schema


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["write", "read"])
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("schemas", type=Path)
    parser.add_argument("record")
    parser.add_argument("--keyed", action="store_true")
    given = parser.parse_args()
    schema = published(given.schemas, given.record)
    if given.command == "write":
        write(given, schema)
    else:
        for line in read(given, schema):
            print(json.dumps(line))


def published(folder: Path, record: str) -> Schema:
    ids = json.loads((folder / "ids.json").read_text("utf-8"))
    newest = max(key for key in ids if key.split(".")[0] == record)
    return Schema(folder / f"{newest}.avsc", ids[newest])


def write(given: argparse.Namespace, schema: Schema) -> None:
    """Send {"key": ..., "record": ...} per line: by the default partitioner of librdkafka, or without any key."""
    producer = KafkaProducer(bootstrap_servers=given.bootstrap, acks="all")
    count = len(producer.partitions_for(given.topic))
    sent = []
    for line in map(json.loads, sys.stdin):
        value = schema.write(line["record"])
        if given.keyed:
            key = line["key"].encode()
            where = zlib.crc32(key) % count
            sent.append(producer.send(given.topic, value=value, key=key, partition=where))
        else:
            sent.append(producer.send(given.topic, value=value))
    for one in sent:
        one.get(timeout=30)
    producer.close()


def read(given: argparse.Namespace, schema: Schema) -> list[dict[str, Any]]:
    """Every committed record of the topic as it is now."""
    consumer = KafkaConsumer(
        bootstrap_servers=given.bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    partitions = [TopicPartition(given.topic, n) for n in consumer.partitions_for_topic(given.topic)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    consumer.seek_to_beginning(*partitions)
    found = []
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for records in consumer.poll(timeout_ms=1000).values():
            for record in records:
                headers = {name: value.decode() for name, value in record.headers}
                found.append(
                    {"key": record.key.decode(), "headers": headers, "record": schema.read(record.value)}
                )
    consumer.close()
    return found


if __name__ == "__main__":
    main()
