"""A migration makes its indexes while the sink of the version before writes to the same tables."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.schema_upgrade import MIGRATIONS
from signaalwissel.sinks.settings import ServiceAway
from sqlalchemy import Connection, Engine, text

from tests.deploy.support import wait_until

BEFORE = "0017"
WRITTEN = {
    "decisions": "ix_decisions_revised",
    "trajectories": "ix_trajectories_run_by",
    "task_history": "ix_task_history_climbed",
    "task_updates": "ix_task_updates_contact_made",
}
"""Each table that 0018 and 0020 make an index on, with the first one."""
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'signaalwissel-migration'"
    " AND datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || :index || '%'"
)
END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signaalwissel-migration'"
    " AND datname = current_database()"
)
SESSIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'signaalwissel-migration'"
    " AND datname = current_database()"
)
USABLE = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)")


class Migration(threading.Thread):
    """A migration that runs beside the test."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.refused: ServiceAway | None = None
        self.now: str | None = None
        self.start()

    def run(self) -> None:
        try:
            self.now = migrate(self._url).now
        except ServiceAway as away:
            self.refused = away


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """One that has still to be migrated."""
    return empty_database_url


@pytest.fixture
def engine(database_url: str) -> Engine:
    config = Config()
    config.set_main_option("script_location", str(Path(MIGRATIONS)))
    engine = open_engine(database_url, name="test")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    return engine


@pytest.fixture
def look(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def writing(engine: Engine, table: str) -> Iterator[None]:
    """A transaction that has written to a table and is not at its end."""
    with engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
        yield


def waits(look: Connection, index: str) -> Callable[[], bool]:
    """Whether a migration waits while it makes an index."""
    return lambda: look.execute(WAITING, {"index": index}).scalar_one() == 1


def usable(look: Connection, index: str) -> bool | None:
    return look.execute(USABLE, {"index": index}).scalar_one_or_none()


@pytest.mark.parametrize(("table", "index"), WRITTEN.items())
def test_a_writer_takes_its_lock_at_once_while_a_migration_makes_an_index(
    engine: Engine, look: Connection, database_url: str, table: str, index: str
) -> None:
    with writing(engine, table):
        migration = Migration(database_url)
        wait_until(waits(look, index), "the migration waits for the first writer")
        with engine.begin() as second:
            # Refused where a lock that stops writers is held or is asked for.
            second.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE NOWAIT"))
    migration.join()
    assert migration.refused is None
    assert usable(look, index) is True


def test_an_index_that_was_not_finished_is_made_anew(
    engine: Engine, look: Connection, database_url: str
) -> None:
    index = WRITTEN["decisions"]
    with writing(engine, "decisions"):
        migration = Migration(database_url)
        wait_until(waits(look, index), "the migration waits for the writer")
        look.execute(END)
        migration.join()
    assert "PostgreSQL: " in str(migration.refused)
    assert usable(look, index) is False
    assert migrate(database_url).before == BEFORE
    assert usable(look, index) is True


def test_two_programs_that_migrate_together_do_not_wait_for_each_other(
    engine: Engine, look: Connection, database_url: str
) -> None:
    with writing(engine, "decisions"):
        first = Migration(database_url)
        wait_until(waits(look, WRITTEN["decisions"]), "the first one waits for the writer")
        second = Migration(database_url)
        wait_until(lambda: look.execute(SESSIONS).scalar_one() == 2, "the second one has come")
    first.join()
    second.join()
    assert (first.refused, second.refused) == (None, None)
    assert first.now == second.now


def test_an_index_that_is_whole_is_left_as_it_is(engine: Engine, look: Connection, database_url: str) -> None:
    look.execute(text("CREATE INDEX ix_decisions_revised ON decisions (revision)"))
    migrate(database_url)
    told = text("SELECT pg_get_indexdef(to_regclass('ix_decisions_revised'))")
    assert look.execute(told).scalar_one().endswith("(revision)")
