"""Row-level security: what pages and interfaces read, cut by the database itself to their municipalities (design 12).

Flows in: an engine and whose rows may be seen. Flows out: a connection in a read-only transaction that sees no others,
whatever is asked on it. The sink works as the owner of the tables, to whom the policies do not apply.

`may` of the rules decides who may what; this stands below it, so that a forgotten question shows nothing.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from signaalwissel.sinks.database import database_away
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Connection, Engine, text

READER = "signaalwissel_reader"
"""The role under which pages and interfaces read: no login of its own, no owner, no superuser, no BYPASSRLS."""

OF_A_MUNICIPALITY = (
    "decisions",
    "trajectories",
    "found",
    "tasks",
    "notices",
    "dead_letters",
    "retained_figures",
)
OF_A_TASK = ("task_signals", "task_history", "task_updates")
OF_THE_AUDIT = ("audit_events",)
"""What was done with whose data: read like the rest of a municipality, by those pages that may."""
_FOR_ALL = ("policies", "consumed_offsets", "alembic_version")
"""Without a resident: read by every reader."""
_HIDDEN = {"decisions": {"match_key"}, "dead_letters": {"sealed"}}
"""Columns that no page needs."""
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOCK = 7_223_009


@dataclass(frozen=True, slots=True)
class RowScope:
    """Whose rows are seen.

    Attributes:
        municipalities: Their codes; none: nothing.
        every_dead_letter: Those of all municipalities and of none, for whoever runs the installation.
    """

    municipalities: frozenset[str] = frozenset()
    every_dead_letter: bool = False


class ReaderUnsafe(SinkError):
    """The database role would see every row: it owns the tables, or is above the policies."""


@contextmanager
def scoped(engine: Engine, scope: RowScope, role: str | None = READER) -> Iterator[Connection]:
    """A connection in a read-only transaction that sees the rows of a scope and no others.

    Args:
        engine: The database.
        scope: Whose rows.
        role: The role to take for the transaction; None where the engine's own login is such a role.
    """
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SET TRANSACTION READ ONLY"))
        if role is not None:
            connection.execute(text(f"SET LOCAL ROLE {_quoted(role)}"))
        connection.execute(
            text(
                "SELECT set_config('signaalwissel.municipalities', :codes, true),"
                " set_config('signaalwissel.every_dead_letter', :every, true)"
            ),
            {
                "codes": ",".join(sorted(scope.municipalities)),
                "every": "on" if scope.every_dead_letter else "off",
            },
        )
        yield connection


def check_reader(engine: Engine, role: str | None = READER) -> None:
    """Raise ReaderUnsafe where the policies would not hold for the role under which rows are read."""
    if role is not None:
        _check_is_there(engine, role)
    with scoped(engine, RowScope(), role) as connection:
        above, owns = connection.execute(
            text(
                "SELECT rolsuper OR rolbypassrls,"
                " EXISTS (SELECT FROM pg_class c WHERE c.relname = ANY(:tables) AND c.relkind = 'r'"
                "   AND pg_has_role(current_user, c.relowner, 'MEMBER'))"
                " FROM pg_roles WHERE rolname = current_user"
            ),
            {"tables": [*OF_A_MUNICIPALITY, *OF_A_TASK, *OF_THE_AUDIT]},
        ).one()
    if above or owns:
        raise ReaderUnsafe(
            "PostgreSQL: the role under which pages read owns the tables, is a superuser or has BYPASSRLS, so that"
            " row-level security does not hold for it; run `signaalwissel access grant-reader` as the owner"
        )


def _check_is_there(engine: Engine, role: str) -> None:
    with database_away(), engine.connect() as connection:
        there = connection.execute(text("SELECT FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
    if there is None:
        raise ReaderUnsafe(
            f"PostgreSQL: there is no role {role}; run `signaalwissel access grant-reader` as the owner"
        )


def grant_reader(engine: Engine, role: str = READER) -> None:
    """Make the role where it is not there, and let it read; as the owner of the tables, again after each upgrade.

    Args:
        engine: The database, as the owner; making the role needs CREATEROLE.
        role: Its name. A login for pages is made a member of it, or is it.
    """
    name = _quoted(role)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        there = connection.execute(text("SELECT FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
        if there is None:
            connection.execute(
                text(f"CREATE ROLE {name} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT")
            )
        connection.execute(text(f"GRANT {name} TO CURRENT_USER"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
        for table in (*OF_A_MUNICIPALITY, *OF_A_TASK, *OF_THE_AUDIT, *_FOR_ALL):
            columns = ", ".join(f'"{column}"' for column in _readable(connection, table))
            connection.execute(text(f"REVOKE ALL ON {table} FROM {name}"))
            connection.execute(text(f"GRANT SELECT ({columns}) ON {table} TO {name}"))


def _readable(connection: Connection, table: str) -> Iterable[str]:
    found = connection.execute(
        text(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        ),
        {"table": table},
    ).scalars()
    hidden = _HIDDEN.get(table, set())
    return [column for column in found if column not in hidden]


def _quoted(role: str) -> str:
    if not _ROLE.fullmatch(role):
        raise SinkError("a database role is written in small letters, digits and underscores")
    return f'"{role}"'
