"""Many rows into a table by COPY: the fastest way that PostgreSQL takes them; few of several tables in one go.

Flows in: rows as tuples. Flows out: the same rows in the table, in the caller's transaction. PostgreSQL refuses COPY
into a table whose row-level security holds for the login, as it does for every one but the owner: there it is INSERT.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from signaalwissel.schemas.units import Millis
from sqlalchemy import Connection, Table, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECURED = text("SELECT row_security_active(CAST(:table AS text))")
_FEW = 16


class Added(NamedTuple):
    """Rows for a table, each in the order of `columns`."""

    table: Table
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def moment_of(millis: Millis) -> datetime:
    """The instant as the driver takes it."""
    return _EPOCH + timedelta(milliseconds=millis)


def millis_of(moment: datetime) -> Millis:
    """The instant as our records carry it."""
    return (moment - _EPOCH) // _MILLISECOND


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Add `rows`, each in the order of `columns`."""
    secured = _secured(connection, table)
    with driver_connection(connection).cursor() as cursor:
        if secured:
            cursor.executemany(_insert(table.name, tuple(columns)), rows)
            return
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _secured(connection: Connection, table: Table) -> bool:
    """Whether row-level security holds for this login; asked once on each connection."""
    known: dict[str, bool] = connection.info.setdefault("row_security", {})
    if table.name not in known:
        known[table.name] = bool(connection.execute(_SECURED, {"table": table.name}).scalar_one())
    return known[table.name]


def add_rows(connection: Connection, every: Sequence[Added]) -> None:
    """Add rows of several tables: few of them by one way there and back, where COPY takes two for each table."""
    if sum(len(one.rows) for one in every) > _FEW:
        for one in every:
            copy_rows(connection, *one)
        return
    driver = driver_connection(connection)
    with driver.pipeline(), driver.cursor() as cursor:
        for table, columns, rows in every:
            for row in rows:
                cursor.execute(_insert(table.name, tuple(columns)), row)


@cache
def _insert(table: str, columns: tuple[str, ...]) -> bytes:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    return statement.as_bytes()


def driver_connection(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection under SQLAlchemy's, for what only the driver can do."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the sink needs the psycopg driver")
    return raw
