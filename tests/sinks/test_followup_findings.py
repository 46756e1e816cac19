from datetime import date, timedelta
from typing import Any

import pytest
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.followup_findings import (
    Fault,
    FollowUpFinding,
    follow_up_findings,
    waiting_for_the_clock,
)
from signaalwissel.sinks.tables import task_signals, tasks, trajectories

from tests.processors.followup_support import address_only, decision, regular, to_regular, update
from tests.sinks.clock_support import MONDAY, Office, state
from tests.sinks.sink_support import take_tasks_away


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def found(office: Office) -> list[FollowUpFinding]:
    return follow_up_findings(office.engine)


def spoil(office: Office, statement: Any) -> None:
    with office.engine.begin() as connection:
        connection.execute(statement)


def test_hits_that_are_attended_to_are_no_findings(office: Office) -> None:
    office.store(decision(), decision("s-2", arrears=90_000), regular("s-3"), address_only("s-4"))
    office.store(decision("s-5", trajectory_id="T-2"), to_regular("s-5"))
    office.tick(MONDAY + timedelta(days=60))
    assert found(office) == []


def test_a_repeated_report_after_the_contact_stands_in_the_task_that_was_done(office: Office) -> None:
    office.store(decision())
    office.store(updates=[update(TaskUpdateKind.CONTACT_MADE, office.only.task_id)])
    office.store(decision("s-2", received_on=date(2026, 4, 2)))
    assert [report.late for report in office.only.held] == [False, True]
    assert found(office) == []
    spoil(office, task_signals.update().where(task_signals.c.signal_id == "s-1").values(left=True))
    assert [finding.fault for finding in found(office)] == [Fault.ENDED_IN_SILENCE, Fault.ENDED_IN_SILENCE]


def test_when_what_it_repeated_is_corrected_away_a_late_report_gets_a_relapse_of_its_own(
    office: Office,
) -> None:
    office.store(decision(), states=[state((TrajectoryEventKind.APPLIED, date(2025, 6, 1)))])
    done = next(task for task in office.tasks() if task.kind is TaskKind.CONTACT_ON_RELAPSE)
    office.store(updates=[update(TaskUpdateKind.CONTACT_MADE, done.task_id)])
    office.store(decision("s-2", received_on=date(2026, 3, 20)))
    office.tick(date(2026, 3, 23))
    office.store(to_regular())
    assert found(office) == []
    relapses = {t.status: t for t in office.tasks() if t.kind is TaskKind.CONTACT_ON_RELAPSE}
    assert relapses[TaskStatus.DONE].held == ()
    opened = relapses[TaskStatus.OPEN]
    assert [(r.signal_id, r.repeated, r.late) for r in opened.held] == [("s-2", False, False)]
    assert opened.due_on == date(2026, 4, 17)


def test_a_hit_without_a_task_is_found(office: Office) -> None:
    made = decision()
    office.store(made)
    take_tasks_away(office.engine)
    assert found(office) == [
        FollowUpFinding(Fault.NO_TASK, "0344", "T-1", routing_id=made.routing_id, task_id=None)
    ]


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED"])
def test_a_hit_whose_task_ended_in_silence_is_found(office: Office, status: str) -> None:
    made = decision()
    office.store(made)
    spoil(office, tasks.update().values(status=status, next_on=None))
    assert found(office) == [
        FollowUpFinding(
            Fault.ENDED_IN_SILENCE, "0344", "T-1", routing_id=made.routing_id, task_id=office.only.task_id
        )
    ]


def test_a_hit_that_stands_in_another_trajectorys_task_is_found(office: Office) -> None:
    office.store(decision())
    spoil(office, tasks.update().values(trajectory_id="T-2"))
    assert [finding.fault for finding in found(office)] == [Fault.NO_TASK]


def test_a_running_task_without_an_owner_or_a_next_day_is_found(office: Office) -> None:
    office.store(decision(), decision("s-2", trajectory_id="T-2"), decision("s-3", trajectory_id="T-3"))
    spoil(office, tasks.update().where(tasks.c.trajectory_id == "T-1").values(assignee=None, team=""))
    spoil(office, tasks.update().where(tasks.c.trajectory_id == "T-2").values(next_on=None))
    assert {(finding.fault, finding.trajectory_id) for finding in found(office)} == {
        (Fault.NO_OWNER, "T-1"),
        (Fault.NO_NEXT_DAY, "T-2"),
    }


def test_what_the_clock_has_left_lying_is_counted(office: Office) -> None:
    office.store(decision(), decision("s-2", trajectory_id="T-2"))
    waiting = waiting_for_the_clock(office.engine)
    assert waiting.count == 2
    assert waiting.since is not None
    spoil(office, tasks.update().values(next_on=date(9999, 1, 1)))
    assert waiting_for_the_clock(office.engine).count == 0
    assert office.rows(trajectories) == []
