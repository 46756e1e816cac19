"""A task is handed over to a colleague whom the municipality's records know, and to nobody else (domain 8.7)."""

import pytest
from signaalwissel.schemas.followup import TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks.tables import dead_letters, tasks

from tests.processors.followup_support import decision, update
from tests.sinks.clock_support import MONDAY, Office, state

LEA = Counsellor("b-lea", "team-noord")
RUN_BY_LEA = state((TrajectoryEventKind.APPLIED, MONDAY), counsellor=LEA)._replace(trajectory_id="T-8")


@pytest.fixture
def office(database_url: str) -> Office:
    office = Office(database_url, clock=False)
    office.store(decision())
    return office


def handed_over(office: Office, to: str) -> TaskUpdate:
    """The report that the only task goes to somebody."""
    return update(TaskUpdateKind.REASSIGNED, office.only.task_id, assignee=to)


def owner(office: Office, task_id: str) -> str | None:
    (row,) = [row for row in office.rows(tasks) if row["task_id"] == task_id]
    return None if row["assignee"] is None else str(row["assignee"])


def test_a_name_that_nobody_bears_is_refused_and_the_task_stays_where_it_is(office: Office) -> None:
    before = office.only
    office.store(states=[RUN_BY_LEA], updates=[handed_over(office, "b-lae")])
    assert office.only == before
    (letter,) = office.rows(dead_letters)
    assert (letter["code"], letter["field"]) == ("INVALID_FIELD", "assignee")
    assert "b-lae" not in letter["rule"]


def test_a_counsellor_of_another_municipality_is_nobody_here(office: Office) -> None:
    before = office.only
    office.store(states=[RUN_BY_LEA._replace(municipality="0363")])
    office.store(updates=[handed_over(office, LEA.counsellor_id)])
    assert office.only == before


def test_who_comes_to_run_a_trajectory_in_the_same_batch_gets_the_task(office: Office) -> None:
    office.store(states=[RUN_BY_LEA], updates=[handed_over(office, LEA.counsellor_id)])
    assert office.only.assignee == LEA.counsellor_id
    assert office.rows(dead_letters) == []


def test_who_gets_their_first_task_in_the_same_batch_gets_the_next_one_too(office: Office) -> None:
    first = office.only.task_id
    second = decision("s-2", trajectory_id="T-2", counsellor=LEA)
    office.store(second, updates=[handed_over(office, LEA.counsellor_id)])
    assert owner(office, first) == LEA.counsellor_id
    assert office.rows(dead_letters) == []


def test_a_refused_hand_over_is_applied_when_it_comes_again_and_the_colleague_is_known(
    office: Office,
) -> None:
    said = handed_over(office, LEA.counsellor_id)
    office.store(updates=[said])
    assert office.only.assignee != LEA.counsellor_id
    office.store(states=[RUN_BY_LEA])
    office.store(updates=[said])
    assert office.only.assignee == LEA.counsellor_id
