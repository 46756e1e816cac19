"""Erasures that a restored database lacks are done again, by a sink's start or by the command, and readers hear of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from signaalwissel.console import erasure_ledger
from signaalwissel.console.settings import Settings
from signaalwissel.schemas.followup import TaskStatus, TaskUpdateKind
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks import subject_ledger_store
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import outbox, tasks

from tests.processors.followup_support import decision, update
from tests.sinks.clock_support import state
from tests.sinks.restore_support import Erasures, finish, restore, task_of
from tests.sinks.sink_support import SinkBench, until

Again = Callable[[SinkBench, Erasures, Path], None]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where the ledger lies."""
    return tmp_path / "erasures.jsonl"


def at_a_start(restored: SinkBench, erase: Erasures, ledger: Path) -> None:
    """As a sink that is told where the ledger lies."""
    settings = Settings(erasure_ledger=ledger, every_municipality=True)
    erasure_ledger.forget_again(settings, restored.settings, erase.keys)


def by_the_command(restored: SinkBench, erase: Erasures, ledger: Path) -> None:
    """As an operator whose sinks are not told where it lies."""
    ended = applied(restored.settings, erase, ledger)
    assert ended.returncode == 0, ended.stderr


def applied(settings: SinkSettings, erase: Erasures, ledger: Path) -> subprocess.CompletedProcess[str]:
    """How `subject ledger apply` ended."""
    named = {
        "KAFKA_BOOTSTRAP": settings.bootstrap,
        "DATABASE_URL": settings.database_url,
        "TOPIC_PREFIX": settings.topic_prefix,
        "KEY_DIR": str(erase.folder),
        "EVERY_MUNICIPALITY": "true",
    }
    variables = {f"SIGNAALWISSEL_{name}": value for name, value in named.items()}
    command = [sys.executable, "-m", "signaalwissel.console", "subject", "ledger", "apply", str(ledger)]
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("again", [at_a_start, by_the_command])
def test_an_erasure_that_is_done_again_after_a_restore_has_a_number_that_readers_do_not_have(
    bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path, again: Again
) -> None:
    hit = decision("s-1")
    bench.decide([hit])
    bench.drain()
    restore(bench, restored, ledger.parent)
    bench.report(update(TaskUpdateKind.ACCEPTED, task_of(bench, "T-1")))
    bench.drain()
    # The database was lost when the ledger had the erasure, and before anybody was told of it.
    erasure_ledger.append(ledger, erase.entries(hit))
    again(restored, erase, ledger)
    restored.drain()
    assert [(event.version, event.status) for event in restored.task_events(3)] == [
        (1, TaskStatus.OPEN),
        (2, TaskStatus.ACCEPTED),
        (3, TaskStatus.CANCELLED),
    ]


def test_a_task_of_an_erased_resident_that_is_not_in_the_backup_stays_as_readers_have_it(
    bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path
) -> None:
    bench.decide([decision("s-2", trajectory_id="T-2")])
    bench.drain()
    restore(bench, restored, ledger.parent)
    hit = decision("s-1")
    bench.decide([hit])
    bench.drain()
    task_id = task_of(bench, "T-1")
    finish(bench, task_id)
    erase(bench, hit)
    erasure_ledger.append(ledger, erase.entries(hit))
    at_a_start(restored, erase, ledger)
    assert task_id not in {row["aggregate_id"] for row in restored.rows(outbox)}
    restored.drain()
    told = [event for event in restored.task_events(5) if event.task_id == task_id]
    assert max((event.version, event.status) for event in told) == (2, TaskStatus.DONE)


def test_a_task_without_signals_of_an_erased_resident_that_is_not_in_the_backup_stays_as_readers_have_it(
    bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path
) -> None:
    bench.decide([decision("s-2", trajectory_id="T-2")])
    bench.drain()
    restore(bench, restored, ledger.parent)
    applied, admitted = TrajectoryEventKind.APPLIED, TrajectoryEventKind.ADMITTED
    bench.tell(state((applied, date(2026, 8, 3)), (admitted, date(2026, 8, 10))))
    inform(bench)
    task_id = task_of(bench, "T-1")
    bench.report(update(TaskUpdateKind.COMPLETED, task_id))
    bench.drain()
    erasure_ledger.append(ledger, [erase.entry_of_client("T-1")])
    at_a_start(restored, erase, ledger)
    inform(restored)
    restored.drain()
    told = [event for event in restored.task_events(4) if event.task_id == task_id]
    assert max((event.version, event.status) for event in told) == (2, TaskStatus.DONE)


def inform(bench: SinkBench) -> None:
    """Let the clock open the task to tell the resident of trajectory T-1."""
    with bench.running(clock=True):
        until(lambda: "T-1" in {row["trajectory_id"] for row in bench.rows(tasks)}, "the task of the clock")


def lack_an_erasure(bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path) -> None:
    """Restore a backup with a hit whose erasure only the ledger knows."""
    hit = decision("s-1")
    bench.decide([hit])
    bench.drain()
    restore(bench, restored, ledger.parent)
    erasure_ledger.append(ledger, erase.entries(hit))


def test_nothing_is_erased_again_by_the_command_while_kafka_is_away(
    bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path
) -> None:
    lack_an_erasure(bench, restored, erase, ledger)
    ended = applied(restored.settings_with(bootstrap="127.0.0.1:9"), erase, ledger)
    assert (ended.returncode, "Kafka" in ended.stderr) == (3, True), ended.stderr
    assert subject_ledger_store.all_stored(restored.engine) == []
    assert task_of(restored, "T-1")


def test_a_topic_of_tasks_that_cannot_be_seen_is_not_taken_for_one_without_tasks(
    bench: SinkBench, restored: SinkBench, erase: Erasures, ledger: Path
) -> None:
    lack_an_erasure(bench, restored, erase, ledger)
    ended = applied(restored.settings_with(topic_prefix="elsewhere-"), erase, ledger)
    assert (ended.returncode, "no topic elsewhere-tasks" in ended.stderr) == (2, True), ended.stderr
    assert subject_ledger_store.all_stored(restored.engine) == []
