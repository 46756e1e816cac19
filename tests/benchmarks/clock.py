"""The sink's clock on real Kafka and PostgreSQL; alone: `python -m tests.benchmarks.clock`.

In: nothing. Out: how long a backlog of due tasks takes, and how many decisions a second the sink stores while its clock
works on such a backlog, against a sink without a clock. Ends with 1 when something was not handled, or more than once.
"""

import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from kafka import KafkaProducer
from rich.console import Console
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.processors.followup_case import Situation
from signaalwissel.processors.followup_decisions import follow
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.processing_register import BUILT_IN
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks import task_store
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.ledger import Ledger
from signaalwissel.streams.clock import now_ms
from sqlalchemy import Engine, TextClause, text

from tests.benchmarks.machine import facts
from tests.benchmarks.processes import running
from tests.benchmarks.report import Measurement, table_of
from tests.benchmarks.sampling import Stuck
from tests.processors.followup_support import decision, regular
from tests.system.installation import Installation

_BACKLOG = 100_000
_DECISIONS = 60_000
_HIT_EVERY = 12
_CHUNK = 5_000
_PARTITIONS = 8
_BOUND_S = 180.0
_PAUSE_S = 0.1
_LATE = timedelta(days=15)
_GOAL_S = 60.0
_FEWER_AT_MOST = 0.2
_WINDOW = (0.1, 0.9)
_DUE = text("SELECT count(*) FROM tasks WHERE task_id LIKE 'relapse-%' AND next_on <= current_date")
_STORED = text("SELECT count(*) FROM decisions")
_TWICE = text("SELECT count(*) FROM tasks WHERE version <> 2 AND opened_on = :day")


class ClockStage:
    """Runs and measures the clock.

    Args:
        server: PostgreSQL, where databases can be made.
        bootstrap: Kafka.
        folder: For keys and logs.

    Attributes:
        measurements: What was measured.
        wrong: What was not as it must be, in words.
    """

    def __init__(self, server: str, bootstrap: str, folder: Path) -> None:
        self._server, self._bootstrap, self._folder = server, bootstrap, folder
        self._today = amsterdam_day(now_ms())
        self.measurements: list[Measurement] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        """Run everything.

        Raises:
            Stuck: The sink ended by itself, or did not come to an end.
        """
        self._backlog()
        without = self._decisions(clock="off")
        with_clock = self._decisions(clock="database")
        share = (1 - with_clock / without) * 100
        self.measurements += [
            Measurement("sink, clock off, throughput", without, "1/s"),
            Measurement("sink, clock at work, throughput", with_clock, "1/s", without * (1 - _FEWER_AT_MOST)),
            Measurement("sink, lost to the clock", share, "%", _FEWER_AT_MOST * 100),
        ]

    def _backlog(self) -> None:
        with fresh_database(self._server, "bench_clock") as url:
            installation = self._installation(url, "clock-backlog-", "database")
            engine = open_engine(url, name="benchmark")
            day = self._today - _LATE
            seed(engine, day)
            with running(installation, "sink"):
                _until(lambda: _count(engine, _DUE) < _BACKLOG, "the first batch")
                began, left = time.monotonic(), _count(engine, _DUE)
                _until(lambda: _count(engine, _DUE) == 0, "the end of the backlog")
                seconds = (time.monotonic() - began) * _BACKLOG / left
            with engine.connect() as connection:
                odd = connection.execute(_TWICE, {"day": day}).scalar_one()
            if odd:
                self.wrong.append(f"{odd} tasks were not handled exactly once")
        about = {"tasks_per_s": round(_BACKLOG / seconds)}
        self.measurements.append(
            Measurement(f"clock, backlog of {_BACKLOG:,} tasks", seconds, "s", _GOAL_S, about)
        )

    def _decisions(self, clock: str) -> float:
        with fresh_database(self._server, f"bench_clock_{clock}") as url:
            installation = self._installation(url, f"clock-{clock}-", clock)
            engine = open_engine(url, name="benchmark")
            # In both cases the same tables; without a clock nobody works on what is due in them.
            seed(engine, self._today - _LATE)
            _publish(installation, self._today)
            low, high = (round(share * _DECISIONS) for share in _WINDOW)
            with running(installation, "sink"):
                _until(lambda: _count(engine, _STORED) >= low, "the first decisions")
                began, first = time.monotonic(), _count(engine, _STORED)
                _until(lambda: _count(engine, _STORED) >= high, "the last decisions")
                seconds, last = time.monotonic() - began, _count(engine, _STORED)
                due = _count(engine, _DUE)
                _until(lambda: _count(engine, _STORED) == _DECISIONS, "all decisions")
            if clock != "off" and not 0 < due < _BACKLOG:
                self.wrong.append(f"the clock did not work throughout: {due} of {_BACKLOG} tasks were left")
            return (last - first) / seconds

    def _installation(self, url: str, prefix: str, clock: str) -> Installation:
        extra = {"SIGNAALWISSEL_CLOCK": clock}
        return Installation(self._bootstrap, url, prefix, self._folder, _PARTITIONS, extra=extra)


def seed(engine: Engine, day: date) -> None:
    """Fill the database with relapse tasks of signals that were received on `day`, each on its own trajectory."""
    policy = packaged_policies().default
    for begin in range(0, _BACKLOG, _CHUNK):
        tasks = []
        for number in range(begin, begin + _CHUNK):
            hit = decision(f"b-{number}", received_on=day, trajectory_id=f"B-{number}")
            tasks += follow(hit, Situation(), policy)
        with engine.begin() as connection:
            task_store.save(connection, {}, tasks, Ledger("benchmark", lambda _: BUILT_IN))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _publish(installation: Installation, today: date) -> None:
    producer = KafkaProducer(bootstrap_servers=installation.bootstrap, linger_ms=20)
    encode = codec("Decision").encode
    for number in range(_DECISIONS):
        if number % _HIT_EVERY:
            made = regular(f"s-{number}", received_on=today)
        else:
            made = decision(f"s-{number}", received_on=today, trajectory_id=f"T-{number}")
        producer.send(installation.prefix + DECISIONS, key=str(number).encode(), value=encode(made))
    producer.flush(timeout=60)
    producer.close()


def _count(engine: Engine, statement: TextClause) -> int:
    with engine.connect() as connection:
        return int(connection.execute(statement).scalar_one())


def _until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _BOUND_S
    while not reached():
        if time.monotonic() > deadline:
            raise Stuck(f"not within {_BOUND_S:g} s: {what}")
        time.sleep(_PAUSE_S)


def main() -> int:
    """Run the stage alone; 0 when every run was correct, else 1."""
    settings = dataclasses.replace(
        PlatformSettings.from_environment(os.environ), given_bootstrap=None, given_database_url=None
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        platform(settings, progress=progress_on(sys.stderr)) as servers,
    ):
        stage = ClockStage(servers.database_url, servers.kafka_bootstrap, Path(folder))
        try:
            stage.run()
        except Stuck as stuck:
            stage.wrong.append(str(stuck))
    Console(soft_wrap=True).print(table_of("Signaalwissel's clock, measured", stage.measurements))
    print(json.dumps({"machine": facts()}))
    for measurement in stage.measurements:
        print(measurement.line())
    for wrong in stage.wrong:
        print(f"WRONG: {wrong}", file=sys.stderr)
    return 1 if stage.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
