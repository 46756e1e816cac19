"""Kafka or PostgreSQL goes away; each test has servers of its own."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from signaalwissel.deploy.embedded_kafka import EmbeddedKafka, kafka_programs
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.postgres_programs import postgres_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.tables import decisions, tasks
from sqlalchemy import text

from tests.processors.followup_support import decision, regular
from tests.sinks.sink_support import SinkBench, until
from tests.sinks.test_kill import Worker


@pytest.fixture
def database() -> Iterator[EmbeddedPostgres]:
    programs = postgres_programs(PlatformSettings.from_environment(os.environ).cache, Silent())
    with EmbeddedPostgres(programs) as database:
        yield database


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    programs = kafka_programs(PlatformSettings.from_environment(os.environ).cache, Silent())
    with EmbeddedKafka(programs) as broker:
        yield broker


def hits(first: int, count: int) -> list[object]:
    return [decision(f"s-{number}", arrears=number + 1) for number in range(first, first + count)]


def assert_each_once(bench: SinkBench, count: int) -> None:
    assert len(bench.rows(decisions)) == count
    (row,) = bench.rows(tasks)
    assert row["version"] == count
    assert {event.version for event in bench.task_events(count)} == set(range(1, count + 1))


def test_a_database_that_crashes_and_comes_back_loses_and_repeats_nothing(
    database: EmbeddedPostgres, kafka_bootstrap: str, topic_prefix: str
) -> None:
    bench = SinkBench(kafka_bootstrap, database.address, topic_prefix)
    bench.make_topics()
    with bench.running(retry_s=60.0, batch_records=10):
        for crash in range(3):
            bench.decide(hits(crash * 100, 100))
            until(
                lambda crash=crash: bench.migrated() and len(bench.rows(decisions)) > crash * 100, "progress"
            )
            database.kill()
            database.start()
        until(bench.drained, "the sink to catch up")
    assert_each_once(bench, 300)
    bench.close()


def make_read_only(bench: SinkBench) -> None:
    """Committed when this returns: every session that begins after it can only read."""
    with bench.engine.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))


def end_sessions(bench: SinkBench) -> None:
    """Cut the sink's sessions, and wait until their locks are free."""
    ended = (
        "SELECT bool_and(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE 'signaalwissel%'"
    )
    with bench.engine.begin() as connection:
        assert connection.execute(text(ended)).scalar_one()


def test_a_database_that_takes_no_writes_ends_the_sink(bench: SinkBench) -> None:
    bench.decide([decision()])
    with bench.running(failing=True, retry_s=5.0) as sink:
        # A session that has stored something: when it ends, the patience begins anew.
        until(bench.drained, "the sink")
        make_read_only(bench)
        end_sessions(bench)
        bench.decide([regular()])
        until(lambda: sink.failure is not None, "the end of the sink")
    assert isinstance(sink.failure, SinkError)
    assert "read-only" in str(sink.failure)


def test_a_broker_that_crashes_and_comes_back_loses_and_repeats_nothing(
    broker: EmbeddedKafka, database_url: str
) -> None:
    bench = SinkBench(broker.address, database_url, "own.")
    bench.make_topics()
    bench.decide(hits(0, 50))
    with bench.running(retry_s=60.0) as sink:
        until(bench.drained, "the first records")
        broker.kill()
        broker.start()
        bench.decide(hits(50, 50), bench.producer())
        until(lambda: sink.failure is not None or bench.drained(), "the sink to catch up")
    assert_each_once(bench, 100)
    bench.close()


def test_a_broker_that_stays_away_ends_a_sink_that_has_nothing_to_do(
    broker: EmbeddedKafka, database_url: str
) -> None:
    bench = SinkBench(broker.address, database_url, "own.")
    bench.make_topics()
    with bench.running(failing=True, retry_s=1.0) as sink:
        until(bench.drained, "the sink")
        broker.kill()
        until(lambda: sink.failure is not None, "the end of the sink")
    assert isinstance(sink.failure, SinkError)
    assert "Kafka" in str(sink.failure)
    assert "start the sink again" in str(sink.failure)


def test_a_sink_that_hangs_past_its_lease_loses_its_partitions_and_ends(
    bench: SinkBench, tmp_path: Path
) -> None:
    bench.decide(hits(0, 20))
    worker = Worker(bench, tmp_path, lease_s=5.0, retry_s=5.0)
    try:
        until(bench.drained, "the first sink")
        worker.process.send_signal(signal.SIGSTOP)
        bench.decide(hits(20, 20))
        with bench.running(retry_s=30.0):
            until(bench.drained, "the second sink")
            worker.process.send_signal(signal.SIGCONT)
            assert worker.process.wait(60) == 3
    finally:
        worker.kill()
    assert_each_once(bench, 40)
    assert "another sink reads this partition" in (tmp_path / "sink.log").read_text()
