"""The clock is killed at each of its steps; the database says the same as without, and nothing fires twice."""

import json
import random
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
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.tables import outbox, tasks, trajectories

from tests.processors.followup_support import address_only, decision
from tests.sinks.clock_support import MONDAY, Office, accounted, said, state

ROOT = Path(__file__).parents[2]
STEPS = ("clock.elected", "clock.locked", "clock.loaded", "clock.computed", "clock.saved", "clock.committed")
KILLS = 20
"""How often the clock is killed at each step."""
TODAY = MONDAY + timedelta(days=40)
_Kind = TrajectoryEventKind


def seed(office: Office) -> None:
    """Tasks of every kind that time changes, all overdue by weeks, on trajectories that nobody looked at yet."""
    dice = random.Random(5)
    count = KILLS * 12
    signals = []
    for number in range(count):
        received_on = MONDAY + timedelta(days=dice.randrange(20))
        if number % 5 == 4:
            signals.append(address_only(f"s-{number}", received_on=received_on))
        else:
            crisis = dice.random() < 0.2
            signals.append(
                decision(f"s-{number}", received_on=received_on, trajectory_id=f"T-{number}", crisis=crisis)
            )
    office.store(*signals, states=[monitored(f"T-{number}", dice) for number in range(0, count, 2)])


def monitored(trajectory_id: str, dice: random.Random) -> TrajectoryState:
    began_on = date(2026, 1, 1) + timedelta(days=dice.randrange(28))
    told = [
        (_Kind.APPLIED, date(2025, 6, 1)),
        (_Kind.ADMITTED, began_on),
        (_Kind.MONITORING_STARTED, began_on),
    ]
    return state(*told)._replace(trajectory_id=trajectory_id)


@pytest.fixture
def reference(platform: Platform, topic_prefix: str) -> Iterator[Office]:
    """The same, with a clock that lives."""
    with fresh_database(platform.database_url, f"reference_{topic_prefix.replace('-', '_')}") as url:
        office = Office(url, clock=False)
        seed(office)
        office.tick(TODAY)
        yield office


def test_killed_at_each_step_nothing_is_lost_and_nothing_fires_twice(
    database_url: str, reference: Office
) -> None:
    office = Office(database_url, clock=False)
    seed(office)
    kills = [(step, 1 + number % 2) for number in range(KILLS) for step in STEPS]
    # Who is elected is elected once in its life.
    kills = [(step, 1 if step == "clock.elected" else times) for step, times in kills]
    plan = {"database_url": database_url, "day": TODAY.isoformat(), "batch": 2, "kills": kills}
    done = subprocess.run(
        [sys.executable, "-m", "tests.sinks.clock_worker", json.dumps(plan)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=400,
        check=True,
    )
    assert Counter(json.loads(done.stdout)) == {signal.SIGKILL: len(STEPS) * KILLS}
    assert [row for row in office.rows(tasks) if row["next_on"] and row["next_on"] <= TODAY], (
        "no work was left"
    )
    office.tick(TODAY)
    assert said(office) == said(reference)
    assert accounted(office) == accounted(reference)
    versions = Counter((row["aggregate_id"], row["version"]) for row in office.rows(outbox))
    assert set(versions.values()) == {1}
    assert any(row["next_on"] for row in office.rows(trajectories))
