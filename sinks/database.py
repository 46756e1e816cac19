"""Connections to PostgreSQL, and the schema that they find there.

Flows in: a database URL. Flows out: engines, and a database whose tables are those of `sinks/tables.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from signaalwissel.sinks.schema_upgrade import Upgraded, upgrade
from signaalwissel.sinks.settings import ServiceAway, SinkError
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

CONNECT_BOUND_S = 10
_DRIVER = "postgresql+psycopg"
_MIGRATION_LOCK = 7_223_001
_KEEPALIVE: dict[str, Any] = {
    # A connection whose other end vanished is found dead within half a minute instead of hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


def open_engine(
    database_url: str, *, name: str, silence_s: float | None = None, statement_s: float | None = None
) -> Engine:
    """An engine that opens a connection when asked and closes it after.

    Args:
        database_url: As SQLAlchemy (`postgresql+psycopg://`) or libpq (`postgresql://`) writes it.
        name: The session's application name.
        silence_s: A session that is silent for so long is ended by the server, with the locks that it holds.
        statement_s: The server ends a statement that takes so long.

    Raises:
        SinkError: The URL cannot be read; the text does not repeat it, as it may hold a password.
    """
    try:
        url = make_url(database_url).set(drivername=_DRIVER)
    except ArgumentError:
        raise SinkError("DATABASE_URL is not a database URL like postgresql://user@host:5432/name") from None
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_BOUND_S, "application_name": name, **_KEEPALIVE}
    options = []
    if silence_s is not None:
        silence_ms = int(silence_s * 1000)
        options += [
            f"-c idle_session_timeout={silence_ms}",
            f"-c idle_in_transaction_session_timeout={silence_ms}",
        ]
    if statement_s is not None:
        options.append(f"-c statement_timeout={int(statement_s * 1000)}")
    if options:
        arguments["options"] = " ".join(options)
    # An error's text would hold the values of the row.
    return create_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


class TookTooLong(ServiceAway):
    """The server ended a statement that took longer than its session lets it."""


@contextmanager
def database_away() -> Iterator[None]:
    """Tell an absent database (ServiceAway, TookTooLong) from a defect, which passes as it is."""
    try:
        yield
    except DBAPIError as error:
        if not is_away(error):
            raise
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TookTooLong(f"PostgreSQL: {first_line(error.orig)}") from error
        # The driver's text names host and port and what the server said, never a row.
        raise ServiceAway(f"PostgreSQL: {first_line(error.orig)}") from error
    except psycopg.OperationalError as error:
        raise ServiceAway(f"PostgreSQL: {first_line(error)}") from error


def is_away(error: DBAPIError) -> bool:
    """Whether the database cannot serve now: gone, full, shutting down, read-only, or it chose a deadlock's victim."""
    if error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError):
        return True
    return isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction)


def migrate(database_url: str) -> Upgraded:
    """Bring the database to the newest schema; several processes may call it at the same time.

    Returns:
        What was found and what is there now. A database that a newer program has migrated stays as it is.

    Raises:
        ServiceAway: PostgreSQL does not answer.
        SinkError: The URL cannot be read, or the database takes newer programs only.
    """
    engine = open_engine(database_url, name="signaalwissel-migration")
    with database_away(), engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        connection.commit()
        upgraded = upgrade(connection)
        connection.commit()
    return upgraded


def first_line(error: BaseException | None) -> str:
    """What the server or the driver says first; the rest may hold what was asked."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
