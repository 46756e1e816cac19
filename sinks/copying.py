"""Many rows into a table by COPY: the fastest way that PostgreSQL takes them.

Flows in: rows as tuples. Flows out: the same rows in the table, in the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from signaalwissel.schemas.units import Millis
from sqlalchemy import Connection, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


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
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver_connection(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def driver_connection(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection under SQLAlchemy's, for what only the driver can do."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the sink needs the psycopg driver")
    return raw
