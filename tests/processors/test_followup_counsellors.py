from dataclasses import replace
from datetime import date

from signaalwissel.processors.followup_counsellors import assignment, moved
from signaalwissel.schemas.followup import TaskStatus
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind

from tests.processors.followup_support import COUNSELLOR, POLICY, Desk, decision

OTHER = Counsellor("b-18", "team-zuid")


def fact(event_id: str, sequence: int, counsellor: Counsellor | None) -> Fact:
    kind = TrajectoryEventKind.COUNSELLOR_ASSIGNED
    return Fact(event_id, sequence, date(2026, 3, 1), 1000 + sequence, kind, counsellor=counsellor)


def state(*facts: Fact) -> TrajectoryState:
    return TrajectoryState("0344", "T-1", 1, False, "e", facts, ())


def test_the_last_counsellor_by_sequence_and_event_id_runs_the_trajectory() -> None:
    late = fact("e-2", 5, OTHER)
    assert assignment(state(late, fact("e-1", 5, COUNSELLOR), fact("e-3", 9, None))) == late


def test_nobody_runs_a_trajectory_that_names_nobody() -> None:
    assert assignment(state(fact("e-1", 1, None))) is None


def test_a_new_counsellor_takes_the_open_task() -> None:
    desk = Desk()
    desk.follow(decision())
    task = moved(desk.only, OTHER, 77, POLICY)
    assert task is not None
    assert (task.assignee, task.team, task.version) == ("b-18", "team-zuid", 2)
    assert (task.history[-1].what, task.history[-1].at) == ("COUNSELLOR_CHANGED", 77)


def test_a_new_counsellor_takes_the_task_from_the_team_by_the_same_dates() -> None:
    desk = Desk()
    desk.follow(decision())
    desk.tick(date(2026, 3, 16))
    escalated = desk.only
    assert (escalated.status, escalated.assignee) == (TaskStatus.ESCALATED, None)
    task = moved(escalated, OTHER, 77, POLICY)
    assert task is not None
    assert (task.status, task.assignee, task.team) == (TaskStatus.OPEN, "b-18", "team-zuid")
    assert "ESCALATED" in [step.what for step in task.history]
    assert (task.due_on, task.next_on, task.rung) == (escalated.due_on, escalated.next_on, escalated.rung)
    desk.put(task)
    desk.tick(date(2026, 3, 31))
    steps = [str(step.what) for step in desk.only.history]
    assert steps[-2:] == ["OFFERED_TO_REGULAR", "OVERDUE"]
    assert steps.count("ESCALATED") == 1
    assert desk.only.assignee == "b-18"


def test_a_counsellor_who_is_gone_takes_nothing_from_the_team() -> None:
    desk = Desk()
    desk.follow(decision())
    desk.tick(date(2026, 3, 16))
    task = moved(desk.only, Counsellor("b-weg", "x"), 77, POLICY)
    assert task is not None
    assert (task.status, task.assignee, task.team) == (TaskStatus.ESCALATED, None, "wijkteam")


def test_a_counsellor_who_is_gone_leaves_it_to_the_team() -> None:
    desk = Desk()
    desk.follow(decision())
    task = moved(desk.only, Counsellor("b-weg", "x"), 77, POLICY)
    assert task is not None
    assert (task.assignee, task.team) == (None, "wijkteam")


def test_the_same_counsellor_and_an_ended_task_change_nothing() -> None:
    desk = Desk()
    desk.follow(decision())
    assert moved(desk.only, COUNSELLOR, 77, POLICY) is None
    assert moved(replace(desk.only, status=TaskStatus.DONE), OTHER, 77, POLICY) is None
