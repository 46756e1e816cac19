"""The database keeps the audit trail from the sink itself for as long as the owner says, whatever a block says."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_events
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.database_grants import MayNotGrant, days_kept, grant_roles, keep_longer
from signaalwissel.sinks.database_roles import Role
from signaalwissel.sinks.ledger import Event, EventKind
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tests.processors.followup_support import decision
from tests.sinks.retention_support import Archive, around
from tests.sinks.role_support import as_role, let_in
from tests.sinks.sink_support import ledger

FAR = around(date(2050, 1, 1))[1]
YEARS_DAYS = 2000


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    archive = Archive(database_url, tmp_path)
    archive.store(decision("s-1", received_on=date(2020, 3, 2)))
    account = ledger()
    account.event(Event(EventKind.SEALED_OPENED, "somebody", "routing-1", "0344"))
    with archive.engine.begin() as connection:
        account.store(connection)
    let_in(database_url)
    return archive


@pytest.fixture
def sink(archive: Archive) -> Engine:
    return open_engine(as_role(archive.settings.database_url, Role.SINK), name="test")


def attempt(engine: Engine, *statements: str) -> None:
    """In one transaction, as whoever broke into the sink can."""
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


SAID = (
    "INSERT INTO audit_blocks (chain, seq, at, kind, source, ids, digests, previous, hash)"
    " VALUES ('forged', 1, transaction_timestamp(), 'destroyed', 'audit_events', '{1}', '', '', '')"
)
"""A block that says that the event is destroyed."""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_events",
        "UPDATE audit_events SET at = at - interval '20 years'",
        "UPDATE audit_events SET actor = 'somebody else'",
    ],
)
def test_the_sink_s_own_word_that_an_event_is_destroyed_does_not_take_it_away(
    archive: Archive, sink: Engine, statement: str
) -> None:
    grant_roles(archive.engine, YEARS_DAYS)
    with pytest.raises(IntegrityError, match="what is so young is kept"):
        attempt(sink, SAID, statement)
    assert verify(archive.engine).findings == ()


def test_no_block_goes_because_its_chain_is_said_to_start_after_it(archive: Archive, sink: Engine) -> None:
    grant_roles(archive.engine, YEARS_DAYS)
    start = "INSERT INTO audit_starts VALUES ('sink/0', 1000, '')"
    with pytest.raises(IntegrityError, match="what is so young is kept"):
        attempt(sink, start, "DELETE FROM audit_blocks WHERE chain = 'sink/0'")


def test_a_temporary_table_does_not_stand_in_for_the_blocks(archive: Archive, sink: Engine) -> None:
    with pytest.raises(IntegrityError, match="no block of the audit trail"):
        attempt(
            sink,
            "CREATE TEMPORARY TABLE audit_blocks AS SELECT 'destroyed' AS kind, transaction_timestamp() AS at,"
            " 'decisions' AS source, array_agg(routing_id) AS ids FROM decisions",
            "DELETE FROM decisions",
        )
    assert archive.count(decisions) == 1


def test_nobody_but_the_owner_says_how_long(archive: Archive, sink: Engine) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        attempt(sink, "UPDATE audit_kept SET days = 0")


def test_who_is_not_the_owner_has_it_kept_for_no_longer_and_may_ask(archive: Archive, sink: Engine) -> None:
    with pytest.raises(MayNotGrant, match="that of the owner"):
        keep_longer(sink, YEARS_DAYS)
    assert days_kept(sink) == 0
    assert keep_longer(archive.engine, YEARS_DAYS)
    assert days_kept(sink) == YEARS_DAYS
    assert not keep_longer(sink, YEARS_DAYS), "nothing is to be done"


def test_retention_leaves_what_the_database_keeps_and_takes_it_when_it_no_longer_does(
    archive: Archive,
) -> None:
    grant_roles(archive.engine, YEARS_DAYS)
    before = archive.count(audit_blocks)
    archive.run(FAR)
    assert archive.count(audit_blocks) > before > 0
    assert archive.count(audit_events) > 0
    grant_roles(archive.engine)
    assert "AUDIT_BLOCK" not in archive.run(FAR), "granting rights alone leaves it as it is"
    grant_roles(archive.engine, 0)
    assert archive.run(FAR)["AUDIT_BLOCK"] >= before
    assert verify(archive.engine).findings == ()


def test_what_is_old_enough_goes_also_where_the_release_before_granted_the_roles(
    archive: Archive, sink: Engine
) -> None:
    # It knows no such table, so its `database grant` gives no right on it.
    attempt(archive.engine, f"REVOKE ALL ON audit_kept FROM {Role.SINK}")
    archive.engine = sink
    assert archive.run(FAR)["AUDIT_BLOCK"] > 0
