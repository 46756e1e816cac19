"""The promise of the engine as a whole: nothing lost, nothing twice, tables as the records say."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.streams.engine_support import Bench, Worker, wait_until

Start = Callable[[dict[str, Any]], Worker]

RECORDS = 100_000
KEYS = 5_000


def load(records: int = RECORDS, keys: int = KEYS) -> list[tuple[bytes, bytes]]:
    return [(b"key-%d" % (i * 7919 % keys), b"%d" % i) for i in range(records)]


def assert_every_record_once(bench: Bench, records: list[tuple[bytes, bytes]]) -> None:
    """Outputs as a multiset, their order per key, and the table's changelog equal a plain fold of the input."""
    outputs = bench.read(bench.name("out"))
    seen = Counter(output.value for output in outputs)
    expected = Counter(value for _key, value in records)
    assert sum((expected - seen).values()) == 0, "lost"
    assert sum((seen - expected).values()) == 0, "duplicated"

    numbers: dict[bytes, int] = {}
    for output in outputs:  # outputs of a key lie in one partition
        numbers[output.key] = numbers.get(output.key, 0) + 1
        assert output.headers["number"] == b"%d" % numbers[output.key], "the table went back or ahead"

    table: dict[bytes, bytes | None] = {}
    for change in bench.read(bench.changelog):
        table[change.key] = change.value
    counts = Counter(key for key, _value in records)
    assert table == {key: b"%d" % count for key, count in counts.items()}


def kill_in_a_transaction(worker: Worker, bench: Bench) -> None:
    """Freeze the worker again and again, until what it has sent lies in an open transaction; there it dies."""

    def caught() -> bool:
        worker.signal(signal.SIGSTOP)
        if bench.stays_open(bench.name("out")):
            return True
        worker.signal(signal.SIGCONT)
        return False

    wait_until(caught, "a transaction is open")
    worker.kill()


@pytest.mark.timeout(180)
def test_two_kills_in_mid_load_lose_and_repeat_nothing(bench: Bench, start_worker: Start) -> None:
    records = load()
    bench.write("in", records)
    plan = {**bench.plan(max_poll_records=500, commit_interval_s=1.0), "pause_s": 0.02}
    for done in (0.2, 0.5):
        worker = start_worker(plan)
        wait_until(lambda share=done: bench.lag() < RECORDS * (1 - share), f"{done:.0%} is committed")
        kill_in_a_transaction(worker, bench)
    last = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    stats = last.stop()
    assert stats["lag"] == 0
    assert_every_record_once(bench, records)
    aborted = len(bench.read(bench.name("out"), "read_uncommitted")) - RECORDS
    assert aborted > 0, "no kill hit an open transaction: the test proves nothing"


@pytest.mark.timeout(180)
def test_tables_on_disk_survive_kills_and_are_not_read_anew(
    bench: Bench, start_worker: Start, tmp_path: Path
) -> None:
    records = load(RECORDS // 2)
    bench.write("in", records)
    plan = {**bench.plan(max_poll_records=500, state_dir=str(tmp_path)), "pause_s": 0.02}
    for done in (0.3, 0.6):
        worker = start_worker(plan)
        wait_until(lambda share=done: bench.lag() < len(records) * (1 - share), f"{done:.0%} is committed")
        worker.kill()
    last = start_worker(plan)
    wait_until(lambda: bench.lag() == 0, "everything is committed")
    stats = last.stop()
    assert stats["recovered"] < KEYS, "the changelog was read although the disk had it"
    assert_every_record_once(bench, records)


@pytest.mark.timeout(180)
def test_workers_that_join_leave_and_die_lose_and_repeat_nothing(bench: Bench, start_worker: Start) -> None:
    records = load()
    bench.write("in", records)
    # Slow enough that there is work left when the third has come, on a busy machine too.
    plan = {**bench.plan(max_poll_records=500), "pause_s": 0.06}
    first = start_worker(plan)
    wait_until(lambda: bench.lag() < RECORDS * 0.9, "the first has begun")
    second = start_worker(plan)
    second.wait_ready()
    wait_until(lambda: bench.lag() < RECORDS * 0.65, "both work")
    third = start_worker(plan)
    third.wait_ready()
    stats = first.stop()
    assert stats["rebalances"] >= 2
    wait_until(lambda: bench.lag() < RECORDS * 0.4, "two work")
    second.kill()
    wait_until(lambda: bench.lag() == 0, "the last one ends it")
    assert third.stop()["rebalances"] >= 2
    assert_every_record_once(bench, records)


@pytest.mark.timeout(120)
def test_a_paused_worker_cannot_write_after_its_partitions_moved(bench: Bench, start_worker: Start) -> None:
    records = load(20_000, 500)
    bench.write("in", records)
    zombie = start_worker({**bench.plan(max_poll_records=200), "pause_s": 0.02})
    wait_until(lambda: bench.lag() < 18_000, "the first has begun")
    zombie.signal(signal.SIGSTOP)
    successor = start_worker(bench.plan())
    wait_until(lambda: bench.lag() == 0, "the second has taken over")
    zombie.signal(signal.SIGCONT)
    time.sleep(3)  # long enough for a commit of what the first one had in hand
    successor.stop()
    zombie.kill()
    assert_every_record_once(bench, records)
