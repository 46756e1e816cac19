"""A task is handed over to a colleague by name: who may, to whom, and what follows."""

import re
from typing import Any

import pytest
from signaalwissel.processors.access import Role
from signaalwissel.schemas.followup import TaskStatus, TaskUpdateKind
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.sinks import colleagues
from signaalwissel.sinks.row_security import RowScope, scoped
from sqlalchemy import text

from tests.console.webpages.web_support import COUNSELLOR, MUNICIPALITY, TEAM, Town, counsellor
from tests.sinks.clock_support import state

RUN = """
    INSERT INTO trajectories (municipality, trajectory_id, version, erased, counsellor_id, counsellor_team, state)
    SELECT :code, 'many-' || n, 1, false, CASE WHEN n % 10 > 0 THEN 'run-' || n % 49 END, 'team', ''
    FROM generate_series(1, 20000) AS n
"""
HAVE = """
    INSERT INTO tasks (task_id, version, kind, status, municipality, assignee, team, due_on, opened_on, policy_version)
    SELECT 'many-' || n, 1, 'EVALUATE_PLAN', 'OPEN', :code, 'has-' || n % 49, 'team', current_date, current_date, 'v'
    FROM generate_series(1, 20000) AS n
"""


def test_a_task_is_handed_over_to_a_colleague_by_name_and_stands_on_their_list(town: Town) -> None:
    task_id = town.relapse("T-1")
    mine = counsellor(town)
    offered = re.findall(r'<option value="(sh-\d+)">', mine.get(f"/taken/{task_id}").text)
    assert offered == ["sh-8"]
    assert mine.report(task_id, "REASSIGNED", collega="sh-8").status_code == 303
    (update,) = town.kafka.updates
    assert (update.kind, update.by, update.assignee) == (TaskUpdateKind.REASSIGNED, COUNSELLOR, "sh-8")
    assert "overgedragen aan sh-8" in mine.get(f"/taken/{task_id}", gemeld="true").text
    town.office.store(updates=[update])
    (task,) = [one for one in town.office.tasks() if one.task_id == task_id]
    assert (task.assignee, task.status) == ("sh-8", TaskStatus.OPEN)
    assert "traject T-1" in counsellor(town, "sh-8").get("/taken").text
    assert "traject T-1" not in mine.get("/taken").text


def test_who_leads_the_team_hands_over_the_task_of_somebody_else(town: Town) -> None:
    task_id = town.relapse("T-2")
    lead = town.visitor(Role.TEAM_LEAD, team=TEAM)
    assert lead.report(task_id, "REASSIGNED", collega=COUNSELLOR).status_code == 303
    (update,) = town.kafka.updates
    assert (update.by, update.assignee) == (lead.subject, COUNSELLOR)


def test_a_colleague_is_offered_where_they_have_nothing_but_a_trajectory(town: Town) -> None:
    run_by = state((TrajectoryEventKind.APPLIED, town.today), counsellor=Counsellor("sh-5", TEAM))
    town.office.store(states=[run_by._replace(trajectory_id="T-8")])
    assert '<option value="sh-5">' in counsellor(town).get(f"/taken/{town.relapse('T-1')}").text


@pytest.mark.parametrize("colleague", ["sh-99", COUNSELLOR, "sh-8\x00"])
def test_a_task_is_handed_to_nobody_who_is_not_in_the_list(town: Town, colleague: str) -> None:
    answer = counsellor(town).report(town.relapse("T-1"), "REASSIGNED", collega=colleague)
    assert answer.status_code == 409
    assert town.kafka.records == []


def test_nobody_hands_over_a_task_that_is_not_theirs(town: Town) -> None:
    mine, task_id = counsellor(town), town.relapse("T-2")
    assert "Geef de taak aan een collega" not in mine.get(f"/taken/{task_id}").text
    assert mine.report(task_id, "REASSIGNED", collega="sh-8").status_code == 409
    assert mine.report(task_id, "REASSIGNED", collega=COUNSELLOR).status_code == 409
    assert town.kafka.records == []


def test_another_report_names_no_colleague(town: Town) -> None:
    answer = counsellor(town).report(town.relapse("T-1"), "ACCEPTED", collega="sh-8")
    assert answer.status_code == 409
    assert town.kafka.records == []


def rows_read(node: dict[str, Any]) -> float:
    """How many rows of tables a plan that was carried out has read."""
    own = node["Actual Rows"] * node["Actual Loops"] if "Relation Name" in node else 0.0
    return float(own) + sum(map(rows_read, node.get("Plans", ())))


def test_colleagues_are_found_without_reading_every_task_and_trajectory(town: Town) -> None:
    with town.engine.begin() as connection:
        for statement in (RUN, HAVE, "ANALYZE tasks, trajectories"):
            connection.execute(text(statement), {"code": MUNICIPALITY})
    with scoped(town.engine, RowScope(frozenset({MUNICIPALITY}))) as connection:
        known = colleagues.known_counsellors(connection, MUNICIPALITY)
        explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {colleagues._KNOWN}")
        told = connection.execute(explain, {"municipality": MUNICIPALITY}).scalar_one()
    assert set(known) >= {f"{how}-{n}" for n in range(49) for how in ("run", "has")}
    assert known == sorted(known)
    assert rows_read(told[0]["Plan"]) < 2 * len(known)
