"""Odd header names reach the handlers as text; a broken batch is told with its place, and nothing is skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from signaalwissel.streams.errors import CorruptLogError
from signaalwissel.streams.wire import ForgivingBatches, PlacedRecords

from tests.odd_records import READ_NAME, batch, odd_header, send_odd
from tests.streams.engine_support import Bench, Worker, wait_until

Start = Callable[[dict[str, Any]], Worker]

READ_COMMITTED = 1
GOOD = ("traceparent", b"good")


def unpacked(data: bytes, fetch_offset: int = 0) -> list[Any]:
    """The records of a fetch, as the consumer unpacks it."""
    tp = TopicPartition("signals", 3)
    return list(
        PlacedRecords(tp, ForgivingBatches(data), None, fetch_offset, None, None, True, READ_COMMITTED)
    )


def test_an_odd_name_costs_neither_its_record_nor_its_neighbours() -> None:
    data = batch([[GOOD], [odd_header(), GOOD]]) + batch([[]], base_offset=2)
    read = unpacked(data)
    assert [list(record.headers) for record in read] == [[GOOD], [(READ_NAME, b"odd"), GOOD], []]
    assert [(r.topic, r.partition, r.offset, r.key, r.value) for r in read] == [
        ("signals", 3, 0, b"key-0", b"value-0"),
        ("signals", 3, 1, b"key-1", b"value-1"),
        ("signals", 3, 2, b"key-0", b"value-0"),
    ]
    assert [record.timestamp for record in read] == [1000, 1001, 1000]


def test_reading_goes_on_within_a_batch_with_an_odd_name() -> None:
    assert [record.offset for record in unpacked(batch([[odd_header()], [], []], 7), fetch_offset=8)] == [
        8,
        9,
    ]


def test_a_batch_with_a_wrong_checksum_is_told_with_its_place() -> None:
    good, bad = batch([[], []]), bytearray(batch([[odd_header()]], base_offset=2))
    bad[-3] ^= 1
    with pytest.raises(CorruptLogError, match=r"signals\[3\]: the records from offset 2 on cannot be read"):
        unpacked(good + bytes(bad))


def test_records_with_odd_names_are_handled_like_any_other(bench: Bench, start_worker: Start) -> None:
    worker = start_worker(bench.plan())
    for number in range(3):
        send_odd(bench.bootstrap, bench.name("in"), b"%d" % number, key=b"same")
        bench.write("in", [(b"same", b"good")])
    wait_until(lambda: bench.lag() == 0 or not worker.running, "everything is handled")
    assert worker.running, worker.text[-4000:]
    assert [record.value for record in bench.read(bench.name("out"))] == [
        b"0",
        b"good",
        b"1",
        b"good",
        b"2",
        b"good",
    ]
    worker.stop()
