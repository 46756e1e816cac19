"""What an app does with its topics and tables, in worker processes on a real broker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.streams.engine_support import Bench, Worker, wait_until

Start = Callable[[dict[str, Any]], Worker]


def load(count: int, keys: int, name: str = "key") -> list[tuple[bytes, bytes]]:
    return [(f"{name}-{i % keys}".encode(), f"{name} {i}".encode()) for i in range(count)]


@pytest.fixture
def two_inputs(kafka_bootstrap: str, topic_prefix: str) -> Bench:
    bench = Bench(kafka_bootstrap, topic_prefix, inputs=("in", "more"))
    bench.make_topics()
    return bench


def test_several_inputs_share_tables_and_transactions(two_inputs: Bench, start_worker: Start) -> None:
    two_inputs.write("in", load(3_000, 50))
    two_inputs.write("more", load(2_000, 50))
    worker = start_worker(two_inputs.plan(max_poll_records=100))
    wait_until(lambda: two_inputs.lag() == 0, "everything is committed")
    assert worker.stop()["records"] == 5_000
    outputs = two_inputs.read(two_inputs.name("out"))
    assert len(outputs) == 5_000
    last = {change.key: change.value for change in two_inputs.read(two_inputs.changelog)}
    assert last == {b"key-%d" % i: b"100" for i in range(50)}


def test_an_input_that_ends_in_transaction_markers_has_no_lag(bench: Bench, start_worker: Start) -> None:
    bench.write("in", load(100, 100), transactional=True)
    worker = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "the markers are committed too")
    worker.stop()
    again = start_worker(bench.plan())
    again.wait_ready()
    assert again.stop()["records"] == 0
    assert len(bench.read(bench.name("out"))) == 100


def test_an_app_without_tables_runs_and_fences_as_one_with_tables(bench: Bench, start_worker: Start) -> None:
    bench.write("in", load(1_000, 100))
    first = start_worker({**bench.plan(max_poll_records=100), "tables": []})
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    second = start_worker({**bench.plan(), "tables": []})
    second.wait_ready()
    bench.write("in", load(1_000, 100))
    wait_until(lambda: bench.lag() == 0, "everything is committed again")
    assert first.stop()["records"] + second.stop()["records"] == 2_000
    assert len(bench.read(bench.name("out"))) == 2_000


def standings(worker: Worker) -> list[dict[str, Any]]:
    """What the worker's health check saw, look by look."""
    whole_lines = worker.text.splitlines(keepends=True)
    return [
        json.loads(line.removeprefix("standing "))
        for line in whole_lines
        if line.startswith("standing ") and line.endswith("\n")
    ]


def test_a_partition_that_is_handled_and_never_committed_is_due_beside_others_that_are(
    bench: Bench, start_worker: Start
) -> None:
    worker = start_worker({**bench.plan(), "tells_standing": True, "never_commits": 2})
    bench.write("in", load(100, 100))
    (count,) = (end for tp, end in bench.ends().items() if tp.partition == 2)
    wait_until(lambda: bench.lag() == count, "the other partitions are committed")
    told = f"{count} records of {bench.name('in')}[2] are to be read and committed"
    wait_until(lambda: standings(worker)[-1]["parts"] == [told], "this one is due")
    wait_until(lambda: len(bench.peek(bench.name("out"))) == 100 - count, "the others' outputs are there")
    worker.kill()


@pytest.mark.parametrize(
    "ends", [["commit"], ["abort"], ["commit", "abort", "abort"], ["commit", "leave open"]], ids=" ".join
)
def test_nothing_is_due_where_only_markers_and_what_was_never_committed_are_left(
    bench: Bench, start_worker: Start, ends: list[Any]
) -> None:
    worker = start_worker({**bench.plan(), "tells_standing": True})
    worker.wait_ready()
    for end in ends:
        bench.write("in", load(100, 100), transactional=True, end=end)
    wait_until(lambda: bench.lag() == 0, "what there is to read is committed")

    def nothing_is_due() -> bool:
        ends = {f"{tp.topic}[{tp.partition}]": end for tp, end in bench.ends().items()}
        seen = standings(worker)[-1]
        return (seen["ends"], seen["due"], seen["parts"]) == (ends, None, [])

    wait_until(nothing_is_due, "the worker has seen how far the logs go, and nothing is due")
    assert len(bench.read(bench.name("out"))) == 100 * ends.count("commit")
    worker.stop()


def test_nothing_is_due_in_a_worker_that_takes_over_partitions_that_end_in_markers(
    bench: Bench, start_worker: Start
) -> None:
    bench.write("in", load(100, 100), transactional=True, end="abort")
    first = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "the markers are committed")
    first.stop()
    second = start_worker({**bench.plan(), "tells_standing": True})
    second.wait_ready()
    wait_until(
        lambda: any(one["ready"] and one["ends"] for one in standings(second)), "it has looked at its logs"
    )
    assert {one["due"] for one in standings(second) if one["ready"]} == {None}
    second.stop()


def test_a_sweep_runs_without_input_in_a_transaction_and_knows_the_stream_time(
    bench: Bench, start_worker: Start
) -> None:
    bench.write("in", [(b"old-%d" % i, b"v") for i in range(20)] + [(b"new-%d" % i, b"v") for i in range(20)])
    first = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    assert first.stop()["sweeps"] == 0

    second = start_worker(bench.plan(sweep_interval_s=0.3))
    partitions = {record.partition for record in bench.read(bench.name("in"))}
    wait_until(
        lambda: len(bench.peek(bench.name("sweeps"))) >= 2 * len(partitions),
        "every partition was swept twice",
    )
    assert second.stop()["records"] == 0

    reports = [json.loads(record.value or b"") for record in bench.read(bench.name("sweeps"))]
    newest = {record.partition: record.timestamp for record in bench.read(bench.name("in"))}
    assert {report["partition"]: report["stream_time_ms"] for report in reports} == newest
    assert sum(report["keys"] for report in reports[: len(partitions)]) == 40
    table: dict[bytes, bytes | None] = {change.key: change.value for change in bench.read(bench.changelog)}
    assert {key for key, value in table.items() if value is not None} == {b"new-%d" % i for i in range(20)}


def origins(bench: Bench, partition: int) -> list[str]:
    """The input topics of the outputs in one output partition, in order."""
    return [
        record.headers["origin"].decode().split("/")[0].removeprefix(bench.prefix)
        for record in bench.read(bench.name("out"))
        if record.partition == partition
    ]


def test_held_topics_wait_until_the_group_has_handled_the_others_in_all_workers(
    two_inputs: Bench, start_worker: Start
) -> None:
    bench = two_inputs
    bench.write("in", load(1_000, 100))
    bench.write("more", load(4_000, 100), transactional=True)
    gate = {"held": [bench.name("in")], "until": [bench.name("more")], "timeout_s": 60}
    plan = {**bench.plan(max_poll_records=100), "gate": gate}
    slow, quick = start_worker({**plan, "pause_s": 0.1}), start_worker(plan)
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    assert slow.stop()["gate_timeouts"] + quick.stop()["gate_timeouts"] == 0
    for partition in range(3):
        found = origins(bench, partition)
        assert Counter(found).keys() == {"in", "more"}
        assert found == sorted(found, reverse=True), (
            "a held record came before the last one that it waits for"
        )


def test_the_bound_of_the_gate_releases_held_topics(two_inputs: Bench, start_worker: Start) -> None:
    bench = two_inputs
    bench.write("in", load(10, 10))
    bench.write("sweeps", load(10, 10))  # nobody commits offsets of this topic
    gate = {"held": [bench.name("in")], "until": [bench.name("sweeps")], "timeout_s": 1.0}
    worker = start_worker({**bench.plan(), "gate": gate})
    wait_until(lambda: bench.lag() == 0, "the held records are handled")
    assert worker.stop()["gate_timeouts"] == 1
    assert "the cold-start gate opens after 1 s although 1 partition(s) are behind" in worker.text


def test_a_partition_that_stays_through_a_rebalance_is_not_read_again(
    bench: Bench, start_worker: Start
) -> None:
    records = load(4_000, 1_000)
    bench.write("in", records)
    first = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    second = start_worker(bench.plan())
    second.wait_ready()
    bench.write("in", records)
    wait_until(lambda: bench.lag() == 0, "everything is committed again")
    stayed, joined = first.stop(), second.stop()
    assert (stayed["rebalances"], stayed["recovered"]) == (2, 0)
    assert 0 < joined["recovered"] < 4_000
    last = {change.key: change.value for change in bench.read(bench.changelog)}
    assert last == {b"key-%d" % i: b"8" for i in range(1_000)}


def test_a_worker_without_partitions_takes_over_when_they_come_free(
    kafka_bootstrap: str, topic_prefix: str, start_worker: Start
) -> None:
    bench = Bench(kafka_bootstrap, topic_prefix, partitions=1)
    bench.make_topics()
    owner = start_worker(bench.plan())
    owner.wait_ready()
    spare = start_worker(bench.plan())
    spare.wait_ready()
    bench.write("in", load(100, 10))
    wait_until(lambda: len(bench.peek(bench.name("out"))) == 100, "one of them works")
    owner.stop()
    bench.write("in", load(100, 10))
    wait_until(lambda: len(bench.peek(bench.name("out"))) == 200, "the other one has taken over")
    spare.stop()
    assert {change.key: change.value for change in bench.read(bench.changelog)} == {
        b"key-%d" % i: b"20" for i in range(10)
    }
