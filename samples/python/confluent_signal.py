"""Publishes one early-warning signal with confluent-kafka (librdkafka) and fastavro.

    python confluent_signal.py BOOTSTRAP TOPIC SCHEMAS SIGNAL_ID

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
from typing import Any

import fastavro
from confluent_kafka import Producer


def schema_id(topic: str, schemas: Path) -> int:
    """The id under which readers find the schema: the registry's where there is one, otherwise the fixed one."""
    if registry := os.environ.get("SCHEMA_REGISTRY_URL"):
        with urllib.request.urlopen(
            f"{registry}/subjects/{topic}-value/versions/latest", timeout=10
        ) as answer:
            return int(json.load(answer)["id"])
    return int(json.loads((schemas / "ids.json").read_text("utf-8"))["EarlySignal.v1"])


def wire(identity: int, schema: Any, record: dict[str, object]) -> bytes:
    """Byte 0, the id in four bytes, the Avro body."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, identity))
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def main() -> None:
    """Publish, and return when every replica in sync has it."""
    bootstrap, topic, folder, signal_id = sys.argv[1:]
    schemas = Path(folder)
    schema = fastavro.parse_schema(json.loads((schemas / "EarlySignal.v1.avsc").read_text("utf-8")))
    now = datetime.now(UTC)
    record = {
        "signal_id": signal_id,
        "municipality": "0344",
        "partner": {"partner_id": "water-west", "kind": "WATER"},
        "subject": {"bsn": "999990019"},
        "arrears": Decimal("182.40"),
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
    failed: list[str] = []
    # librdkafka's own default partitioner is another one than Kafka's.
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "partitioner": "murmur2_random"}
    )
    producer.produce(
        topic,
        key=f"water-west/{signal_id}".encode(),
        value=wire(schema_id(topic, schemas), schema, record),
        headers={name: value.encode() for name, value in headers.items()},
        on_delivery=lambda error, _: failed.append(str(error)) if error else None,
    )
    if producer.flush(30) or failed:
        sys.exit(f"not delivered: {', '.join(failed) or 'no answer in 30 s'}")
    print(f"published {signal_id} on {topic}")


if __name__ == "__main__":
    main()
