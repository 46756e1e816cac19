"""The sink is killed; whatever the moment, the database says the same as without."""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.settings import DECISIONS, TASKS
from signaalwissel.sinks.tables import consumed_offsets, decisions, outbox, tasks
from signaalwissel.sinks.task_lock import TASKS_LOCK
from sqlalchemy import func, select, text

from tests.processors.followup_support import address_only, decision, regular, to_regular, update
from tests.sinks.sink_support import PARTITIONS, SinkBench, unnumbered, until

ROOT = Path(__file__).parents[2]
ROUNDS = 6


class Worker:
    """A sink process, and what it says."""

    def __init__(self, bench: SinkBench, folder: Path, **changes: Any) -> None:
        settings = asdict(bench.settings_with(**changes))
        with (folder / "sink.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.sinks.sink_worker", json.dumps(settings, default=sorted)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def story(count: int = 1400) -> list[tuple[int, Decision]]:
    """Decisions with the partition of each: all about one trajectory in one partition, corrections included."""
    dice = random.Random(7)
    told = []
    for number in range(count):
        partition = number % PARTITIONS
        signal_id = f"s-{number}"
        received_on = date(2026, 3, 1) + timedelta(days=number % 20)
        trajectory_id = f"T-{partition}-{dice.randrange(12)}"
        kind = dice.choice(["regular", "regular", "hit", "hit", "address"])
        if kind == "regular":
            told.append((partition, regular(signal_id, received_on=received_on)))
        elif kind == "address":
            told.append((partition, address_only(signal_id, received_on=received_on)))
        else:
            hit = decision(
                signal_id,
                received_on=received_on,
                trajectory_id=trajectory_id,
                arrears=dice.randrange(1, 100_000),
            )
            told.append((partition, hit))
            if dice.random() < 0.3:
                told.append((partition, to_regular(signal_id, received_on=received_on)))
    return told


def progress(bench: SinkBench) -> int:
    if not bench.migrated():
        return 0
    with bench.engine.connect() as connection:
        return connection.execute(
            select(func.coalesce(func.sum(consumed_offsets.c.next_offset), 0))
        ).scalar_one()


def publish(bench: SinkBench, told: list[tuple[int, Decision]]) -> None:
    producer = bench.producer()
    topic = bench.settings.topic(DECISIONS)
    for partition, made in told:
        producer.send(topic, key=b"k", value=codec("Decision").encode(made), partition=partition)
    producer.flush()


def answers(bench: SinkBench) -> list[Any]:
    with bench.engine.connect() as connection:
        ids = connection.execute(select(tasks.c.task_id).order_by(tasks.c.task_id)).scalars().all()
    kinds = [TaskUpdateKind.ACCEPTED, TaskUpdateKind.CONTACT_MADE]
    return [update(kind, task_id, update_id=f"{task_id}-{kind}") for task_id in ids for kind in kinds]


@pytest.fixture
def reference(bench: SinkBench, platform: Platform) -> Iterator[SinkBench]:
    """The same topics into a database of its own."""
    name = f"reference_{bench.settings.topic_prefix.replace('-', '_')}"
    with fresh_database(platform.database_url, name) as url:
        settings = bench.settings
        yield SinkBench(settings.bootstrap, url, settings.topic_prefix)


def test_killed_at_any_moment_the_database_says_the_same(
    bench: SinkBench, reference: SinkBench, tmp_path: Path
) -> None:
    dice = random.Random(3)
    told = story()
    # Part by part: however fast a sink is, there is work left for those after it, and no goal is out of reach.
    size = len(told) // (ROUNDS + 1)
    for first in range(0, ROUNDS * size, size):
        publish(bench, told[first : first + size])
        worker = Worker(bench, tmp_path, batch_records=25, linger_s=0.0)
        goal = first + dice.randrange(1, size)
        until(lambda goal=goal: progress(bench) >= goal, "some progress")
        worker.kill()
    publish(bench, told[ROUNDS * size :])
    bench.drain()
    reference.drain()
    bench.report(*answers(bench))
    bench.drain(batch_records=7)
    reference.drain()
    said, expected = bench.everything(), reference.everything()
    assert len(said["decisions"]) == len(story())
    assert len(said["task_updates"]) > 20
    for table, rows in expected.items():
        assert unnumbered(table, said[table]) == unnumbered(table, rows), table


@pytest.mark.parametrize("times", [1, 3])
def test_killed_inside_a_transaction_it_leaves_nothing_of_it(
    bench: SinkBench, tmp_path: Path, times: int
) -> None:
    bench.decide([regular("s-0")])
    bench.drain()
    before = bench.everything()
    bench.decide([decision(f"s-{number}", arrears=number) for number in range(1, 30)])
    for _ in range(times):
        # The sink has written its audit rows and waits for the tasks' lock, in the middle of its transaction.
        with bench.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": TASKS_LOCK})
            worker = Worker(bench, tmp_path)
            until(lambda: waits_for_tasks(bench), "a sink inside its transaction")
            worker.kill()
        until(lambda: not waits_for_tasks(bench), "the end of its session")
        assert bench.everything() == before
    bench.drain()
    assert len(bench.rows(decisions)) == 30
    assert bench.rows(tasks)[0]["version"] == 29


def waits_for_tasks(bench: SinkBench) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    )
    with bench.engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def test_what_was_sent_but_not_marked_is_sent_again_with_the_same_id(bench: SinkBench) -> None:
    bench.decide([decision(), decision("s-2", arrears=90_000)])
    bench.drain()
    with bench.engine.begin() as connection:
        connection.execute(outbox.update().values(sent_at=None))
    bench.drain()
    ids = Counter(dict(record.headers)["ce_id"] for record in bench.published(TASKS, 4))
    assert sorted(ids.values()) == [2, 2]
    assert len({(event.task_id, event.version) for event in bench.task_events(4)}) == 2


def test_an_orderly_stop_exits_with_zero_and_frees_the_partitions(bench: SinkBench, tmp_path: Path) -> None:
    bench.decide([regular()])
    worker = Worker(bench, tmp_path)
    until(bench.drained, "the worker")
    assert worker.stop() == 0
    bench.decide([regular("s-2")])
    bench.drain()
    assert len(bench.rows(decisions)) == 2


def test_a_sink_without_its_database_exits_with_three(bench: SinkBench, tmp_path: Path) -> None:
    worker = Worker(bench, tmp_path, database_url="postgresql://nobody@127.0.0.1:9/none", retry_s=0.2)
    assert worker.process.wait(60) == 3
    assert "PostgreSQL" in (tmp_path / "sink.log").read_text()
