"""Grants of the roles in PostgreSQL, and what a login may do: the table of `database_roles` made true by the owner.

Flows in: the database, as the owner of the tables. Flows out: roles with the rights of the table and no others. Flows
out of a look with anybody's login: which role it has, and what lacks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from signaalwissel.sinks.accounting_tables import audit_kept
from signaalwissel.sinks.database_roles import READS_IN_SCOPE, RIGHTS, Privilege, Right, Role
from signaalwissel.sinks.row_security import READER, grant_reader
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Connection, Engine, func, make_url, select, text
from sqlalchemy.exc import ProgrammingError

_LOCK = 7_223_010
# Roles are those of the whole server: another database of it may make the same one at this moment. NOINHERIT, so that
# what the reader may see is seen by who takes its role, under its policies, and not besides.
_MAKE = """
DO $$ BEGIN
    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_THERE = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)")
_TABLES = text(
    "SELECT relname, relrowsecurity FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
_POLICIES = text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")
_MEMBER = text("SELECT pg_has_role(:role, :of, 'MEMBER')")
_SEQUENCES = text(
    "SELECT pg_get_serial_sequence(:table, attname) FROM pg_attribute"
    " WHERE attrelid = to_regclass(:table) AND attidentity <> ''"
)
_HAS = text("SELECT coalesce(has_table_privilege(to_regclass(:table), :privilege), false)")
_HAS_COLUMNS = text(
    "SELECT coalesce(bool_and(has_column_privilege(to_regclass(:table), name, :privilege)), false)"
    " FROM unnest(CAST(:columns AS text[])) AS name"
)
_KNOWS = text("SELECT to_regclass(:table) IS NOT NULL")
_KEPT = select(func.coalesce(func.max(audit_kept.c.days), 0))
_LOGIN = text(
    """
    SELECT rolsuper OR rolbypassrls AS above,
        EXISTS (
            SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname = ANY(:tables) AND pg_has_role(current_user, relowner, 'USAGE')
        ) AS owns
    FROM pg_roles WHERE rolname = current_user
    """
)


class MayNotGrant(SinkError):
    """Only the owner of the tables grants rights on them."""


class NotMigrated(SinkError):
    """The database lacks a table in which is noted what was asked for."""


class LoginRights(NamedTuple):
    """What a login may do in the database.

    Attributes:
        owns: Whether it may change tables and triggers: as their owner, or above all rights.
        roles: Which of our roles it has.
        lacking: What it should be granted and is not, as "INSERT on outbox".
    """

    owns: bool
    roles: tuple[Role, ...]
    lacking: tuple[str, ...]


def grant_roles(engine: Engine, audit_kept_days: int | None = None) -> None:
    """Make the roles where they are not there, and give each its rights and no others; as the owner of the tables.

    Args:
        engine: The database, as the owner; making a role needs CREATEROLE.
        audit_kept_days: For so long nobody but the owner may take the audit trail away; None leaves it as it is.

    Raises:
        MayNotGrant: The login is not that of the owner, or may make no roles.
        NotMigrated: A version before this one has made the tables, and nowhere is room for `audit_kept_days`.
    """
    with _as_owner():
        if audit_kept_days is not None:
            _check_notes(engine)
        grant_reader(engine)
        _grant(engine)
        if audit_kept_days is not None:
            _note(engine, audit_kept_days)


def days_kept(engine: Engine) -> int:
    """For how many days nobody but the owner may take the audit trail away; anybody may ask."""
    with engine.connect() as connection:
        days: int = connection.execute(_KEPT).scalar_one()
    return days


def keep_longer(engine: Engine, audit_kept_days: int) -> bool:
    """Have the audit trail kept for at least so many days, as the owner of the tables; what was said for longer stays.

    Returns:
        Whether it was kept for less.

    Raises:
        MayNotGrant: It was, and the login is not that of the owner.
    """
    if days_kept(engine) >= audit_kept_days:
        return False
    with _as_owner():
        _note(engine, audit_kept_days)
    return True


def _note(engine: Engine, audit_kept_days: int) -> None:
    with engine.begin() as connection:
        connection.execute(audit_kept.update().values(days=audit_kept_days))


@contextmanager
def _as_owner() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise MayNotGrant(
            "PostgreSQL: this login may not grant: use that of the owner of the tables, with CREATEROLE"
        ) from error


def _check_notes(engine: Engine) -> None:
    with engine.connect() as connection:
        if not connection.execute(_KNOWS, {"table": audit_kept.name}).scalar_one():
            raise NotMigrated(
                "PostgreSQL: the tables of this version are not there, and nothing was granted: run `signaalwissel database"
                " migrate` first"
            )


def _grant(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        tables = {row.relname: row.relrowsecurity for row in connection.execute(_TABLES)}
        policies = {(row.tablename, row.policyname) for row in connection.execute(_POLICIES)}
        for role, rights in RIGHTS.items():
            _make(connection, role)
            connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"))
            connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
            for table in sorted(rights.keys() & tables.keys()):
                connection.execute(text(f"GRANT {rights[table].told()} ON {table} TO {role}"))
                for sequence in _numbers(connection, table, rights[table]):
                    connection.execute(text(f"GRANT USAGE ON SEQUENCE {sequence} TO {role}"))
                if tables[table] and (table, role) not in policies:
                    # Its rights say what it may do; which rows it may do it to, none but the pages' readers are told.
                    connection.execute(
                        text(f"CREATE POLICY {role} ON {table} TO {role} USING (true) WITH CHECK (true)")
                    )
        for role in READS_IN_SCOPE:
            if not connection.execute(_MEMBER, {"role": role, "of": READER}).scalar_one():
                connection.execute(text(f"GRANT {READER} TO {role}"))


def let_log_in(engine: Engine) -> None:
    """Let each role log in without a password: on a server of this machine alone, which asks nobody for one."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for role in Role:
            connection.execute(text(f"ALTER ROLE {role} LOGIN"))


def url_of(owner_url: str, role: Role) -> str:
    """The same database with the login of a role."""
    return make_url(owner_url).set(username=role.value).render_as_string(hide_password=False)


def granted_roles(engine: Engine) -> frozenset[Role]:
    """Those that are there."""
    with engine.connect() as connection:
        found = connection.execute(_THERE, {"roles": [role.value for role in Role]}).scalars()
        return frozenset(map(Role, found))


def login_rights(engine: Engine) -> LoginRights:
    """What this login may do."""
    tables = sorted({table for rights in RIGHTS.values() for table in rights})
    with engine.connect() as connection:
        above, owns = connection.execute(_LOGIN, {"tables": tables}).one()
        there = connection.execute(_THERE, {"roles": [role.value for role in Role]}).scalars().all()
        roles = tuple(
            role
            for role in Role
            if role in there
            and connection.execute(
                text("SELECT pg_has_role(current_user, :of, 'USAGE')"), {"of": role}
            ).scalar_one()
        )
        if above or owns:
            return LoginRights(owns=True, roles=roles, lacking=())
        lacking = tuple(one for role in roles for one in _lacking(connection, role))
    return LoginRights(owns=False, roles=roles, lacking=lacking)


def _make(connection: Connection, role: Role) -> None:
    if connection.execute(_THERE, {"roles": [role]}).first() is None:
        connection.execute(text(_MAKE.format(role=role)))


def _numbers(connection: Connection, table: str, right: Right) -> Iterator[str]:
    """The sequences that number the rows of a table, for who adds to it: some numbers are drawn before the rows."""
    if Privilege.INSERT in right.privileges:
        yield from connection.execute(_SEQUENCES, {"table": table}).scalars()


def _lacking(connection: Connection, role: Role) -> Iterator[str]:
    for table, right in sorted(RIGHTS[role].items()):
        for privilege in sorted(right.privileges):
            if not connection.execute(_HAS, {"table": table, "privilege": privilege}).scalar_one():
                yield f"{privilege} on {table}"
        if right.columns:
            given = {"table": table, "privilege": Privilege.SELECT, "columns": list(right.columns)}
            if not connection.execute(_HAS_COLUMNS, given).scalar_one():
                yield f"{Privilege.SELECT} on columns of {table}"
