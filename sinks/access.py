"""The database for commands that look into it or mend it, beside a running sink.

Flows in: a database URL. Flows out: an engine whose errors tell an absent server from a database without our tables,
and the version of the schema that is there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from signaalwissel.sinks.database import database_away, first_line, open_engine
from signaalwissel.sinks.schema_upgrade import MIGRATIONS
from signaalwissel.sinks.settings import ServiceAway, SinkError
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

Database: TypeAlias = Engine
"""What the functions of this folder take as `engine`."""

_NO_TABLES = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


class TablesMissing(ServiceAway):
    """The database is there, our tables are not, or not as this version needs them."""


class MayNot(SinkError):
    """The login lacks a right that this takes."""


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """The last migration that the database has seen, None for none, and the newest that there is."""

    present: str | None
    newest: str | None

    @property
    def up_to_date(self) -> bool:
        """Whether no migration is missing and none is unknown to this version."""
        return self.present == self.newest


@contextmanager
def opened(database_url: str, *, name: str, statement_s: float | None = None) -> Iterator[Database]:
    """The database for the length of the block.

    Args:
        database_url: As SQLAlchemy or libpq writes it.
        name: The session's application name.
        statement_s: The server ends a statement that takes so long.

    Raises:
        ServiceAway: PostgreSQL does not answer, or a statement took too long.
        TablesMissing: The sink has never run on this database, or an older version of it has.
        MayNot: The login lacks a right.
        SinkError: The URL cannot be read.
    """
    engine = open_engine(database_url, name=name, statement_s=statement_s)
    with answering():
        yield engine


@contextmanager
def answering() -> Iterator[None]:
    """Tell a database that is away (ServiceAway), without our tables (TablesMissing) or closed (MayNot) from a defect."""
    try:
        with database_away():
            yield
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            # Its first line names a table, or a role, and no value.
            raise MayNot(
                f"PostgreSQL: {first_line(error.orig)}: this login may not do that; use one with the role"
                " signaalwissel_staff, or that of the owner of the tables where roles or tables are made"
            ) from error
        if not isinstance(error.orig, _NO_TABLES):
            raise
        raise TablesMissing(
            "PostgreSQL: the tables of this version are not there; start the sink, it makes them"
        ) from error


def schema_version(engine: Database) -> SchemaVersion:
    """The version of the tables in the database."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return SchemaVersion(present, newest)
