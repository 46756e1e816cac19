"""Publishes one early-warning signal with kafka-python and Apache's Avro library.

    python kafka_python_signal.py BOOTSTRAP TOPIC SCHEMAS SIGNAL_ID

SCHEMAS is the folder with the published schemas (`schemas/` of this repository). Where SCHEMA_REGISTRY_URL is set, the
schema id comes from that registry.
"""

import io
import json
import os
import struct
import sys
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import avro.io
import avro.schema
from kafka import KafkaProducer


def schema_id(topic: str, schemas: Path) -> int:
    """The id under which readers find the schema: the registry's where there is one, otherwise the fixed one."""
    if registry := os.environ.get("SCHEMA_REGISTRY_URL"):
        with urllib.request.urlopen(
            f"{registry}/subjects/{topic}-value/versions/latest", timeout=10
        ) as answer:
            return int(json.load(answer)["id"])
    return int(json.loads((schemas / "ids.json").read_text("utf-8"))["EarlySignal.v1"])


def wire(identity: int, schema: avro.schema.Schema, record: dict[str, object]) -> bytes:
    """Byte 0, the id in four bytes, the Avro body."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, identity))
    avro.io.DatumWriter(schema).write(record, avro.io.BinaryEncoder(out))
    return out.getvalue()


def main() -> None:
    """Publish, and return when every replica in sync has it."""
    bootstrap, topic, folder, signal_id = sys.argv[1:]
    schemas = Path(folder)
    schema = avro.schema.parse((schemas / "EarlySignal.v1.avsc").read_text("utf-8"))
    now = datetime.now(UTC)
    record = {
        "signal_id": signal_id,
        "municipality": "0344",
        "partner": {"partner_id": "water-west", "kind": "WATER"},
        "subject": {"bsn": "999990019"},
        "customer_reference": None,
        "arrears": Decimal("182.40"),
        "arrears_since": None,
        "signalled_on": None,
        "received_at": now,
        "crisis": False,
        "warm_transfer": False,
        "collection_effort_attested": True,
    }
    headers = {
        "ce_id": f"water-west/{signal_id}",
        "ce_source": "urn:example:water-west",
        "ce_specversion": "1.0",
        "ce_type": "nl.vroegsignalering.signaal-ontvangen",
        "ce_time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "content-type": "application/avro",
    }
    # Its partitioner is Kafka's own (murmur2).
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    producer.send(
        topic,
        key=f"water-west/{signal_id}".encode(),
        value=wire(schema_id(topic, schemas), schema, record),
        headers=[(name, value.encode()) for name, value in headers.items()],
    ).get(timeout=30)
    producer.close()
    print(f"published {signal_id} on {topic}")


if __name__ == "__main__":
    main()
