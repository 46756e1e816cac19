"""Each program has its own role in PostgreSQL: every cell of the table of rights, and what none of them may."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.processors.processing_lines import Line
from signaalwissel.processors.processing_register import BUILT_IN, Purpose
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.database_grants import grant_roles, granted_roles, login_rights
from signaalwissel.sinks.database_roles import READS_IN_SCOPE, RIGHTS, Privilege, Role
from signaalwissel.sinks.every_table import METADATA
from signaalwissel.sinks.ledger import Event, EventKind, Ledger
from signaalwissel.sinks.processing_log import Brake
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings
from signaalwissel.sinks.row_security import READER, RowScope, check_reader, scoped
from signaalwissel.sinks.schema_upgrade import NotTheOwner
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from tests.processors.followup_support import decision
from tests.sinks.clock_support import Office, said
from tests.sinks.role_support import as_role, let_in

TABLES = (*sorted(METADATA.tables), "alembic_version")
OTHERS = ("TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture(scope="module")
def owner_url(platform: Platform) -> Iterator[str]:
    """A database with its roles, each of which may log in; tests change no row that another looks at."""
    with fresh_database(platform.database_url, f"test_{uuid.uuid4().hex[:12]}") as url:
        Office(url).store(decision(), decision("s-2", trajectory_id="T-2", municipality="0363"))
        let_in(url)
        yield url


EVERYBODY = {("audit_kept", "SELECT")}
"""What migration 0019 lets whoever may log in read: one number."""


def engine_of(owner_url: str, role: Role) -> Engine:
    return open_engine(as_role(owner_url, role), name="test")


def held(engine: Engine) -> set[tuple[str, str]]:
    """What a login may do with whole tables, as the database says."""
    asked = text(
        "SELECT name, what FROM unnest(CAST(:tables AS text[])) AS name, unnest(CAST(:privileges AS text[])) AS what"
        " WHERE has_table_privilege(name, what)"
    )
    given = {"tables": list(TABLES), "privileges": [*Privilege, *OTHERS]}
    with engine.connect() as connection:
        return {(row.name, row.what) for row in connection.execute(asked, given)}


def columns_held(engine: Engine) -> set[tuple[str, str, str]]:
    """What it may do with columns of tables that it may not do with the whole of them."""
    asked = text(
        "SELECT relname, attname, what FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid,"
        " unnest(CAST(:privileges AS text[])) AS what WHERE relname = ANY(:tables) AND attnum > 0 AND NOT attisdropped"
        " AND NOT has_table_privilege(pg_class.oid, what) AND has_column_privilege(pg_class.oid, attnum, what)"
    )
    given = {"tables": list(TABLES), "privileges": ["SELECT", "INSERT", "UPDATE"]}
    with engine.connect() as connection:
        return {(row.relname, row.attname, row.what) for row in connection.execute(asked, given)}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_of_rights_says_and_nothing_else(owner_url: str, role: Role) -> None:
    engine = engine_of(owner_url, role)
    whole = {
        (table, privilege.value) for table, right in RIGHTS[role].items() for privilege in right.privileges
    }
    parts = {(table, column, "SELECT") for table, right in RIGHTS[role].items() for column in right.columns}
    assert held(engine) == whole | EVERYBODY
    assert columns_held(engine) == parts


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE decisions DISABLE ROW LEVEL SECURITY",
        "DROP POLICY readers ON decisions",
        "TRUNCATE audit_blocks",
        "DROP TABLE decisions",
        "CREATE TABLE public.mine (a int)",
        "UPDATE alembic_version SET version_num = '0001'",
        "SET ROLE signaalwissel",
        "ALTER ROLE CURRENT_USER SUPERUSER",
    ],
)
def test_no_role_changes_tables_triggers_policies_or_itself(
    owner_url: str, role: Role, statement: str
) -> None:
    with engine_of(owner_url, role).connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_sink_stores_the_same_as_the_owner_would(platform: Platform) -> None:
    every = []
    for as_sink in (False, True):
        with fresh_database(platform.database_url, f"test_{uuid.uuid4().hex[:12]}") as url:
            migrate(url)
            let_in(url)
            office = Office(as_role(url, Role.SINK) if as_sink else url)
            office.store(decision(), decision("s-2", trajectory_id="T-2", municipality="0363"))
            office.tick_daily(3)
            every.append(said(Office(url)))
    assert every[0] == every[1]
    assert every[0]["tasks"]
    assert every[0]["decisions"]


@pytest.mark.parametrize("role", READS_IN_SCOPE)
def test_pages_and_gateway_read_a_record_only_as_the_reader_and_in_its_scope(
    owner_url: str, role: Role
) -> None:
    engine = engine_of(owner_url, role)
    check_reader(engine)
    with scoped(engine, RowScope(frozenset({"0344"}))) as connection:
        assert connection.execute(text("SELECT signal_id FROM decisions")).scalars().all() == ["s-1"]
    for column in ("signal_id", "sealed_subject", "trajectory_id", "match_key"):
        with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(select(decisions.c[column]))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


ON_RECORD = {
    "audit_events": ("about", "actor", "trace_id", "details", "municipality"),
    "audit_blocks": ("ids", "digests", "previous", "hash"),
    "processing_log": ("content", "writer"),
}


@pytest.mark.parametrize("role", READS_IN_SCOPE)
@pytest.mark.parametrize("table", list(ON_RECORD))
def test_pages_and_gateway_read_nothing_of_what_is_on_record(owner_url: str, role: Role, table: str) -> None:
    engine = engine_of(owner_url, role)
    for column in ON_RECORD[table]:
        with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(select(METADATA.tables[table].c[column]))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("role", READS_IN_SCOPE)
@pytest.mark.parametrize("count", [1, 40], ids=["few", "many"])
def test_pages_and_gateway_go_on_with_their_chain_without_reading_it(
    owner_url: str, role: Role, count: int
) -> None:
    engine = engine_of(owner_url, role)
    before = verify(open_engine(owner_url, name="test"))
    for _ in range(2):
        account = Ledger(f"{role}/{count}", lambda _: BUILT_IN)
        for number in range(count):
            account.event(Event(EventKind.RESIDENTS_CHECKED, "somebody", f"request-{number}"))
        account.lines([Line(Purpose.RECORD_CONSULTED, "0344", "check", bytes(16), None)])
        with engine.begin() as connection:
            account.store(connection)
    with engine.connect() as connection:
        assert not Brake(ProcessingLogSettings(url="http://127.0.0.1:9/v1/traces")).holds(connection)
    after = verify(open_engine(owner_url, name="test"))
    assert after.findings == ()
    assert after.rows["audit_events"] == before.rows["audit_events"] + 2 * count


def test_who_is_not_the_owner_uses_tables_that_are_up_to_date_and_says_what_to_do_with_old_ones(
    owner_url: str, empty_database_url: str
) -> None:
    assert migrate(as_role(owner_url, Role.SINK)).before == migrate(owner_url).now
    with pytest.raises(NotTheOwner, match="`signaalwissel database migrate` as the owner"):
        migrate(as_role(empty_database_url, Role.SINK))


def test_granting_again_takes_away_what_was_granted_by_hand_and_gives_what_lacks(database_url: str) -> None:
    migrate(database_url)
    let_in(database_url)
    owner = open_engine(database_url, name="test")
    with owner.begin() as connection:
        connection.execute(text(f"GRANT DELETE ON decisions TO {Role.WEB}"))
        connection.execute(text(f"REVOKE INSERT ON outbox FROM {Role.SINK}"))
    assert login_rights(engine_of(database_url, Role.SINK)).lacking == ("INSERT on outbox",)
    grant_roles(owner)
    assert login_rights(engine_of(database_url, Role.SINK)) == (False, (Role.SINK,), ())
    assert ("decisions", "DELETE") not in held(engine_of(database_url, Role.WEB))


def test_the_owner_is_known_as_such(owner_url: str) -> None:
    assert login_rights(open_engine(owner_url, name="test")).owns
    assert granted_roles(open_engine(owner_url, name="test")) == set(Role)


def test_the_reader_writes_nothing_whoever_takes_its_role(owner_url: str) -> None:
    with engine_of(owner_url, Role.WEB).connect() as connection:
        connection.execute(text(f"SET ROLE {READER}"))
        with pytest.raises(DBAPIError) as refused:
            connection.execute(
                text("INSERT INTO audit_events (at, kind, actor, about) VALUES (now(), '', '', '')")
            )
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
