"""A task and what is reported on it: what a report becomes, and what is shown before it is applied."""

from datetime import timedelta

import pytest
from signaalwissel.processors.access import Role
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.followup import ContactChannel, TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.routing import Candidate
from sqlalchemy import text

from tests.console.webpages.web_support import COUNSELLOR, TEAM, Town, counsellor
from tests.processors.followup_support import address_only
from tests.sinks.sink_support import POLICIES

PLAN = (
    "INSERT INTO tasks (task_id, version, kind, status, municipality, trajectory_id, assignee, team, due_on, opened_on,"
    " policy_version) VALUES ('plan-1', 1, 'EVALUATE_PLAN', 'OPEN', '0344', 'T-1', :who, :team, current_date,"
    " current_date, :version)"
)


def test_a_task_tells_why_it_came_and_puts_the_look_on_record(town: Town) -> None:
    task_id = town.relapse("T-1")
    mine = counsellor(town)
    page = mine.get(f"/taken/{task_id}")
    assert page.status_code == 200
    for told in (
        "Terugval: neem contact op",
        "nieuwe betalingsachterstand",
        "€ 500,00",
        "bedreigend",
        "Signaal s-1",
    ):
        assert told in page.text
    assert town.events("RECORD_CONSULTED") == [(mine.subject, f"task {task_id}")]


def test_a_report_goes_onto_kafka_and_the_page_shows_what_it_will_do(town: Town) -> None:
    task_id = town.relapse("T-1")
    mine = counsellor(town)
    answer = mine.report(task_id, "CONTACT_MADE", kanaal="PHONE", resultaat="PAID_OR_ARRANGED")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/taken/{task_id}?gemeld=true")
    (update,) = town.kafka.updates
    assert (update.kind, update.channel, update.by) == (
        TaskUpdateKind.CONTACT_MADE,
        ContactChannel.PHONE,
        COUNSELLOR,
    )
    assert town.kafka.records[0][0] == task_id.encode()
    page = mine.get(f"/taken/{task_id}", gemeld="true").text
    assert "Uw melding is aangekomen" in page
    assert "wordt verwerkt" in page
    assert "Wat wilt u melden?" not in page
    town.office.store(updates=[update])
    page = mine.get(f"/taken/{task_id}", gemeld="true").text
    assert "Uw melding is verwerkt" in page
    assert "wordt verwerkt" not in page


def test_a_form_sent_twice_counts_once(town: Town) -> None:
    task_id = town.relapse("T-1")
    mine = counsellor(town)
    for _ in range(2):
        assert mine.report(task_id, "CONTACT_ATTEMPTED", kanaal="PHONE").status_code == 303
    (update,) = town.kafka.updates
    town.office.store(updates=[update])
    assert mine.report(task_id, "CONTACT_ATTEMPTED", kanaal="PHONE").status_code == 303
    assert len(town.kafka.updates) == 1
    assert mine.report(task_id, "CONTACT_ATTEMPTED", version=2, kanaal="PHONE").status_code == 303
    assert len({one.update_id for one in town.kafka.updates}) == 2


def test_without_kafka_the_page_says_that_nothing_was_recorded(town: Town) -> None:
    town.kafka.away = True
    answer = counsellor(town).report(town.relapse("T-1"), "CONTACT_ATTEMPTED", kanaal="PHONE")
    assert answer.status_code == 503
    assert "Uw melding is niet aangekomen" in answer.text
    assert "Uw melding is aangekomen" not in answer.text


def test_a_task_of_a_colleague_is_read_and_not_changed(town: Town) -> None:
    task_id = town.relapse("T-2")
    mine = counsellor(town)
    assert "Melden kan alleen wie de taak heeft" in mine.get(f"/taken/{task_id}").text
    assert mine.report(task_id, "CONTACT_ATTEMPTED", kanaal="PHONE").status_code == 409
    assert town.kafka.records == []


def test_who_leads_the_team_takes_a_task_over(town: Town) -> None:
    task_id = town.relapse("T-2")
    lead = town.visitor(Role.TEAM_LEAD, counsellor_id="sh-1", team=TEAM)
    assert lead.report(task_id, "REASSIGNED").status_code == 303
    assert [one.by for one in town.kafka.updates] == ["sh-1"]


def test_a_task_goes_back_to_the_team_and_from_there_to_a_colleague(town: Town) -> None:
    task_id = town.relapse("T-1")
    assert counsellor(town).report(task_id, "REJECTED").status_code == 303
    town.office.store(updates=town.kafka.updates)
    assert counsellor(town, "sh-9").report(task_id, "ACCEPTED", version=2).status_code == 303
    town.office.store(updates=town.kafka.updates[1:])
    (task,) = [one for one in town.office.tasks() if one.task_id == task_id]
    assert task.assignee == "sh-9"


def identity_to_check(town: Town, *candidates: Candidate) -> Task:
    """The task of somebody of whom only the address is known to match."""
    received = town.today - timedelta(days=1)
    town.office.store(address_only("s-9", candidates, received_on=received))
    (task,) = [one for one in town.office.tasks() if one.kind is TaskKind.VERIFY_IDENTITY]
    return task


@pytest.mark.parametrize("answer", ["IDENTITY_CONFIRMED", "IDENTITY_REFUTED"])
def test_whether_it_is_the_client_is_answered_on_the_page(town: Town, answer: str) -> None:
    asked = identity_to_check(town, Candidate("T-1", 0))
    task_id, mine = asked.task_id, counsellor(town, team=asked.team)
    assert 'value="0 T-1"' in mine.get(f"/taken/{task_id}").text
    assert mine.report(task_id, answer, kandidaat="0 T-1").status_code == 303
    (update,) = town.kafka.updates
    assert (update.kind, update.trajectory_id, update.client) == (answer, "T-1", 0)
    town.office.store(updates=[update])
    (task,) = [one for one in town.office.tasks() if one.task_id == task_id]
    assert task.status is TaskStatus.DONE


def test_of_several_clients_the_one_who_is_meant_must_be_chosen(town: Town) -> None:
    asked = identity_to_check(town, Candidate("T-1", 0), Candidate("T-2", 1))
    answer = counsellor(town, team=asked.team).report(asked.task_id, "IDENTITY_CONFIRMED")
    assert answer.status_code == 409
    assert "Kies om welke cliënt het gaat." in answer.text
    assert town.kafka.records == []


def test_an_evaluated_plan_is_reported_on_the_page_and_ends_the_task(town: Town) -> None:
    with town.engine.begin() as connection:
        connection.execute(text(PLAN), {"who": COUNSELLOR, "team": TEAM, "version": POLICIES.default.version})
    mine = counsellor(town)
    assert "Evalueer het plan van aanpak" in mine.get("/taken").text
    assert mine.report("plan-1", "PLAN_EVALUATED").status_code == 303
    town.office.store(updates=town.kafka.updates)
    (task,) = [one for one in town.office.tasks() if one.task_id == "plan-1"]
    assert task.status is TaskStatus.DONE


IMPOSSIBLE = [
    ("CONTACT_ATTEMPTED", {}, 409),
    ("PLAN_EVALUATED", {}, 409),
    ("IDENTITY_CONFIRMED", {"kandidaat": "0 T-1"}, 409),
    ("ONZIN", {}, 400),
    ("CONTACT_MADE", {"kanaal": "ROOKSIGNAAL"}, 400),
    ("CONTACT_MADE", {"kanaal": "PHONE", "resultaat": "ONZIN"}, 400),
    ("IDENTITY_CONFIRMED", {"kandidaat": "nul T-1"}, 400),
]


def test_a_report_that_cannot_be_is_refused_before_kafka(town: Town) -> None:
    mine, task_id = counsellor(town), town.relapse("T-1")
    for kind, fields, status in IMPOSSIBLE:
        assert mine.report(task_id, kind, **fields).status_code == status, (kind, fields)
    assert town.kafka.records == []


def test_a_form_from_elsewhere_or_without_our_token_is_refused(town: Town) -> None:
    mine = counsellor(town)
    path = f"/taken/{town.relapse('T-1')}/melding"
    fields = {"soort": "ACCEPTED", "versie": "1"}
    assert mine.browser.post(path, data=fields).status_code == 403
    assert mine.browser.post(path, data={**fields, "csrf_token": "x"}).status_code == 403
    elsewhere = {"sec-fetch-site": "cross-site"}
    told = {**fields, "csrf_token": mine.token()}
    assert mine.browser.post(path, data=told, headers=elsewhere).status_code == 403
    assert town.kafka.records == []
