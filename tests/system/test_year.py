"""A simulated year: every hit ends in a contact, or visibly with somebody who must act (domain 8.10).

`SIGNAALWISSEL_YEAR_RESIDENTS=100000 pytest tests/system/test_year.py` lives the year of a town of that size.
"""

import os
import time
from datetime import date

import pytest
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.sinks.followup_findings import follow_up_findings
from signaalwissel.sources.generator import generate
from sqlalchemy import text

from tests.system.counsellors import Counsellors
from tests.system.year import Municipality

SEED = 7
FIRST, LAST = date(2026, 1, 1), date(2027, 2, 28)
SIGNALS_PER_RESIDENT = 0.0528
"""4.4 signals for a thousand residents a month (domain 5)."""

TWICE = """
    SELECT task_id FROM (
        SELECT task_id, kind, what, count(*) FILTER (WHERE what = 'REOPENED') OVER so_far AS opening
        FROM task_history JOIN tasks USING (task_id) WINDOW so_far AS (PARTITION BY task_id ORDER BY position)
    ) AS steps
    WHERE what = 'ESCALATED'
    GROUP BY task_id, CASE WHEN kind <> 'CONTACT_ON_RELAPSE' THEN opening END HAVING count(*) > 1
"""
"""One that opens again has a new deadline and a ladder from its beginning; a relapse goes on where it stood."""
NOT_OFFERED = """
    SELECT task_id FROM tasks JOIN task_signals USING (task_id)
    WHERE kind = 'CONTACT_ON_RELAPSE' AND next_on IS NOT NULL AND NOT "left" AND NOT offered AND last_day < :day
"""
DONE_UNSAID = "SELECT task_id FROM tasks WHERE status = 'DONE'"
FIGURES = {
    "signals": "SELECT count(*) FROM decisions WHERE revision = 0",
    "corrections": "SELECT count(*) FROM decisions WHERE revision > 0",
    "hits": "SELECT count(DISTINCT split_part(routing_id, '-', 1)) FROM decisions WHERE route = 'COUNSELLOR_FOLLOWUP'",
    "tasks": "SELECT count(*) FROM tasks",
    "relapse tasks": "SELECT count(*) FROM tasks WHERE kind = 'CONTACT_ON_RELAPSE'",
    "offers": "SELECT count(*) FROM task_signals WHERE offered",
    "contacts": "SELECT count(*) FROM task_history WHERE what = 'CONTACT_MADE'",
    "escalations": "SELECT count(*) FROM task_history WHERE what = 'ESCALATED'",
}


@pytest.mark.timeout(1500)
def test_in_a_year_no_hit_is_left_without_owner_or_next_day_and_none_ends_in_silence(
    database_url: str,
) -> None:
    residents = int(os.environ.get("SIGNAALWISSEL_YEAR_RESIDENTS", "2000"))
    print(f"seed {SEED}, {residents} residents")
    began = time.monotonic()
    signals = int(residents * SIGNALS_PER_RESIDENT)
    lines = list(
        generate(residents, signals, SEED, months=12, municipalities=("0344",), history=0.03, month=FIRST)
    )
    policies = packaged_policies(for_every_code=True)
    people = Counsellors(SEED)
    town = Municipality(database_url, policies, people)
    for day in town.live(lines, FIRST, LAST):
        if day.day == 1:
            assert follow_up_findings(town.engine) == [], day
    with town.engine.connect() as connection:
        figures = {name: connection.execute(text(sql)).scalar_one() for name, sql in FIGURES.items()}
    print(f"{figures}, {time.monotonic() - began:.0f} s")
    assert follow_up_findings(town.engine) == []
    with town.engine.connect() as connection:
        assert connection.execute(text(TWICE)).all() == []
        assert connection.execute(text(NOT_OFFERED), {"day": date(2027, 1, 31)}).all() == []
        done = set(connection.execute(text(DONE_UNSAID)).scalars())
        relapses = connection.execute(text("SELECT count(*) FROM tasks WHERE kind = 'CONTACT_ON_RELAPSE'"))
        assert relapses.scalar_one() > 0
    assert done <= people.said.keys()
