"""What is kept of requests, erasures and objections goes when its period is over; what still works stays."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.processors.retention import DataKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import subject_ledger_store
from signaalwissel.sinks.retention_report import Asked, overdue
from signaalwissel.sinks.subject_restore import in_force
from signaalwissel.sinks.subject_tables import erasure_ledger, objections, subject_requests

from tests.processors.followup_support import at_noon
from tests.sinks.retention_support import Archive, around, erasure, objection, request

FIVE_YEARS = date(2026, 3, 31)
SEVEN_YEARS = date(2028, 3, 31)
WITHDRAWN = date(2025, 8, 31)
SIX_MONTHS = date(2026, 2, 28)


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    return Archive(database_url, tmp_path)


def done(archive: Archive, at: Millis) -> dict[str, int]:
    """What a run destroys of rights; the keys of days on which nothing came go meanwhile."""
    return {kind: count for kind, count in archive.run(at).items() if kind != DataKind.DAY_KEY.value}


def test_a_request_is_kept_up_to_the_last_second_of_its_period_and_no_longer(archive: Archive) -> None:
    request(archive)
    before, after = around(FIVE_YEARS)
    assert done(archive, before) == {}
    assert archive.count(subject_requests) == 1
    assert done(archive, after) == {DataKind.REQUEST.value: 1}
    assert archive.count(subject_requests) == 0
    assert done(archive, after) == {}


def test_an_erasure_is_remembered_up_to_the_last_second_of_its_period_and_no_longer(archive: Archive) -> None:
    with archive.engine.begin() as connection:
        subject_ledger_store.record(connection, [erasure(), erasure()._replace(opaque=b"other")])
    before, after = around(SEVEN_YEARS)
    assert done(archive, before) == {}
    assert archive.count(erasure_ledger) == 2
    assert done(archive, after) == {DataKind.ERASURE.value: 2}
    assert archive.count(erasure_ledger) == 0
    assert done(archive, after) == {}


def test_an_objection_that_stands_is_never_over_and_a_withdrawn_one_is_after_its_period(
    archive: Archive,
) -> None:
    objection(archive, None)
    objection(archive, WITHDRAWN)
    before, after = around(SIX_MONTHS)
    assert done(archive, before) == {}
    assert done(archive, after) == {DataKind.OBJECTION.value: 1}
    archive.years_pass(date(2059, 1, 1))
    assert DataKind.OBJECTION.value not in done(archive, around(date(2060, 1, 1))[1])
    assert [row["withdrawn_on"] for row in archive.rows(objections)] == [None]


def test_what_a_restored_ledger_still_holds_and_is_over_does_not_come_back(archive: Archive) -> None:
    old, young = erasure()._replace(erased_at=0), erasure()._replace(erased_at=at_noon(date(2100, 1, 1)))
    assert in_force(archive.engine, [old, young], archive.policies) == [young]


def test_what_outlived_its_period_is_told(archive: Archive) -> None:
    request(archive)
    objection(archive, WITHDRAWN)
    archive.moment.moment = around(date(2026, 4, 2))[1]
    asked = Asked(archive.settings, archive.policies, archive.moment)
    assert {one.what for one in overdue(archive.engine, asked)} == {"REQUEST", "OBJECTION"}
