"""A broker that restarts, hangs or stays away; each test has a broker of its own."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from signaalwissel.deploy.embedded_kafka import EmbeddedKafka, kafka_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.settings import PlatformSettings

from tests.streams.engine_support import Bench, Worker, wait_until
from tests.streams.test_exactly_once import assert_every_record_once, load

Start = Callable[[dict[str, Any]], Worker]


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    programs = kafka_programs(PlatformSettings.from_environment(os.environ).cache, Silent())
    with EmbeddedKafka(programs) as broker:
        yield broker


@pytest.fixture
def bench(broker: EmbeddedKafka) -> Bench:
    bench = Bench(broker.address, "own.")
    bench.make_topics()
    return bench


class Supervised:
    """A worker that is started again whenever it ended, as a supervisor would."""

    def __init__(self, start_worker: Start, plan: dict[str, Any]) -> None:
        self._start = start_worker
        self._plan = plan
        self.worker = start_worker(plan)

    def look(self) -> None:
        if not self.worker.running:
            assert self.worker.wait() == 1, self.worker.text[-4000:]
            self.worker = self._start(self._plan)


@pytest.mark.timeout(180)
def test_a_broker_that_is_killed_and_comes_back_loses_and_repeats_nothing(
    broker: EmbeddedKafka, bench: Bench, start_worker: Start
) -> None:
    records = load(30_000, 1_000)
    bench.write("in", records)
    supervised = Supervised(start_worker, {**bench.plan(max_poll_records=300), "pause_s": 0.03})

    def behind_less_than(share: float) -> bool:
        supervised.look()
        return bench.lag() <= len(records) * share

    for share in (0.8, 0.5):
        wait_until(functools.partial(behind_less_than, share), f"less than {share:.0%} is left")
        broker.kill()
        broker.start()
    wait_until(functools.partial(behind_less_than, 0), "everything is committed")
    supervised.worker.stop()
    assert_every_record_once(bench, records)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_a_broker_that_stays_away_ends_the_worker_after_the_bound(
    broker: EmbeddedKafka, bench: Bench, start_worker: Start, busy: bool
) -> None:
    bench.write("in", load(20_000 if busy else 10, 10))
    worker = start_worker({**bench.plan(max_poll_records=100, broker_timeout_s=4.0), "pause_s": 0.05})
    wait_until(lambda: bench.lag() < 19_000 if busy else bench.lag() == 0, "it works")
    broker.kill()
    assert worker.wait(25) == 1
    assert "the broker did not answer for 4 s while" in worker.text


@pytest.mark.timeout(120)
def test_a_broker_that_hangs_ends_the_worker_after_the_bound(
    broker: EmbeddedKafka, bench: Bench, start_worker: Start
) -> None:
    bench.write("in", load(20_000, 10))
    worker = start_worker({**bench.plan(max_poll_records=100, broker_timeout_s=4.0), "pause_s": 0.05})
    wait_until(lambda: bench.lag() < 19_000, "it works")
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        assert worker.wait(25) == 1
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert "the broker did not answer for 4 s while" in worker.text
