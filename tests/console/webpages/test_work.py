"""The work list: who sees which tasks, and in which order."""

import re

from signaalwissel.processors.access import Role
from signaalwissel.sinks import work_list
from signaalwissel.sinks.row_security import RowScope, scoped
from signaalwissel.sinks.work_list import Wanted, work_page
from sqlalchemy import text

from tests.console.webpages.web_support import COUNSELLOR, MUNICIPALITY, OTHER, TEAM, Town, counsellor


def test_nobody_sees_anything_before_the_login(town: Town) -> None:
    for path in ("/", "/taken", "/signalen", "/dossiers", "/uitval", "/berichten", "/beheer"):
        answer = town.client().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/inloggen?then={path}")


def test_a_counsellor_sees_their_own_tasks_first_and_those_of_the_team_on_request(town: Town) -> None:
    mine = counsellor(town)
    page = mine.get("/taken").text
    assert "traject T-1" in page
    assert "traject T-2" not in page
    team = mine.get("/taken", van="team").text
    assert {"T-1", "T-2", "T-3"} == set(re.findall(r"traject (T-\d)", team))


def test_another_municipality_is_not_there(town: Town) -> None:
    page = counsellor(town).get("/taken", van="team").text
    assert "T-4" not in page
    assert counsellor(town).get(f"/taken/{town.relapse('T-4')}").status_code == 404
    lead = town.visitor(Role.TEAM_LEAD, municipality=OTHER, team=TEAM)
    assert "T-4" in lead.get("/taken", van="gemeente").text


def test_a_list_that_is_not_theirs_is_refused(town: Town) -> None:
    assert counsellor(town).get("/taken", van="gemeente").status_code == 403
    assert town.visitor(Role.OPERATOR).get("/taken").status_code == 403


def test_somebody_without_number_and_team_is_told_so(town: Town) -> None:
    answer = town.visitor(Role.COUNSELLOR).get("/taken")
    assert answer.status_code == 200
    assert "Er is nog geen lijst voor u" in answer.text


def test_a_page_follows_where_the_last_one_ended(town: Town) -> None:
    with town.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (task_id, version, kind, status, municipality, assignee, team, due_on, opened_on,"
                " policy_version) SELECT 'many-' || n, 1, 'EVALUATE_PLAN', 'OPEN', :code, :who, :team,"
                " current_date + n, current_date, 'v' FROM generate_series(1, 40) AS n"
            ),
            {"code": MUNICIPALITY, "who": COUNSELLOR, "team": TEAM},
        )
    mine = counsellor(town)
    first = mine.get("/taken")
    link = re.search(r'href="(/taken\?van=mijn&amp;na=[^"]+)"', first.text)
    assert link is not None
    second = mine.browser.get(link[1].replace("&amp;", "&"))
    seen = [set(re.findall(r'href="/taken/([\w-]+)"', page.text)) for page in (first, second)]
    assert [len(one) for one in seen] == [25, 16]
    assert not seen[0] & seen[1]
    assert "Volgende taken" not in second.text


def test_a_place_in_the_list_that_cannot_be_is_a_400_and_never_a_defect(town: Town) -> None:
    mine = counsellor(town)
    for after in ("morgen", "2026-99-01 x", " ", "9999-12-31\x00"):
        assert mine.get("/taken", na=after).status_code == 400, after
    assert mine.get("/taken", na="9999-12-31 x\x00y").status_code == 200


def test_a_page_of_many_tasks_walks_an_index(town: Town) -> None:
    with town.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (task_id, version, kind, status, municipality, assignee, team, due_on, opened_on,"
                " policy_version) SELECT 'many-' || n, 1, 'EVALUATE_PLAN', 'OPEN', '0344', 'sh-' || n % 50,"
                " 'team-' || n % 10, current_date + n % 90, current_date, 'v' FROM generate_series(1, 20000) AS n"
            )
        )
        connection.execute(text("ANALYZE tasks"))
    for wanted in (
        Wanted([MUNICIPALITY], assignee="sh-7"),
        Wanted([MUNICIPALITY], teams=["team-3", "team-4"]),
        Wanted([MUNICIPALITY]),
    ):
        given = {**wanted.parameters(), "due_on": town.today, "task_id": "", "most": 26}
        with scoped(town.engine, RowScope(frozenset({MUNICIPALITY}))) as connection:
            assert len(work_page(connection, wanted).rows) == 25
            statement = text(f"EXPLAIN {work_list._PAGE[wanted.place]}")
            plan = "\n".join(connection.execute(statement, given).scalars())
        assert "ix_tasks_work_list" in plan, plan
        assert "Seq Scan on tasks" not in plan, plan
