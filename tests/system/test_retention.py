"""A trajectory whose retention is over goes everywhere: database, intake, trajectory-states, matcher; and stays gone."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import TaskEvent, TaskStatus
from signaalwissel.schemas.routing import TrueReason
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.retention_tables import retention_tombstones
from signaalwissel.sinks.tables import found, outbox, tasks, trajectories
from sqlalchemy import Table, select

from tests.system.installation import Installation
from tests.system.lines import applied, event, signal

pytestmark = pytest.mark.timeout(300)


def command(product: Installation, *arguments: str) -> Any:
    ended = subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", *arguments, "--json"],
        env=product.environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in {0, 1}, ended.stderr
    return json.loads(ended.stdout)


def rows(product: Installation, table: Table) -> list[dict[str, Any]]:
    with open_engine(product.database_url, name="test").connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_what_is_over_goes_everywhere_and_a_late_event_brings_nothing_back(
    install: Callable[..., Installation],
) -> None:
    product = install(partitions=2)
    product.start("worker")
    product.start("sink")
    product.publish([applied("2018-01-08"), event("EXITED", 2, "2019-03-29", exit_reason="COMPLETED")])
    product.publish([signal("before", "2019-06-03")])
    product.settle(sink=True)
    assert [decision.trajectory_id for decision in product.decisions()] == ["T1"]
    assert [row["trajectory_id"] for row in rows(product, trajectories)] == ["T1"]

    due = command(product, "retention", "run", "--dry-run")["destroyed"]
    assert {line["kind"] for line in due} >= {"SIGNAL", "TRAJECTORY"}
    command(product, "retention", "run")
    for table in (trajectories, tasks, found):
        assert rows(product, table) == [], table.name
    confirmed = lambda: all(row["confirmed_on"] for row in rows(product, retention_tombstones))  # noqa: E731
    product.wait_until(confirmed, "intake has told that it forgot the trajectory")

    # Its case system wakes up, and a signal of that resident comes in.
    product.publish(
        [
            event("REOPENED", 3, "2019-07-01"),
            event(
                "COUNSELLOR_ASSIGNED", 4, "2019-07-02", counsellor={"counsellor_id": "b-17", "team": "noord"}
            ),
        ]
    )
    product.settle(sink=True)
    product.publish([signal("after", "2026-02-10")])
    product.settle(sink=True)
    (after,) = [decision for decision in product.decisions() if decision.signal_id == "after"]
    assert (after.reason, after.trajectory_id) == (TrueReason.NO_TRAJECTORY, None)
    for table in (trajectories, tasks, found):
        assert rows(product, table) == [], table.name
    last = read_trajectory_state(product.read("trajectory-states")[-1].value)
    assert (last.trajectory_id, last.erased, last.facts, last.match_keys) == ("T1", True, (), ())
    left = {row["topic"].removeprefix(product.prefix): row["value"] for row in rows(product, outbox)}
    assert left.keys() == {"intake-commands", "notices", "tasks"}
    last_word: TaskEvent = codec("TaskEvent").decode(left["tasks"])
    assert (last_word.status, last_word.signals) == (TaskStatus.CANCELLED, ())
    assert product.dead_letters() == []
