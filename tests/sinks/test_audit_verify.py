"""Whoever touches the audit trail past the product, as the database's superuser, is found by name."""

import threading
from collections.abc import Callable

import pytest
from alembic import command
from signaalwissel.processors.audit_chain import COVERED, Head
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_chains, audit_events
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.ledger import Event, EventKind, Ledger
from signaalwissel.sinks.policies_in_force import note_policies
from signaalwissel.sinks.tables import METADATA, decisions
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError

from tests.processors.followup_support import address_only, decision, regular, to_regular
from tests.sinks.clock_support import Office
from tests.sinks.sink_support import POLICIES, SinkBench, ledger, until
from tests.sinks.test_migrations import go

Tamper = Callable[[str], None]


@pytest.fixture
def office(database_url: str) -> Office:
    """Six decisions in three blocks of one chain, with the steps of their tasks, and an event."""
    office = Office(database_url)
    for number in range(3):
        office.store(decision(f"s-{number}"), regular(f"r-{number}", candidates=()))
    account = ledger()
    account.event(Event(EventKind.SEALED_OPENED, "somebody", "routing-1", "0344", b"t" * 16, {"why": "é"}))
    with office.engine.begin() as connection:
        account.store(connection)
    return office


@pytest.fixture
def tamper(office: Office) -> Tamper:
    """Does what a superuser can: triggers off, then anything."""

    def change(statement: str) -> None:
        with office.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            assert connection.execute(text(statement)).rowcount

    return change


def findings(office: Office) -> list[str]:
    return list(verify(office.engine).findings)


def the_id(office: Office, signal_id: str) -> str:
    with office.engine.connect() as connection:
        return connection.execute(
            select(decisions.c.routing_id).where(decisions.c.signal_id == signal_id)
        ).scalar_one()


def test_every_column_of_the_audit_trail_is_covered() -> None:
    for source, names in COVERED.items():
        assert names == tuple(METADATA.tables[source].columns.keys())


def test_what_was_written_verifies(office: Office) -> None:
    found = verify(office.engine)
    assert found.findings == ()
    assert (found.rows["decisions"], found.rows["audit_events"]) == (6, 1)
    assert found.rows["task_history"] > 0
    assert set(found.heads) == {"sink/0", "test"}


@pytest.mark.parametrize(
    "change",
    [
        "SET arrears_cents = arrears_cents + 1",
        "SET decided_at = decided_at + interval '1 microsecond'",
        "SET crisis = NOT crisis",
        "SET match_key = NULL",
        "SET explanation = explanation || ' '",
        "SET sealed_subject = set_byte(sealed_subject, 0, get_byte(sealed_subject, 0) # 1)",
        "SET candidates = '[[\"T-9\", 0]]'",
        "SET cause = 'LIFECYCLE'",
    ],
)
def test_an_altered_decision_is_named(office: Office, tamper: Tamper, change: str) -> None:
    tamper(f"UPDATE decisions {change} WHERE signal_id = 's-1'")
    (finding,) = findings(office)
    assert finding.startswith(f"decisions {the_id(office, 's-1')}: altered since block ")


def test_a_deleted_decision_is_named(office: Office, tamper: Tamper) -> None:
    gone = the_id(office, "s-1")
    tamper("DELETE FROM decisions WHERE signal_id = 's-1'")
    (finding,) = findings(office)
    assert finding.startswith(f"decisions {gone}: missing")


def test_a_decision_put_in_by_hand_is_named(office: Office, tamper: Tamper) -> None:
    columns = ", ".join(name for name in COVERED["decisions"] if name != "routing_id")
    tamper(f"INSERT INTO decisions (routing_id, {columns}) SELECT 'forged', {columns} FROM decisions LIMIT 1")  # noqa: S608 - names of ours
    (finding,) = findings(office)
    assert finding.startswith("decisions forged: is in no block")


def test_two_decisions_that_changed_places_are_named(office: Office, tamper: Tamper) -> None:
    first, second = the_id(office, "s-0"), the_id(office, "r-0")
    tamper("UPDATE decisions SET routing_id = 'x' WHERE signal_id = 's-0'")
    tamper(f"UPDATE decisions SET routing_id = '{first}' WHERE signal_id = 'r-0'")  # noqa: S608 - names of ours
    tamper(f"UPDATE decisions SET routing_id = '{second}' WHERE routing_id = 'x'")  # noqa: S608 - names of ours
    assert {finding.split(":")[0] for finding in findings(office)} == {
        f"decisions {first}",
        f"decisions {second}",
    }


def test_an_altered_step_of_a_task_and_an_altered_event_are_named(office: Office, tamper: Tamper) -> None:
    tamper("UPDATE task_history SET by = 'somebody else' WHERE position = 0")
    tamper('UPDATE audit_events SET details = \'{"why": "e"}\'')
    found = findings(office)
    assert any(f.startswith("task_history ") and "/0: altered" in f for f in found)
    assert any(f.startswith("audit_events 1: altered") for f in found)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE audit_blocks SET digests = set_byte(digests, 0, get_byte(digests, 0) # 1) WHERE seq = 1", "block 1 of chain sink/0: altered"),
        ("UPDATE audit_blocks SET ids[1] = 'other' WHERE chain = 'sink/0' AND seq = 1", "block 1 of chain sink/0: altered"),
        ("UPDATE audit_blocks SET at = at - interval '1 day' WHERE chain = 'sink/0' AND seq = 2", "block 2 of chain sink/0: altered"),
        ("DELETE FROM audit_blocks WHERE chain = 'sink/0' AND seq = 2", "block 2 of chain sink/0: missing"),
        ("DELETE FROM audit_blocks WHERE chain = 'test'", "block 1 of chain test: missing"),
        ("DELETE FROM audit_chains WHERE chain = 'test'", "chain test: its end"),
        ("UPDATE audit_blocks SET seq = CASE seq WHEN 1 THEN 99 ELSE 1 END WHERE chain = 'sink/0' AND seq = 1", "block 99 of chain sink/0: altered"),
    ],
)  # fmt: skip
def test_an_altered_or_missing_block_is_named(
    office: Office, tamper: Tamper, change: str, named: str
) -> None:
    tamper(change)
    assert any(finding.startswith(named) for finding in findings(office))


def test_blocks_that_changed_places_are_named(office: Office, tamper: Tamper) -> None:
    for before, after in ((1, -1), (3, 1), (-1, 3)):
        tamper(f"UPDATE audit_blocks SET seq = {after} WHERE chain = 'sink/0' AND seq = {before}")  # noqa: S608 - names of ours
    found = findings(office)
    assert {"block 1 of chain sink/0: altered", "block 3 of chain sink/0: altered"} <= set(found)


def test_the_last_block_that_goes_with_its_rows_is_missed(office: Office, tamper: Tamper) -> None:
    tamper("DELETE FROM audit_events")
    tamper("DELETE FROM audit_blocks WHERE chain = 'test'")
    assert findings(office) == ["block 1 of chain test: missing"]


def test_a_chain_that_was_written_anew_shows_against_an_end_that_was_noted(
    office: Office, tamper: Tamper
) -> None:
    noted = verify(office.engine).heads
    tamper("DELETE FROM audit_events")
    tamper("DELETE FROM audit_blocks WHERE chain = 'test'")
    tamper("DELETE FROM audit_chains WHERE chain = 'test'")
    account = ledger()
    account.event(Event(EventKind.SEALED_OPENED, "somebody else", "routing-1"))
    with office.engine.begin() as connection:
        account.store(connection)
    assert findings(office) == []
    assert verify(office.engine, noted).findings == (
        "block 1 of chain test: is not the one that was noted; the chain was written anew",
    )
    ahead = {**noted, "sink/0": Head(noted["sink/0"].seq + 1, b"x" * 32)}
    assert (
        f"block {noted['sink/0'].seq + 1} of chain sink/0: missing" in verify(office.engine, ahead).findings
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET arrears_cents = 1 WHERE signal_id = 's-1'",
        "DELETE FROM decisions WHERE signal_id = 's-1'",
        "UPDATE task_history SET by = 'x'",
        "DELETE FROM task_history",
        "UPDATE audit_events SET actor = 'x'",
        "DELETE FROM audit_events",
        "UPDATE audit_blocks SET reason = 'x'",
        "DELETE FROM audit_blocks",
        "DELETE FROM audit_chains",
        "UPDATE audit_chains SET seq = seq - 1",
        "TRUNCATE decisions",
        "TRUNCATE audit_blocks",
        "TRUNCATE audit_events",
        "TRUNCATE audit_chains",
        "DELETE FROM tasks",
    ],
)
def test_the_database_refuses_what_leaves_no_block(office: Office, statement: str) -> None:
    with pytest.raises(IntegrityError, match=r"is refused|only goes on"), office.engine.begin() as connection:
        connection.execute(text(statement))
    assert findings(office) == []


def test_content_may_be_destroyed_by_who_says_so_and_the_chain_holds(office: Office) -> None:
    gone, emptied = the_id(office, "s-1"), the_id(office, "s-2")
    account = ledger()
    with office.engine.begin() as connection:
        connection.execute(decisions.delete().where(decisions.c.routing_id == gone))
        connection.execute(
            decisions.update()
            .where(decisions.c.routing_id == emptied)
            .values(match_key=None, sealed_subject=None)
        )
        account.destroyed(decisions.name, [gone, emptied], "RETENTION")
        rows = connection.execute(select(decisions).where(decisions.c.routing_id == emptied)).all()
        account.recorded(decisions.name, [tuple(row) for row in rows])
        account.store(connection)
    assert findings(office) == []


def test_a_block_of_another_transaction_does_not_cover_a_deletion(office: Office) -> None:
    gone = the_id(office, "s-1")
    account = ledger()
    account.destroyed(decisions.name, [gone], "RETENTION")
    with office.engine.begin() as connection:
        account.store(connection)
    with pytest.raises(IntegrityError), office.engine.begin() as connection:
        connection.execute(decisions.delete().where(decisions.c.routing_id == gone))
    (finding,) = findings(office)
    assert finding.startswith(f"decisions {gone}: is there, and block ")


def test_an_erasure_leaves_a_chain_that_verifies(office: Office) -> None:
    office.store(address_only("s-9"))
    erasure = to_regular("s-1", action=CorrectionAction.WITHDRAWN, cause=CorrectionCause.ERASED)
    office.store(erasure)
    assert findings(office) == []
    with office.engine.connect() as connection:
        kinds = connection.execute(select(audit_blocks.c.reason).where(audit_blocks.c.kind == "destroyed"))
        assert "ERASED" in set(kinds.scalars())


def test_writers_of_several_chains_and_of_one_go_on_side_by_side(database_url: str) -> None:
    migrate(database_url)
    failures: list[BaseException] = []

    def write(chain: str, writer: int) -> None:
        engine = open_engine(database_url, name="test")
        try:
            for number in range(25):
                account = Ledger(chain, POLICIES.register_of)
                account.event(Event(EventKind.SEALED_OPENED, f"writer-{writer}", str(number)))
                with engine.begin() as connection:
                    account.store(connection)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"chain/{n % 3}", n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine = open_engine(database_url, name="test")
    found = verify(engine)
    assert (failures, found.findings) == ([], ())
    assert found.blocks == {f"chain/{n}": 50 for n in range(3)}
    assert found.rows["audit_events"] == 150


def test_two_sinks_write_two_chains(bench: SinkBench) -> None:
    bench.decide([regular(f"s-{number}") for number in range(60)])
    with bench.running(instance=0, instances=2), bench.running(instance=1, instances=2):
        until(lambda: bench.migrated() and bench.drained(), "both sinks")
    found = verify(bench.engine)
    assert found.findings == ()
    assert {"sink/0", "sink/1"} <= set(found.heads)
    assert found.rows["decisions"] == 60


def test_what_stood_before_the_chain_began_is_taken_into_it(database_url: str) -> None:
    office = Office(database_url)
    office.store(decision(), regular("s-2"), address_only("s-3"))
    engine: Engine = office.engine
    go(engine, command.downgrade, "0004")
    go(engine, command.upgrade, "head")
    found = verify(engine)
    assert (found.findings, found.rows["decisions"]) == ((), 3)
    assert set(found.heads) == {"before"}


def test_which_policies_are_in_force_is_noted_once_per_change(database_url: str) -> None:
    migrate(database_url)
    engine = open_engine(database_url, name="test")
    for _ in range(2):
        with engine.begin() as connection:
            note_policies(connection, POLICIES)
    with engine.connect() as connection:
        (event,) = connection.execute(select(audit_events)).all()
        assert event.details["policies"] == {"default": POLICIES.default.version}
        assert connection.execute(select(audit_chains.c.chain)).scalars().all() == ["console"]
