"""How a worker process ends, and what it left behind: one test for each fate."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata, TopicPartition

from tests.streams.engine_support import Bench, Worker, wait_until

Start = Callable[[dict[str, Any]], Worker]

GOOD = [(b"key-%d" % i, b"%d" % i) for i in range(100)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_told_stop_commits_leaves_and_ends_with_0(
    bench: Bench, start_worker: Start, number: signal.Signals
) -> None:
    bench.write("in", [(key, value * 4_000) for key, value in GOOD])  # too large to wait for the commit
    worker = start_worker(
        bench.plan(commit_interval_s=30.0, transaction_timeout_s=60.0)
    )  # only the stop commits
    worker.wait_ready()
    wait_until(lambda: len(bench.peek(bench.name("out"), "read_uncommitted")) == 100, "all are handled")
    assert bench.peek(bench.name("out")) == []
    worker.signal(number)
    assert worker.wait() == 0, worker.text
    assert len(bench.read(bench.name("out"))) == 100
    assert bench.lag() == 0
    assert members(bench) == 0


def members(bench: Bench) -> int:
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        return len(admin.describe_groups([bench.app_id])[bench.app_id]["members"])
    finally:
        admin.close()


def test_a_stop_during_the_start_ends_with_0(bench: Bench, start_worker: Start) -> None:
    worker = start_worker(bench.plan())
    wait_until(lambda: f"{bench.app_id} starts" in worker.text, "it has begun to start")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.text


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        pytest.param(b"bug", "ZeroDivisionError: a bug in the handler", id="a bug of the handler"),
        pytest.param(b"huge", "MessageSizeTooLarge", id="an output that the broker refuses"),
        pytest.param(b"lost", "there is no topic 'no-such-topic'", id="an output without topic"),
    ],
)
def test_a_failure_ends_the_process_with_nothing_acknowledged(
    bench: Bench, start_worker: Start, value: bytes, cause: str
) -> None:
    bench.write("in", [(b"same", b"1"), (b"same", b"2"), (b"same", value), (b"same", b"4")])
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert cause in worker.text
    assert bench.peek(bench.name("out")) == []
    assert bench.peek(bench.changelog) == []
    assert bench.lag() == 4
    again = start_worker(bench.plan())
    assert again.wait() == 1
    assert bench.lag() == 4


def test_unequal_partition_counts_stop_the_start(
    kafka_bootstrap: str, topic_prefix: str, start_worker: Start
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix, inputs=("in", "more"))
    bench.make_topics({bench.name("more"): 3})
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert f"{bench.name('in')} has 4, {bench.name('more')} has 3" in worker.text


def test_a_missing_changelog_stops_the_start(
    kafka_bootstrap: str, topic_prefix: str, start_worker: Start
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics({bench.changelog: 0})
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert f"missing topics: {bench.changelog}" in worker.text


def test_no_broker_at_the_start_ends_with_1_after_the_bound(bench: Bench, start_worker: Start) -> None:
    worker = start_worker(bench.plan(bootstrap="127.0.0.1:1", broker_timeout_s=1.5))
    assert worker.wait(20) == 1
    assert "the broker did not answer for 1.5 s while connecting to it" in worker.text


def partition_of_one_key(bench: Bench) -> TopicPartition:
    """Write 10 records of one key; where they lie."""
    bench.write("in", [(b"same", b"%d" % i) for i in range(10)])
    return place_of(bench)


def place_of(bench: Bench) -> TopicPartition:
    """The one partition that has records."""
    (place,) = {record.partition for record in bench.read(bench.name("in"))}
    return TopicPartition(bench.name("in"), place)


def delete_before(bench: Bench, tp: TopicPartition, offset: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        admin.delete_records({tp: offset})
    finally:
        admin.close()


def handle_all(bench: Bench, start_worker: Start) -> None:
    worker = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    worker.stop()


def test_a_committed_offset_before_the_beginning_of_the_log_is_an_error_until_accepted(
    bench: Bench, start_worker: Start
) -> None:
    tp = partition_of_one_key(bench)
    handle_all(bench, start_worker)
    bench.write("in", [(b"same", b"%d" % i) for i in range(10, 30)])
    delete_before(bench, tp, 15)
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert f"{tp.topic}[{tp.partition}]: the next record to read is offset 10" in worker.text
    assert "holds 15 up to 30" in worker.text
    assert "--accept-loss" in worker.text
    assert len(bench.read(bench.name("out"))) == 10

    accepting = start_worker(bench.plan(accept_loss=True))
    wait_until(lambda: bench.lag() == 0, "the rest is committed")
    assert accepting.stop()["losses_accepted"] == 1
    assert len(bench.read(bench.name("out"))) == 25


def test_a_committed_offset_beyond_the_end_of_the_log_is_an_error(bench: Bench, start_worker: Start) -> None:
    tp = partition_of_one_key(bench)
    handle_all(bench, start_worker)
    admin = KafkaAdminClient(bootstrap_servers=bench.bootstrap)
    try:
        admin.alter_group_offsets(bench.app_id, {tp: OffsetAndMetadata(99, "", -1)})
    finally:
        admin.close()
    worker = start_worker(bench.plan())
    assert worker.wait() == 1
    assert "the next record to read is offset 99, but the log now holds 0 up to 10" in worker.text


def test_records_that_vanish_under_a_reading_worker_are_an_error(bench: Bench, start_worker: Start) -> None:
    for i in range(8):  # a batch each, of which one fetch brings one
        bench.write("in", [(b"same", b"%d" % i)])
    tp = place_of(bench)
    worker = start_worker({**bench.plan(fetch_partition_bytes=100), "pause_s": 1.0})
    wait_until(lambda: bench.lag() < 8, "it has begun")
    delete_before(bench, tp, 8)
    assert worker.wait() == 1
    assert f"{tp.topic}[{tp.partition}]: the next record to read is offset" in worker.text
    assert "but the log now holds 8 up to 8" in worker.text
