"""A database of an earlier version, with data in it, comes up to date."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from signaalwissel.schemas.followup import ContactOutcome, TaskStatus, TaskUpdateKind
from signaalwissel.sinks import database
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.followup_findings import follow_up_findings
from signaalwissel.sinks.tables import found, task_updates, trajectories
from sqlalchemy import Engine, inspect, text

from tests.processors.followup_support import POLICY, decision, to_regular, update
from tests.sinks.clock_support import MONDAY, Office, steps

ADDED = {"opened_on", "next_on", "rung", "policy_version"}


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url, name="test")


def go(engine: Engine, how: Any, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        how(config, version)
        connection.commit()


def columns(engine: Engine, table: str) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns(table)}


def test_tasks_of_the_first_version_get_a_day_a_policy_and_their_ladder(
    engine: Engine, database_url: str
) -> None:
    office = Office(database_url)
    office.store(decision(), decision("s-2", trajectory_id="T-2", arrears=70_000))
    office.store(to_regular("s-2"))
    go(engine, command.downgrade, "0001")
    assert not ADDED & columns(engine, "tasks")
    go(engine, command.upgrade, "head")
    running, cancelled = sorted(office.tasks(), key=lambda task: task.trajectory_id or "")
    assert (running.opened_on, running.next_on) == (MONDAY, MONDAY)
    assert (running.policy_version, running.rung) == (POLICY.version, 0)
    assert (cancelled.status, cancelled.next_on) == (TaskStatus.CANCELLED, None)
    assert follow_up_findings(office.engine) == []
    office.tick(MONDAY + timedelta(days=40))
    running = next(task for task in office.tasks() if task.trajectory_id == "T-1")
    assert steps(running).count("OFFERED_TO_REGULAR") == 1


def test_who_was_found_before_is_known_from_the_audit_trail(engine: Engine, database_url: str) -> None:
    office = Office(database_url)
    office.store(decision(), decision("s-2", received_on=date(2026, 2, 10)))
    before = office.rows(found)
    go(engine, command.downgrade, "0001")
    go(engine, command.upgrade, "head")
    assert office.rows(found) == before != []


def test_what_came_of_a_task_that_was_done_before_is_known_from_its_updates(
    engine: Engine, database_url: str
) -> None:
    office = Office(database_url)
    office.store(decision(), decision("s-2", trajectory_id="T-2"))
    said = {"outcome": ContactOutcome.INCORRECT_SIGNAL}
    office.store(updates=[update(TaskUpdateKind.CONTACT_MADE, office.tasks()[0].task_id, **said)])
    before = office.tasks()
    go(engine, command.downgrade, "0003")
    go(engine, command.upgrade, "head")
    assert office.tasks() == before
    assert {task.outcome for task in before} == {ContactOutcome.INCORRECT_SIGNAL, None}


def test_updates_of_two_tasks_with_one_number_survive_the_way_back_as_one(
    engine: Engine, database_url: str
) -> None:
    office = Office(database_url)
    office.store(decision(client=1), decision("s-2", trajectory_id="T-2"))
    tasks = office.tasks()
    office.store(updates=[update(TaskUpdateKind.ACCEPTED, task.task_id) for task in tasks])
    before = office.tasks()
    go(engine, command.downgrade, "0010")
    go(engine, command.upgrade, "head")
    assert office.tasks() == before
    assert [row["task_id"] for row in office.rows(task_updates)] == [min(task.task_id for task in tasks)]


def test_a_task_without_signals_is_dated_by_its_history_or_its_due_day(
    engine: Engine, database_url: str
) -> None:
    Office(database_url)
    go(engine, command.downgrade, "0001")
    insert = text(
        "INSERT INTO tasks (task_id, version, kind, status, municipality, team, due_on)"
        " VALUES (:id, 1, 'VERIFY_IDENTITY', 'OPEN', '0344', 'team', '2026-03-30')"
    )
    step = text(
        "INSERT INTO task_history VALUES ('a', 0, '2026-03-01 23:30:00+00', 'OPENED'),"
        " ('a', 1, '2026-03-05 10:00:00+00', 'ACCEPTED')"
    )
    with engine.begin() as connection:
        connection.execute(insert, [{"id": "a"}, {"id": "b"}])
        connection.execute(step)
    go(engine, command.upgrade, "head")
    days = {task.task_id: task.opened_on for task in Office(database_url).tasks()}
    assert days == {"a": date(2026, 3, 2), "b": date(2026, 3, 30)}


def test_trajectories_of_the_first_version_are_looked_at(engine: Engine, database_url: str) -> None:
    Office(database_url)
    go(engine, command.downgrade, "0001")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO trajectories VALUES ('0344', 'T-1', 1, false, NULL, NULL, :state)"),
            {"state": b""},
        )
    go(engine, command.upgrade, "head")
    with engine.connect() as connection:
        assert connection.execute(trajectories.select()).one().next_on == date.min
