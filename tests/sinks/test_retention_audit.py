"""What is destroyed stands in the audit trail and the processing log; and the trail itself goes without a gap in what is left."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.processing_lines import client_of, resident
from signaalwissel.processors.processing_register import NAMES, Purpose
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_chains, audit_events, audit_starts
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.retention_round import RetentionRound, Tools
from signaalwissel.sinks.tables import decisions, task_history, tasks
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.processors.followup_support import MUNICIPALITY, address_only, decision, regular
from tests.sinks.retention_support import Archive, around, ended
from tests.sinks.test_processing_log import buffered

DAY = date(2020, 3, 2)
FAR = around(date(2050, 1, 1))[1]
"""After the longest period since the database's own time, which blocks carry."""
DESTROYED = NAMES[Purpose.DATA_DESTROYED]


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    archive = Archive(database_url, tmp_path)
    archive.store(
        decision("s-1", received_on=DAY),
        regular("s-2", received_on=DAY),
        address_only("s-3", received_on=DAY),
        states=[ended("T-1", DAY)],
    )
    return archive


def findings(archive: Archive) -> tuple[str, ...]:
    return verify(archive.engine).findings


def subjects(archive: Archive) -> Counter[str]:
    """Whom lines of destruction are about."""
    spans = [span for span in buffered(archive) if span.name == DESTROYED]
    return Counter(span.attributes[-1].value.string_value for span in spans)


def tamper(archive: Archive, statement: str) -> None:
    with archive.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount


def test_everybody_whose_signals_go_has_one_line_of_it(archive: Archive) -> None:
    keys = {bytes(row["match_key"]) for row in archive.rows(decisions)}
    archive.run(around(date(2020, 9, 2))[1])
    assert archive.rows(decisions) == []
    assert subjects(archive) == Counter(resident(key).id for key in keys)
    archive.run(around(date(2020, 9, 2))[1])
    assert sum(subjects(archive).values()) == len(keys), "what is gone goes once"


def test_a_trajectory_that_goes_takes_its_tasks_out_of_the_trail_and_has_its_line(archive: Archive) -> None:
    before = subjects(archive)
    archive.run(around(date(2030, 1, 1))[1])
    assert archive.rows(task_history) != [], "that of the verification, which nobody answered"
    assert {row["trajectory_id"] for row in archive.rows(tasks)} == {None}
    assert findings(archive) == ()
    match_keys = ended("T-1", DAY).match_keys
    named = [resident(key).id for key in match_keys] or [client_of(MUNICIPALITY, "T-1").id]
    assert subjects(archive) - before >= Counter(named)


def test_each_batch_and_each_key_is_an_event_that_shares_its_trace_with_the_lines(archive: Archive) -> None:
    archive.moment.moment = around(date(2020, 9, 2))[1]
    tools = Tools(archive.keys, archive.moment, actor="po-3")
    with archive.engine.connect() as connection:
        done = list(RetentionRound(archive.settings, archive.policies, tools).batches(connection))
    events = archive.rows(audit_events)
    ran = [row for row in events if row["kind"] == EventKind.RETENTION_RAN]
    assert [(row["about"], row["details"]["count"]) for row in ran] == [
        (one.kind.value, one.destroyed) for one in done
    ]
    assert {row["about"] for row in events if row["kind"] == EventKind.KEY_DESTROYED} >= {f"day {DAY}"}
    assert {row["actor"] for row in events} == {"po-3"}
    traces = {span.trace_id for span in buffered(archive) if span.name == DESTROYED}
    assert traces == {bytes(row["trace_id"]) for row in ran if row["municipality"] == MUNICIPALITY}


def test_what_still_stands_is_said_again_before_the_blocks_that_say_it_go(archive: Archive) -> None:
    archive.run(around(date(2030, 1, 1))[1])
    standing = archive.rows(task_history)
    seqs = {row["chain"]: row["seq"] for row in archive.rows(audit_chains)}
    archive.years_pass(date(2049, 1, 1))
    archive.run(FAR)
    archive.run(FAR)
    assert archive.rows(task_history) == standing != []
    starts = {row["chain"]: row["seq"] for row in archive.rows(audit_starts)}
    assert all(starts[chain] >= seq for chain, seq in seqs.items()), "every block of before is gone"
    assert findings(archive) == ()
    tamper(archive, "UPDATE task_history SET by = 'x'")
    assert len(findings(archive)) == len(standing)


def test_a_row_that_was_altered_before_its_block_goes_is_not_vouched_for_again(archive: Archive) -> None:
    tamper(archive, "UPDATE task_history SET by = 'x'")
    altered = len(archive.rows(task_history))
    archive.run(FAR)
    left = len(archive.rows(task_history))
    assert 0 < left < altered
    found = findings(archive)
    assert len(found) == left
    assert all("past the audit trail" in one for one in found)


def test_an_end_that_was_noted_before_the_start_moved_is_no_finding(archive: Archive) -> None:
    noted = verify(archive.engine).heads
    archive.run(FAR)
    assert verify(archive.engine, noted).findings == ()


def test_a_start_that_was_moved_past_the_product_shows(archive: Archive) -> None:
    archive.run(FAR)
    tamper(archive, "UPDATE audit_starts SET seq = seq + 1 WHERE chain LIKE 'sink%'")
    assert any(one.startswith("audit_starts sink") for one in findings(archive))


def test_blocks_go_from_the_start_of_their_chain_only(archive: Archive) -> None:
    archive.run(FAR)
    for statement in ("DELETE FROM audit_blocks", "UPDATE audit_starts SET seq = seq + 1"):
        with pytest.raises(IntegrityError, match="is refused"), archive.engine.begin() as connection:
            connection.execute(text(statement))
    assert archive.count(audit_blocks) > 0
    assert findings(archive) == ()
