"""What a reader sees is cut by the database itself: checked with the raw role, whatever the statement."""

import psycopg
import pytest
from signaalwissel.sinks.access import opened
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.row_security import (
    OF_A_MUNICIPALITY,
    OF_A_TASK,
    OF_THE_AUDIT,
    READER,
    ReaderUnsafe,
    RowScope,
    check_reader,
    grant_reader,
    scoped,
)
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.processors.followup_support import decision
from tests.sinks.clock_support import Office

MINE = RowScope(frozenset({"0344"}))
EVERY = (*OF_A_MUNICIPALITY, *OF_A_TASK)
_WHOSE = "SELECT municipality FROM {}"
_COUNT = "SELECT count(*) FROM {}"


@pytest.fixture
def engine(database_url: str) -> Engine:
    """Two municipalities with a task each, and dead letters of both and of none."""
    office = Office(database_url)
    office.store(decision(), decision("s-2", trajectory_id="T-2", municipality="0363"))
    engine = open_engine(database_url, name="test")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO task_updates (task_id, update_id, kind, occurred_at, by)"
                " SELECT task_id, 'u-' || task_id, 'ACCEPTED', now(), 'c' FROM tasks"
            )
        )
        connection.execute(
            text(
                'INSERT INTO dead_letters (dead_letter_id, stage, topic, partition, "offset", timestamp, code, rule,'
                " municipality, sealed) SELECT 'd' || n, 'intake', 'signals', 0, n, now(), 'X', 'x', m, ''"
                " FROM (VALUES (1, '0344'), (2, '0363'), (3, NULL)) AS v (n, m)"
            )
        )
        for insert in (
            "INSERT INTO trajectories VALUES ('{0}', 'T', 1, false, NULL, NULL, '', NULL)",
            "INSERT INTO retained_figures VALUES ('{0}', '2026-01-01', 'RENT', 'p', 12, NULL, 10)",
            "INSERT INTO trajectory_keys VALUES ('{0}', 'k', 'T')",
            "INSERT INTO notices (notice_id, kind, municipality, addressee, legal_ground, occurred_on) VALUES ('n{0}', 'X', '{0}', 'a', 'l', '2026-01-01')",
            "INSERT INTO retained_figures VALUES ('{0}', '2026-01-01', 'RENT', 'woonstad', 12, NULL, 10)",
        ):
            for code in ("0344", "0363"):
                connection.execute(text(insert.format(code)))
    grant_reader(engine)
    return engine


def counts(engine: Engine, scope: RowScope) -> dict[str, int]:
    with scoped(engine, scope) as connection:
        return {table: connection.execute(text(_COUNT.format(table))).scalar_one() for table in EVERY}


def municipalities(engine: Engine, table: str, scope: RowScope) -> set[str | None]:
    with scoped(engine, scope) as connection:
        return set(connection.execute(text(_WHOSE.format(table))).scalars())


def test_a_scope_shows_its_own_municipality_in_every_table(engine: Engine) -> None:
    for table in OF_A_MUNICIPALITY:
        assert municipalities(engine, table, MINE) == {"0344"}, table


def test_of_the_audit_trail_a_scope_shows_what_was_done_in_its_municipality(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_events (at, kind, municipality, actor, about)"
                " SELECT now(), 'RECORD_CONSULTED', m, 'a', 'x' FROM (VALUES ('0344'), ('0363'), (NULL)) AS v (m)"
            )
        )
    assert municipalities(engine, "audit_events", MINE) == {"0344"}


def test_what_hangs_on_a_task_goes_with_the_task(engine: Engine) -> None:
    mine, both = counts(engine, MINE), counts(engine, RowScope(frozenset({"0344", "0363"})))
    for table in OF_A_TASK:
        assert 0 < mine[table] < both[table], table


@pytest.mark.parametrize("codes", [(), ("9999",), ("03",), ("0344 OR true",), ("%",)])
def test_another_scope_shows_nothing(engine: Engine, codes: tuple[str, ...]) -> None:
    assert set(counts(engine, RowScope(frozenset(codes))).values()) == {0}


def test_without_the_setting_the_raw_role_sees_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {READER}"))
        for table in EVERY:
            assert connection.execute(text(_COUNT.format(table))).scalar_one() == 0, table


def test_the_operator_sees_every_dead_letter_and_nothing_else(engine: Engine) -> None:
    seen = counts(engine, RowScope(every_dead_letter=True))
    assert seen.pop("dead_letters") == 3
    assert set(seen.values()) == {0}


def test_the_setting_ends_with_its_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        with connection.begin():
            connection.execute(text("SELECT set_config('signaalwissel.municipalities', '0344', true)"))
        with connection.begin():
            connection.execute(text(f"SET LOCAL ROLE {READER}"))
            assert connection.execute(text(_COUNT.format("tasks"))).scalar_one() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT match_key FROM decisions",
        "SELECT sealed FROM dead_letters",
        "SELECT * FROM outbox",
        "SELECT * FROM commands",
        "UPDATE tasks SET team = 'x'",
        "DELETE FROM tasks",
        "INSERT INTO policies VALUES ('v', '{}')",
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
        "DROP POLICY readers ON tasks",
    ],
)
def test_the_role_can_do_no_more_than_read_what_it_needs(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {READER}"))
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_a_scoped_transaction_writes_nothing_even_as_the_owner(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as refused, scoped(engine, MINE, role=None) as connection:
        connection.execute(text("DELETE FROM tasks"))
    assert isinstance(refused.value.orig, psycopg.errors.ReadOnlySqlTransaction)


def test_every_table_that_the_role_reads_and_that_has_a_resident_has_a_policy(engine: Engine) -> None:
    with engine.connect() as connection:
        readable = connection.execute(
            text(
                "SELECT relname, relrowsecurity FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
                " AND has_any_column_privilege(:role, oid, 'SELECT')"
            ),
            {"role": READER},
        ).all()
    assert {name for name, secured in readable if not secured} == {
        "policies",
        "consumed_offsets",
        "alembic_version",
        # Read by whoever may log in: how many days the audit trail is kept.
        "audit_kept",
    }
    assert {name for name, secured in readable if secured} == {*EVERY, *OF_THE_AUDIT}


def test_the_role_is_below_the_policies(engine: Engine) -> None:
    check_reader(engine)


def test_an_owner_is_refused_as_reader(engine: Engine) -> None:
    with pytest.raises(ReaderUnsafe, match="grant-reader"):
        check_reader(engine, role=None)


def test_granting_again_changes_nothing(engine: Engine) -> None:
    before = counts(engine, MINE)
    grant_reader(engine)
    assert counts(engine, MINE) == before


def test_a_role_of_another_form_is_refused(engine: Engine) -> None:
    with pytest.raises(SinkError, match="small letters"):
        grant_reader(engine, 'x"; DROP TABLE tasks; --')


def test_the_owner_goes_on_as_before(engine: Engine, database_url: str) -> None:
    migrate(database_url)
    with opened(database_url, name="test") as owner, owner.begin() as connection:
        assert connection.execute(text(_COUNT.format("tasks"))).scalar_one() == 2
        assert connection.execute(text("UPDATE tasks SET rung = rung")).rowcount == 2
