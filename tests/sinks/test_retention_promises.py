"""What the DPIA facts and the privacy statement promise, retention does: of every table, and with a key service too."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.privacy_natures import Nature
from signaalwissel.processors.privacy_stores import DATABASE, Term
from signaalwissel.processors.privacy_tables import TABLES
from signaalwissel.processors.sealing import KeyDestroyed, seal, unseal
from signaalwissel.schemas.followup import TaskUpdateKind
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.sinks import subject_ledger_store
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.ledger import CONSOLE, Event, EventKind, Ledger
from signaalwissel.sinks.open_klant_tables import open_klant_handovers
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.retention_round import RetentionRound, Tools
from signaalwissel.sinks.retention_tables import retention_holds
from signaalwissel.sinks.tables import METADATA
from signaalwissel.sinks.writer import Writer
from sqlalchemy import text

from tests.processors.followup_support import MUNICIPALITY, address_only, at_noon, decision, regular, update
from tests.security.vault_stub import VaultStub, serving
from tests.security.vault_support import Service
from tests.sinks.retention_support import Archive, around, ended, erasure, objection, request
from tests.sinks.sink_support import seal as seal_letter

DAY = date(2020, 3, 2)
KEPT_BY_DESIGN = {"notices", "policies", "audit_events", "audit_blocks"}
"""Proof of destruction, and the policy that a process runs with."""


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    return Archive(database_url, tmp_path)


def fill(archive: Archive) -> None:
    """Something in every table."""
    archive.store(
        decision("s-1", received_on=DAY),
        regular("s-2", received_on=DAY),
        address_only("s-3", received_on=DAY),
        states=[ended("T-1", DAY)],
    )
    at = at_noon(DAY)
    for number, task in enumerate(archive.tasks()):
        named = {"occurred_at": at, "update_id": f"u-{number}"}
        if not task.candidates:
            archive.store(updates=[update(TaskUpdateKind.CONTACT_MADE, task.task_id, **named)])
        for one in task.candidates:
            who = {**named, "update_id": f"u-{number}-{one.trajectory_id}", "client": one.client}
            said = update(
                TaskUpdateKind.IDENTITY_REFUTED, task.task_id, trajectory_id=one.trajectory_id, **who
            )
            archive.store(updates=[said])
    letter = DeadLetter(
        "dl", "intake", "signals", 0, 1, at, "UNREADABLE", None, "", MUNICIPALITY, "s-9", b"x"
    )
    hold = {
        "hold_id": "h",
        "municipality": MUNICIPALITY,
        "trajectory_id": "T-1",
        "reason": "een procedure",
        "until": DAY,
        "placed_at": "2020-03-02T12:00:00Z",
    }
    with archive.engine.begin() as connection:
        Writer(archive.settings, archive.policies, seal_letter, archive.time).store(
            connection, Batch(dead_letters=[letter])
        )
        connection.execute(retention_holds.insert(), hold)
        (first, *_) = archive.tasks()
        account = Ledger(CONSOLE, archive.policies.register_of)
        account.event(Event(EventKind.RECORD_CONSULTED, "po-3", "s-1", MUNICIPALITY))
        account.store(connection)
        connection.execute(open_klant_handovers.insert(), {"task_id": first.task_id, "status": "CLOSED"})
        connection.execute(
            text(
                "INSERT INTO feedback_deliveries (notice_id, municipality, partner_id)"
                " SELECT notice_id, municipality, addressee FROM notices WHERE kind = 'PARTNER_FEEDBACK'"
            )
        )
        subject_ledger_store.record(connection, [erasure()])
    request(archive)
    objection(archive, withdrawn=DAY)


def test_nothing_personal_is_left_in_any_table_when_every_period_is_over(archive: Archive) -> None:
    fill(archive)
    filled = archive.everything()
    personal = {name for name, natures in TABLES.items() if {nature for nature in natures if nature.personal}}
    # Digests of the staff's logins, which go within a day by themselves: tests/sinks/test_ended_sessions.py and
    # test_running_sessions.py.
    personal -= {"ended_sessions", "running_sessions"}
    made_by_running = {"retention_terms", "retention_tombstones"}
    assert {name for name in personal if not filled[name]} == made_by_running, "the test fills every table"
    archive.run(around(date(2030, 1, 1))[1])
    # Intake tells that it forgot, the relay has sent everything, and time passes.
    archive.time.day = date(2030, 1, 3)
    archive.store(states=[ended("T-1", DAY)._replace(erased=True, facts=(), match_keys=(), version=9)])
    later = around(date(2031, 1, 1))[1]
    archive.run(later)
    with archive.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET sent_at = '2030-01-03'"))
    archive.run(later)
    # Events and blocks carry the database's own time, and stay for the longest period of the policy.
    assert {row["kind"] for row in archive.everything()["audit_events"]} >= {"RECORD_CONSULTED"}
    assert verify(archive.engine).findings == ()
    archive.years_pass(date(2049, 1, 1))
    much_later = around(date(2050, 1, 1))[1]
    archive.run(much_later)
    with archive.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET sent_at = '2040-01-03'"))
    archive.run(much_later)
    assert verify(archive.engine).findings == ()
    left = archive.everything()
    for name in personal - KEPT_BY_DESIGN:
        assert left[name] == [], name
    assert {row["kind"] for row in left["notices"]} == {"DATA_DESTROYED"}
    assert {row["trajectory_id"] for row in left["notices"]} == {None}
    assert {row["kind"] for row in left["audit_events"]} == {"RETENTION_RAN"}
    assert {row["source"] for row in left["audit_blocks"]} <= {"audit_events", "audit_starts"}
    assert [row["version"] for row in left["policies"]] == [archive.policies.default.version]


def test_what_is_kept_for_ever_says_nothing_of_anybody() -> None:
    for_ever = {store.name for store in DATABASE if store.term is Term.RUNNING}
    assert for_ever >= {"retention_proofs", "retained_figures", "retention_days"}
    for name in for_ever:
        assert set(TABLES[name]) == {Nature.NOT_PERSONAL}, name
    assert set(METADATA.tables) == set(TABLES)


def test_a_day_in_a_key_service_is_destroyed_for_good_and_the_next_opens(
    archive: Archive, tmp_path: Path
) -> None:
    with serving(VaultStub()) as stub:
        service = Service(stub, tmp_path)
        keys = service.keys()
        keys.create(MUNICIPALITY)
        days = [DAY, DAY + timedelta(days=1)]
        sealed = {
            day: [seal(b"wie", keys.day_key(MUNICIPALITY, day), "test", bytes([n] * 12)) for n in range(20)]
            for day in days
        }
        archive.store(*(regular(f"s-{day}", received_on=day) for day in days))
        archive.moment.moment = around(date(2020, 9, 2))[1]
        runner = RetentionRound(archive.settings, archive.policies, Tools(service.keys(), archive.moment))
        with archive.engine.connect() as connection:
            assert [done.kind.value for done in runner.batches(connection)] == ["SIGNAL", "DAY_KEY"]
        fresh = service.keys()
        for one in sealed[days[0]]:
            with pytest.raises(KeyDestroyed):
                unseal(one, "test", fresh.by_id)
        assert [unseal(one, "test", fresh.by_id) for one in sealed[days[1]]] == [b"wie"] * 20
