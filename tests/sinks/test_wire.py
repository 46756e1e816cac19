"""The sink reads records with odd header names, and tells a broken batch with its place."""

from typing import Any

import pytest
from kafka import TopicPartition
from kafka.protocol.consumer import IsolationLevel
from kafka.record.memory_records import MemoryRecords
from signaalwissel.sinks.wire import CorruptLog, _PartitionRecords

from tests.odd_records import READ_NAME, batch, odd_header

GOOD = ("traceparent", b"good")


def unpacked(data: bytes) -> list[Any]:
    """The records of a fetch, as the consumer takes them."""
    fetched = _PartitionRecords(
        0, TopicPartition("decisions", 3), MemoryRecords(data), isolation_level=IsolationLevel.READ_COMMITTED
    )
    taken: list[Any] = []
    while fetched:
        taken += fetched.take(2)
    return taken


def test_an_odd_name_costs_neither_its_record_nor_its_neighbours() -> None:
    read = unpacked(batch([[GOOD], [odd_header(), GOOD]]) + batch([[]], base_offset=2))
    assert [record.headers for record in read] == [[GOOD], [(READ_NAME, b"odd"), GOOD], []]
    assert [(r.topic, r.partition, r.offset, r.key, r.value) for r in read] == [
        ("decisions", 3, 0, b"key-0", b"value-0"),
        ("decisions", 3, 1, b"key-1", b"value-1"),
        ("decisions", 3, 2, b"key-0", b"value-0"),
    ]
    assert [record.timestamp for record in read] == [1000, 1001, 1000]


def test_a_batch_with_a_wrong_checksum_is_told_with_its_place() -> None:
    good, bad = batch([[], []]), bytearray(batch([[odd_header()]], base_offset=2))
    bad[-3] ^= 1
    with pytest.raises(CorruptLog, match=r"decisions\[3\]: the records from offset 2 on cannot be read"):
        unpacked(good + bytes(bad))
