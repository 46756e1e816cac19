"""Retention is killed at each of its steps; in the end nothing is lost, nothing is left, nothing is told twice."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.followup import TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.sinks.accounting_tables import audit_events
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.tables import decisions, trajectories
from signaalwissel.sinks.writer import Writer

from tests.processors.followup_support import MUNICIPALITY, address_only, at_noon, decision, regular, update
from tests.sinks.clock_support import accounted, said
from tests.sinks.retention_support import Archive, around, ended
from tests.sinks.sink_support import INCIDENTAL, seal

ROOT = Path(__file__).parents[2]
KINDS = ("signal", "task_signal", "verification", "feedback", "trajectory", "dead_letter", "day_key")
STEPS = (
    "retention.elected",
    "retention.prepared",
    *(f"retention.{kind}.{at}" for kind in KINDS for at in ("locked", "destroyed", "committed")),
    "retention.key.gone",
)
"""In the order of a round: whoever is killed at a later one has done everything before it."""
KILLS = 3
"""How often retention is killed at each step."""
DAYS = [date(2020, 1, 6) + timedelta(days=7 * n) for n in range(75)]
NOW = around(date(2026, 3, 31))[1]
STAYS = date(2026, 3, 2)
_HIDDEN = {**INCIDENTAL, "retention_days": {"key_destroyed_at"}, "retention_holds": {"placed_at"}}


def told(archive: Archive) -> Counter[tuple[str | None, str]]:
    """How much of each kind events of the audit trail say that was destroyed, and which keys."""
    counts: Counter[tuple[str | None, str]] = Counter()
    for row in archive.rows(audit_events):
        counts[row["municipality"], row["about"]] += (row["details"] or {"count": 1})["count"]
    return counts


def seed(archive: Archive) -> None:
    """Years of signals, tasks that ended, verifications, feedback and trajectories; and one of each that stays."""
    hits = [decision(f"s-{n}", received_on=day, trajectory_id=f"T-{n}") for n, day in enumerate(DAYS)]
    others = [regular(f"r-{n}", received_on=day) for n, day in enumerate(DAYS)]
    asked = [address_only(f"a-{n}", received_on=day) for n, day in enumerate(DAYS)]
    states = [ended(f"T-{n}", day - timedelta(days=100)) for n, day in enumerate(DAYS)]
    archive.store(*hits, *others, *asked, states=states)
    archive.store(
        decision("s-stays", received_on=STAYS, trajectory_id="T-stays"), states=[ended("T-stays", STAYS)]
    )
    archive.store(
        updates=[said for task in archive.tasks() for said in ending(task) if task.opened_on != STAYS]
    )
    with archive.engine.begin() as connection:
        letters = [letter(n, day) for n, day in enumerate((*DAYS, STAYS))]
        Writer(archive.settings, archive.policies, seal, archive.time).store(
            connection, Batch(dead_letters=letters)
        )


def ending(task: Task) -> Iterator[TaskUpdate]:
    """What ends a task on the day after its signal came."""
    at = at_noon(task.opened_on + timedelta(days=1))
    if not task.candidates:
        yield update(TaskUpdateKind.CONTACT_MADE, task.task_id, update_id=task.task_id, occurred_at=at)
    for number, one in enumerate(task.candidates):
        named = {"trajectory_id": one.trajectory_id, "client": one.client, "occurred_at": at}
        yield update(
            TaskUpdateKind.IDENTITY_REFUTED, task.task_id, update_id=f"{task.task_id}-{number}", **named
        )


def letter(number: int, day: date) -> DeadLetter:
    return DeadLetter(
        f"dl-{number}",
        "intake",
        "signals",
        0,
        number,
        at_noon(day),
        "UNREADABLE",
        None,
        "",
        MUNICIPALITY,
        None,
        b"x",
    )


@pytest.fixture
def reference(platform: Platform, topic_prefix: str, tmp_path: Path) -> Iterator[Archive]:
    """The same, with a run that lives."""
    (tmp_path / "reference").mkdir()
    with fresh_database(platform.database_url, f"reference_{topic_prefix.replace('-', '_')}") as url:
        archive = Archive(url, tmp_path / "reference")
        seed(archive)
        archive.run(NOW)
        yield archive


def test_killed_at_each_step_nothing_is_lost_and_nothing_is_left(
    database_url: str, reference: Archive, tmp_path: Path
) -> None:
    archive = Archive(database_url, tmp_path)
    seed(archive)
    sealed = {day: archive.sealed(day) for day in (*DAYS, STAYS)}
    kills = [(step, 1 + number % 2 if "locked" in step else 1) for number in range(KILLS) for step in STEPS]
    plan = {
        "database_url": database_url,
        "keys": str(tmp_path / "keys"),
        "moment": NOW,
        "batch": 7,
        "kills": sorted(kills, key=lambda kill: STEPS.index(kill[0])),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.sinks.retention_worker", json.dumps(plan)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=400,
        check=True,
    )
    ends = dict(zip(map(tuple, plan["kills"]), json.loads(done.stdout), strict=False))
    assert Counter(json.loads(done.stdout)) == {signal.SIGKILL: len(plan["kills"])}, ends
    assert archive.count(decisions) < 3 * len(DAYS), "nothing was done before the last kill"
    archive.run(NOW)
    assert said(archive, _HIDDEN) == said(reference, _HIDDEN)
    assert accounted(archive) == accounted(reference)
    assert told(archive) == told(reference)
    assert [row["trajectory_id"] for row in archive.rows(trajectories)] == ["T-stays"]
    opened = {day for day, one in sealed.items() if archive.opens(one)}
    assert opened == {STAYS}
