"""A trajectory that comes again under other match keys, from a rotation, makes the sink do nothing (ADR 8)."""

from datetime import date, timedelta

import pytest
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.tables import notices, outbox, trajectories

from tests.processors.followup_support import decision
from tests.sinks.clock_support import MONDAY, Office, state

_Kind = TrajectoryEventKind
TOLD = (
    (_Kind.APPLIED, date(2025, 6, 1)),
    (_Kind.ADMITTED, date(2025, 7, 1)),
    (_Kind.MONITORING_STARTED, date(2025, 8, 1)),
    (_Kind.COUNSELLOR_ASSIGNED, date(2025, 8, 2)),
)


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


@pytest.mark.parametrize("days", [0, 5, 40])
def test_tasks_notices_and_what_is_published_stay_as_they_are(office: Office, days: int) -> None:
    before = state(*TOLD)._replace(match_keys=(b"\x00\x01" + b"o" * 32,))
    office.store(decision(), states=[before])
    office.tick_daily(days)
    office.tick(MONDAY + timedelta(days=days))
    done = [office.rows(table) for table in (outbox, notices)]
    assert done[0]
    tasks = office.tasks()
    rekeyed = before._replace(version=before.version + 1, match_keys=(b"\x00\x02" + b"n" * 32,))
    office.store(states=[rekeyed])
    office.tick(MONDAY + timedelta(days=days))
    assert [office.rows(table) for table in (outbox, notices)] == done
    assert office.tasks() == tasks
    (row,) = office.rows(trajectories)
    assert read_trajectory_state(bytes(row["state"])).match_keys == rekeyed.match_keys
