"""Outputs: the partition that Kafka's clients would choose, whole batches, order kept."""

from __future__ import annotations

import random

import pytest
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from signaalwissel.streams.errors import UnknownTopicError
from signaalwissel.streams.outputs import Batch, ChunkOutputs, partition_of


def outputs(partition: int = 2, batch_bytes: int = 4096) -> ChunkOutputs:
    return ChunkOutputs(partition, {"out": 7, "few": 2}, lambda: BatchBuilder(batch_bytes, 0))


def records(batch: Batch) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    batches = MemoryRecords(bytes(batch.builder._build()))
    found = []
    while batches.has_next():
        found += [(r.key, r.value, list(r.headers)) for r in batches.next_batch()]
    return found


def test_the_partition_is_the_one_of_kafkas_own_partitioner() -> None:
    seeded = random.Random(7)
    for size in range(1, 64):
        key = seeded.randbytes(size)
        for count in (1, 3, 12):
            assert partition_of(key, count) == (murmur2(key) & 0x7FFFFFFF) % count


def test_a_record_goes_to_the_partition_of_its_key_in_its_own_topic() -> None:
    out = outputs()
    out.send("out", b"key", b"v")
    out.send("few", b"key", b"v")
    assert [(b.topic, b.partition) for b in out.take()] == [
        ("out", partition_of(b"key", 7)),
        ("few", partition_of(b"key", 2)),
    ]


def test_a_given_partition_is_used_and_a_record_without_key_stays_near_its_input() -> None:
    out = outputs(partition=3)
    out.send("out", b"key", b"v", partition=6)
    out.send("out", None, b"v")
    out.send("few", None, b"v")
    assert [(b.topic, b.partition) for b in out.take()] == [("out", 6), ("out", 3), ("few", 1)]


def test_changes_of_a_table_go_to_the_changelog_partition_of_the_input() -> None:
    out = outputs(partition=3)
    out.add_changes("log", {b"a": b"1", b"b": None})
    (batch,) = out.take()
    assert (batch.topic, batch.partition) == ("log", 3)
    assert records(batch) == [(b"a", b"1", []), (b"b", None, [])]
    assert out.sent == 0


def test_a_full_batch_is_followed_by_another_in_order() -> None:
    out = outputs(batch_bytes=1024)
    values = [b"%d" % i * 100 for i in range(30)]
    for value in values:
        out.send("out", b"key", value, [("number", value[:1])])
    batches = out.take()
    assert len(batches) > 2
    assert [value for batch in batches for _key, value, _headers in records(batch)] == values
    assert out.sent == 30


def test_a_record_larger_than_a_batch_is_left_for_the_broker_to_judge() -> None:
    out = outputs(batch_bytes=1024)
    out.send("out", b"key", b"x" * 5000)
    assert [len(records(batch)) for batch in out.take()] == [1]


def test_headers_may_be_any_sequence() -> None:
    out = outputs()
    out.send("out", b"key", b"v", (("ce_id", b"1"), ("ce_type", b"t")))
    assert records(out.take()[0]) == [(b"key", b"v", [("ce_id", b"1"), ("ce_type", b"t")])]


def test_an_unknown_topic_is_named() -> None:
    with pytest.raises(UnknownTopicError, match="there is no topic 'nowhere'"):
        outputs().send("nowhere", b"key", b"v")


def test_full_batches_are_taken_while_a_small_rest_waits_for_company() -> None:
    out = outputs(batch_bytes=1024)
    for i in range(10):
        out.send("out", b"key", b"%d" % i * 300)
    taken = out.take(at_most_bytes=2000)
    assert taken
    assert out.waiting
    out.send("out", b"key", b"last")
    values = [value for batch in [*taken, *out.take()] for _key, value, _headers in records(batch)]
    assert values == [*(b"%d" % i * 300 for i in range(10)), b"last"]
    assert not out.waiting


def test_a_large_rest_does_not_wait() -> None:
    out = outputs(batch_bytes=1 << 20)
    out.send("out", b"key", b"x" * 3000)
    assert len(out.take(at_most_bytes=2000)) == 1
    assert not out.waiting
