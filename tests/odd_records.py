"""Records that no client means to publish and every client can: header names that are no UTF-8, broken batches."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from kafka import KafkaProducer
from kafka.record.default_records import DefaultRecordBatchBuilder

ODD_NAME = b"caf\xe9"
"""Latin-1, as an old program writes it."""

READ_NAME = r"caf\xe9"

LATER = 1_772_280_000_000


class Name(str):
    """A header name of any bytes, for clients that take text only."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Name:
        name = super().__new__(cls, raw.decode("latin-1"))
        name.raw = raw
        return name

    def encode(self, *_: Any, **__: Any) -> bytes:
        return self.raw


def odd_header() -> tuple[str, bytes]:
    return Name(ODD_NAME), b"odd"


def batch(headers: Iterable[Iterable[tuple[str, bytes | None]]], base_offset: int = 0) -> bytes:
    """A batch of the record format v2, a record for each list of headers, stamped by the broker."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number, listed in enumerate(headers):
        builder.append(number, 1000 + number, b"key-%d" % number, b"value-%d" % number, list(listed))
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, base_offset)
    return bytes(data)


def send_odd(bootstrap: str, topic: str, value: bytes | None, **place: Any) -> None:
    """Publish a record whose header has a name that is no UTF-8."""
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        producer.send(topic, value=value, headers=[odd_header()], **place).get(timeout=30)
    finally:
        producer.close()
