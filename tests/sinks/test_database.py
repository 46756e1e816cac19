import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.settings import ServiceAway, SinkError
from signaalwissel.sinks.tables import METADATA
from sqlalchemy import inspect, text


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Without tables: these tests make them."""
    return empty_database_url


def test_migrations_and_tables_say_the_same(database_url: str) -> None:
    migrate(database_url)
    with open_engine(database_url, name="test").connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_migrating_twice_is_migrating_once(database_url: str) -> None:
    migrate(database_url)
    migrate(database_url)
    engine = open_engine(database_url, name="test")
    assert set(inspect(engine).get_table_names()) == {*METADATA.tables, "alembic_version"}


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate(database_url)
        except BaseException as error:  # noqa: BLE001 - counted below
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_url_as_libpq_writes_it_serves_too(database_url: str) -> None:
    engine = open_engine(database_url.replace("postgresql+psycopg", "postgresql"), name="test")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_database_that_is_away_is_told_from_a_defect() -> None:
    with pytest.raises(ServiceAway, match="PostgreSQL: "):
        migrate("postgresql://nobody@127.0.0.1:9/none")


def test_what_is_no_url_is_refused_without_being_repeated() -> None:
    with pytest.raises(SinkError) as refused:
        migrate("hunter2")
    assert "hunter2" not in str(refused.value)
