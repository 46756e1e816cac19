"""Cijfers: charts and tables from the audit trail and the tasks, small groups suppressed, and the same as CSV."""

import csv
import io
from datetime import timedelta

from signaalwissel.processors.access import Role
from sqlalchemy import text

from tests.console.webpages.web_support import OTHER, TEAM, Town, Visitor

# Signals beside those of the town, in the present month: 40 over rent, of which 12 are hits, 5 over water.
FILL = """
    INSERT INTO decisions (routing_id, signal_id, municipality, revision, route, reason, policy_version, reference_date,
        decided_at, partner_id, partner_kind, received_at, last_day, trajectory_id, client, window_ends_on)
    SELECT 'x' || n || '-0', 'x' || n, '0344', 0,
        CASE WHEN n <= 12 THEN 'COUNSELLOR_FOLLOWUP' ELSE 'REGULAR_FLOW' END,
        CASE WHEN n <= 12 THEN 'COMPLETED_WITHIN_WINDOW' ELSE 'NO_TRAJECTORY' END,
        (SELECT version FROM policies LIMIT 1), current_date, now(), 'p', CASE WHEN n <= 40 THEN 'RENT' ELSE 'WATER' END,
        now() - interval '1 minute', current_date, CASE WHEN n <= 12 THEN 'X-' || n END, CASE WHEN n <= 12 THEN 0 END,
        CASE WHEN n <= 12 THEN current_date + 40 END
    FROM generate_series(1, 45) AS n
"""
# Twenty contacts that began this month: eleven within three days, nine not yet; twelve went to the team.
TASKS = """
    INSERT INTO tasks (task_id, version, kind, status, municipality, trajectory_id, team, due_on, opened_on, policy_version)
    SELECT 'y' || n, 1, 'CONTACT_ON_RELAPSE', CASE WHEN n <= 11 THEN 'DONE' ELSE 'OPEN' END, '0344', 'Y-' || n, 't',
        current_date, date_trunc('month', current_date), 'v'
    FROM generate_series(1, 20) AS n
"""
MADE = """
    INSERT INTO task_updates (update_id, task_id, kind, occurred_at, by)
    SELECT 'u' || n, 'y' || n, 'CONTACT_MADE', date_trunc('month', current_date) + interval '30 hours', 'c'
    FROM generate_series(1, 11) AS n
"""


def lead(town: Town) -> Visitor:
    return town.visitor(Role.TEAM_LEAD, team=TEAM)


def filled(town: Town) -> Town:
    with town.engine.begin() as connection:
        # The town's own signals came yesterday, which may be another month.
        connection.execute(text("UPDATE tasks SET opened_on = opened_on - 800"))
        for statement in (FILL, TASKS, MADE):
            connection.execute(text(statement))
    return town


def rows(town: Town) -> dict[tuple[str, str, str], str]:
    answer = lead(town).get("/cijfers.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="cijfers-0344.csv"' in answer.headers["content-disposition"]
    month = f"{town.today:%Y-%m}"
    return {
        (row["figure"], "now" if row["month"] == month else row["month"], row["group"]): row["value"]
        for row in csv.DictReader(io.StringIO(answer.text))
    }


def test_signals_hits_contacts_and_relapses_are_counted_and_small_groups_are_not_told(town: Town) -> None:
    found = rows(filled(town))
    assert found["SIGNALS", "now", "WATER"] == "<10"
    assert found["SIGNALS", "now", "RENT"] in {"40", "43"}
    assert found["SIGNALS", "now", ""].startswith(">=")
    assert found["HITS", "now", "WATER"] == "0"
    assert found["HITS", "now", "RENT"] in {"12", "15"}
    assert found["CONTACT", "now", "WITHIN_3_DAYS"] == "11"
    assert found["CONTACT", "now", "NOT_YET"] == "<10"
    assert found["CONTACT", "now", ""] == ">=12"
    # The window of six months ends in 40 days: the exit was four whole months ago.
    assert found["RELAPSE", "", "4"] == "12"


def test_the_page_has_a_chart_and_a_table_for_each_figure(town: Town) -> None:
    page = lead(filled(town)).get("/cijfers").text
    for heading in (
        "Signalen",
        "Naar een schuldhulpverlener",
        "Contact na een terugval",
        "Terugval na afronding",
    ):
        assert f">{heading}</h2>" in page
    assert page.count('<svg class="sw-bars"') >= 4
    assert page.count("<table") >= 4
    assert "&lt; 10" in page
    assert "sw-bar--bound" in page


def test_a_month_whose_signals_are_destroyed_is_not_counted_by_what_is_left(town: Town) -> None:
    filled(town)
    with town.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO retained_figures VALUES ('0344', date_trunc('month', current_date), 'RENT', 'p', 12, 12, 10)"
            )
        )
    assert not [key for key in rows(town) if key[:2] == ("SIGNALS", "now")]


def test_what_is_in_another_municipality_is_not_counted_nor_shown(town: Town) -> None:
    found = rows(town)
    assert "0363" not in str(found)
    assert lead(town).get("/cijfers", gemeente=OTHER).status_code == 403
    assert lead(town).get("/cijfers.csv", gemeente=OTHER).status_code == 403


def test_without_anything_to_count_the_page_says_so(town: Town) -> None:
    with town.engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET opened_on = opened_on - 800"))
        for day in {town.today.replace(day=1), (town.today - timedelta(days=1)).replace(day=1)}:
            connection.execute(
                text("INSERT INTO retained_figures VALUES ('0344', :day, 'RENT', 'p', NULL, NULL, 10)"),
                {"day": day},
            )
    assert "Er zijn nog geen cijfers" in lead(town).get("/cijfers").text
