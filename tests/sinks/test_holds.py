"""What is held stays until its day or its release, is told in the report, and goes with the next run."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from signaalwissel.processors.retention import DataKind
from signaalwissel.sinks import holds as holding
from signaalwissel.sinks.holds import HoldRefused
from signaalwissel.sinks.retention_tables import retention_holds
from signaalwissel.sinks.tables import decisions, tasks, trajectories

from tests.processors.followup_support import decision, regular
from tests.sinks.retention_support import Archive, around, ended, hold, letters

EXIT = date(2021, 3, 31)
FIVE_YEARS = date(2026, 3, 31)
RECEIVED = date(2025, 8, 31)
SIX_MONTHS = date(2026, 2, 28)


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Archive:
    return Archive(database_url, tmp_path)


def test_a_held_trajectory_stays_with_its_tasks_signals_and_keys_until_its_day(archive: Archive) -> None:
    archive.store(
        decision("s-1", received_on=EXIT),
        regular("s-1", received_on=EXIT, revision=1),
        regular("s-2", received_on=EXIT),
        states=[ended("T-1", EXIT), ended("T-2", EXIT)],
    )
    sealed = archive.sealed(EXIT)
    hold(archive, "T-1", FIVE_YEARS + timedelta(days=10), FIVE_YEARS)
    archive.run(around(FIVE_YEARS + timedelta(days=10))[0])
    assert [row["trajectory_id"] for row in archive.rows(trajectories)] == ["T-1"]
    assert archive.count(tasks) == 1
    assert {row["signal_id"] for row in archive.rows(decisions)} == {"s-1"}
    assert archive.count(decisions) == 2
    assert archive.opens(sealed)
    archive.run(around(FIVE_YEARS + timedelta(days=10))[1])
    assert archive.count(trajectories) == archive.count(tasks) == archive.count(decisions) == 0
    assert not archive.opens(sealed)
    assert archive.count(retention_holds) == 0


def test_a_held_municipality_loses_nothing(archive: Archive) -> None:
    archive.store(decision("s-1", received_on=EXIT), states=[ended("T-1", EXIT)])
    letters(archive, EXIT)
    hold(archive, None, date(2026, 12, 31), FIVE_YEARS)
    _, after = around(FIVE_YEARS)
    assert archive.run(after) == {}
    told = archive.report(after)
    assert {line.kind: line.held for line in told.lines if line.held} == {
        DataKind.SIGNAL: 1,
        DataKind.TRAJECTORY: 1,
        DataKind.DEAD_LETTER: 1,
    }
    assert [(one.trajectory_id, one.in_force(told.today)) for one in told.holds] == [(None, True)]
    assert not any(line.due for line in told.lines)


def test_a_hold_that_is_released_holds_nothing_and_stays_visible(archive: Archive) -> None:
    archive.store(regular("s-1", received_on=RECEIVED))
    placed = hold(archive, None, date(2026, 12, 31), SIX_MONTHS)
    assert hold(archive, None, date(2026, 12, 31), SIX_MONTHS) == placed
    holding.release(archive.engine, placed.hold_id, "de procedure is voorbij")
    assert archive.run(around(SIX_MONTHS)[1])["SIGNAL"] == 1
    (one,) = archive.report(around(SIX_MONTHS)[1]).holds
    assert (one.release_reason, one.in_force(SIX_MONTHS)) == ("de procedure is voorbij", False)


def test_a_hold_of_a_day_that_has_passed_or_of_nobody_is_refused(archive: Archive) -> None:
    with pytest.raises(HoldRefused, match="has passed"):
        hold(archive, None, SIX_MONTHS - timedelta(days=1), SIX_MONTHS)
    with pytest.raises(HoldRefused, match="there is none"):
        holding.release(archive.engine, "0" * 16, "de procedure is voorbij")
