"""How the database stands, in numbers."""

from datetime import date, timedelta

import pytest
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.gauges import DatabaseLook, RunningTasks
from signaalwissel.sinks.settings import ServiceAway
from signaalwissel.sinks.tables import outbox, tasks
from sqlalchemy import text

from tests.processors.followup_support import decision, regular
from tests.sinks.clock_support import Office
from tests.sinks.sink_support import POLICIES


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def today(office: Office) -> date:
    with office.engine.connect() as connection:
        found: date = connection.execute(
            text("SELECT (now() AT TIME ZONE 'Europe/Amsterdam')::date")
        ).scalar_one()
        return found


def due(office: Office, day: date) -> None:
    with office.engine.begin() as connection:
        connection.execute(tasks.update().values(due_on=day))


def test_what_waits_and_what_runs_is_counted(office: Office) -> None:
    office.store(decision(), regular("s-2"))
    due(office, today(office) + timedelta(days=3))
    found = DatabaseLook(office.engine, POLICIES).read()
    assert found.outbox_pending == len(office.rows(outbox)) > 0
    assert found.outbox_oldest_s >= 0
    assert found.tasks == (RunningTasks("CONTACT_ON_RELAPSE", "OPEN", 1, 0, 0),)
    assert (found.dead_letters_open, found.dead_letters_oldest_s, found.handovers_failing) == (0, 0.0, 0)
    assert found.log_lines > 0


@pytest.mark.parametrize(("days", "due_today", "overdue"), [(0, 1, 0), (-1, 0, 1), (1, 0, 0)])
def test_the_day_in_amsterdam_says_what_is_due_and_what_is_late(
    office: Office, days: int, due_today: int, overdue: int
) -> None:
    office.store(decision())
    due(office, today(office) + timedelta(days=days))
    assert DatabaseLook(office.engine, POLICIES).read().tasks == (
        RunningTasks("CONTACT_ON_RELAPSE", "OPEN", 1, due_today, overdue),
    )


@pytest.mark.parametrize("status", ["DONE", "CANCELLED", "EXPIRED"])
def test_a_task_that_ended_counts_no_more(office: Office, status: str) -> None:
    office.store(decision())
    with office.engine.begin() as connection:
        connection.execute(tasks.update().values(status=status, due_on=date(2020, 1, 1)))
    assert DatabaseLook(office.engine, POLICIES).read().tasks == ()


def test_residents_who_should_have_been_informed_are_counted_apart(office: Office) -> None:
    office.store(decision())
    with office.engine.begin() as connection:
        connection.execute(tasks.update().values(kind="INFORM_RESIDENT", due_on=date(2020, 1, 1)))
    assert DatabaseLook(office.engine, POLICIES).read().inform_overdue == 1


def test_a_running_task_without_a_next_day_is_found_by_the_thorough_look(office: Office) -> None:
    office.store(decision())
    look = DatabaseLook(office.engine, None)
    assert look.read_slowly().unattended == {}
    with office.engine.begin() as connection:
        connection.execute(tasks.update().values(next_on=None))
    assert look.read_slowly().unattended == {"NO_NEXT_DAY": 1}


def test_data_that_outlived_its_period_is_found_where_policies_say_how_long_that_is(office: Office) -> None:
    office.store(regular("s-2"))
    assert DatabaseLook(office.engine, None).read_slowly().erasure_overdue == 0
    with office.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO retention_tombstones (digest, municipality, destroyed_on)"
                " VALUES ('\\x00', '0344', '2020-01-01')"
            )
        )
    assert DatabaseLook(office.engine, POLICIES).read_slowly().erasure_overdue >= 1


def test_before_the_sink_made_its_tables_the_database_counts_as_away(empty_database_url: str) -> None:
    look = DatabaseLook(open_engine(empty_database_url, name="test"), POLICIES)
    with pytest.raises(ServiceAway):
        look.read()


def test_a_statement_that_takes_too_long_is_ended_by_the_server(database_url: str) -> None:
    engine = open_engine(database_url, name="test", silence_s=30.0, statement_s=0.2)
    with engine.connect() as connection, pytest.raises(Exception, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(20)"))
