from dataclasses import replace
from datetime import date

import pytest
from signaalwissel.processors.followup_tasks import (
    EVENT_ITEMS_MAX,
    Owner,
    identity_task_id,
    owner_of,
    relapse_task_id,
    report_of,
)
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskStep
from signaalwissel.schemas.trajectory import Counsellor

from tests.processors.followup_support import COUNSELLOR, POLICY, Desk, decision


@pytest.mark.parametrize(
    ("counsellor", "team", "owner"),
    [
        pytest.param(COUNSELLOR, "team-noord", Owner("b-17", "team-noord"), id="who ran the trajectory"),
        pytest.param(COUNSELLOR, None, Owner("b-17", "team-noord"), id="without a team: the counsellor's"),
        pytest.param(None, "team-zuid", Owner(None, "team-zuid"), id="unknown: the team"),
        pytest.param(None, None, Owner(None, "wijkteam"), id="never nobody"),
        pytest.param(Counsellor("b-weg", "x"), "x", Owner(None, "wijkteam"), id="gone or outsourced"),
        pytest.param(Counsellor("bewindvoerder-1", "x"), "x", Owner(None, "wijkteam"), id="an administrator"),
    ],
)
def test_the_owner_is_who_ran_the_trajectory(
    counsellor: Counsellor | None, team: str | None, owner: Owner
) -> None:
    assert owner_of(counsellor, team, POLICY) == owner


def test_ids_are_derived_and_keep_what_differs_apart() -> None:
    ids = {
        relapse_task_id("0344", "T-1", b"a"),
        relapse_task_id("0345", "T-1", b"a"),
        relapse_task_id("0344", "T-2", b"a"),
        relapse_task_id("0344", "T-1", b"b"),
        identity_task_id("0344", b"a", 0),
        identity_task_id("0344", b"b", 0),
        identity_task_id("0344", b"a", 1),
    }
    assert len(ids) == 7
    assert relapse_task_id("0344", "T-1", b"a") in ids


def test_an_event_stays_small_however_much_is_in_the_task() -> None:
    desk = Desk()
    desk.follow(decision())
    report = report_of(decision())
    step = TaskStep(0, "ACCEPTED", None, None)
    many = EVENT_ITEMS_MAX + 5
    reports = tuple(report._replace(signal_id=str(i), ref=str(i).encode()) for i in range(many))
    event = replace(desk.only, reports=reports, history=(step,) * many).event()
    assert len(event.signals) == len(event.history) == EVENT_ITEMS_MAX
    assert event.signals[-1].signal_id == str(many - 1)


def test_an_event_fits_its_schema() -> None:
    desk = Desk()
    desk.follow(decision(crisis=True), decision("s-2", received_on=date(2026, 3, 9)))
    event = desk.only.event()
    assert codec("TaskEvent").decode(codec("TaskEvent").encode(event)) == event
