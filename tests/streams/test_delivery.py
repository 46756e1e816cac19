"""Delivery: what a program gives is on Kafka at its end, once and in order; or the program is told."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from signaalwissel.streams.delivery import WAITING_MAX, Delivery, NotDelivered
from signaalwissel.streams.outputs import partition_of

from tests.streams.engine_support import PARTITIONS, Bench, wait_until


def delivery(bench: Bench, bound_s: float = 30.0) -> Delivery:
    return Delivery(bench.bootstrap, {}, "test", bound_s=bound_s)


def test_every_record_arrives_once_in_order_and_in_the_partition_of_its_key(bench: Bench) -> None:
    count = WAITING_MAX + 5_000
    with delivery(bench) as open_delivery:
        for number in range(count):
            key = f"key-{number % 50}".encode()
            open_delivery.send(bench.name("in"), key, str(number).encode(), [("h", b"1")])
    found: dict[bytes, list[int]] = defaultdict(list)
    for record in bench.read(bench.name("in")):
        assert record.partition == partition_of(record.key, PARTITIONS)
        assert record.headers == {"h": b"1"}
        found[record.key].append(int(record.value or b""))
    assert sum(map(len, found.values())) == count
    assert all(numbers == sorted(set(numbers)) for numbers in found.values())


def test_a_record_leaves_while_the_program_waits_for_the_next(bench: Bench) -> None:
    with delivery(bench) as open_delivery:
        open_delivery.send(bench.name("in"), b"k", b"first", [])
        wait_until(lambda: len(bench.peek(bench.name("in"))) == 1, "the record is on Kafka")


def test_a_topic_that_is_not_there_is_named_and_not_made(bench: Bench) -> None:
    for _ in range(2):
        with (
            pytest.raises(NotDelivered, match=f"there is no topic '{bench.name('none')}'"),
            delivery(bench, bound_s=1.5) as open_delivery,
        ):
            open_delivery.send(bench.name("none"), b"k", b"v", [])


def test_a_topic_that_is_made_a_moment_later_is_waited_for(kafka_bootstrap: str, topic_prefix: str) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    with delivery(bench) as open_delivery, ThreadPoolExecutor() as pool:
        sent = pool.submit(open_delivery.send, bench.name("in"), b"k", b"v", [])
        bench.make_topics()
        sent.result()
    assert [record.value for record in bench.read(bench.name("in"))] == [b"v"]


def test_a_record_that_the_broker_refuses_is_told_at_the_latest_at_the_end(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics(**{"max.message.bytes": "200"})
    with pytest.raises(NotDelivered, match="MessageSizeTooLarge"), delivery(bench) as open_delivery:
        open_delivery.send(bench.name("in"), b"k", b"v" * 500, [])


def test_the_error_of_the_program_itself_counts_and_what_it_gave_before_arrives(bench: Bench) -> None:
    def program() -> None:
        with delivery(bench) as open_delivery:
            open_delivery.send(bench.name("in"), b"k", b"v", [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        program()
    assert [record.value for record in bench.read(bench.name("in"))] == [b"v"]


def test_a_broker_that_is_not_there_is_waited_for_no_longer_than_the_bound() -> None:
    with (
        pytest.raises(NotDelivered, match="no answer for 1 s"),
        Delivery("127.0.0.1:1", {}, "t", bound_s=1.0),
    ):
        pass
