"""The other pages, role by role; and what holds for every page."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from signaalwissel.console.accounting import Accounting
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.findings import fine, wrong
from signaalwissel.console.webpages.parts import FOLDER
from signaalwissel.processors.access import Role
from signaalwissel.schemas.routing import DebtTiming
from signaalwissel.schemas.signal import Partner, PartnerKind
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text

from tests.console.webpages.web_support import BSN, NAME, OTHER, PHONE, TEAM, Town, Visitor, counsellor

PEOPLE = [Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER, Role.OPERATOR]
ALLOWED = {
    "/taken": {Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/signalen": {Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/dossiers": {Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/uitval": {Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/cijfers": {Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/cijfers/partners": {Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/beleid": {Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER},
    "/berichten": {Role.OPERATOR, Role.PRIVACY_OFFICER},
    "/beheer": {Role.OPERATOR},
}
UNDER_ANOTHER = {"/cijfers/partners"}
"""Pages that are reached from another page and not from the menu."""


def person(town: Town, role: Role, **changes: str) -> Visitor:
    if role is Role.COUNSELLOR:
        return counsellor(town)
    return town.visitor(role, **{"team": TEAM, **changes})


def test_a_page_opens_for_whoever_may_and_stands_in_their_menu_only(town: Town) -> None:
    for role in PEOPLE:
        visitor = person(town, role)
        for path, roles in ALLOWED.items():
            answer = visitor.get(path)
            assert answer.status_code == (200 if role in roles else 403), (role, path)
            menu = answer.text.split('aria-label="Hoofdmenu"')[1].split("</nav>")[0]
            assert set(re.findall(r'href="(/\w+)"', menu)) == {
                one for one, who in ALLOWED.items() if role in who and one not in UNDER_ANOTHER
            }


def test_every_page_has_no_inline_script_and_our_headers(town: Town) -> None:
    mine = counsellor(town)
    for path in (
        "/taken",
        f"/taken/{town.relapse('T-1')}",
        "/signalen?nummer=s-1",
        "/dossiers?traject=T-1",
        "/nergens",
    ):
        answer = mine.get(path) if "?" not in path else mine.browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
        assert re.findall(r"\son\w+=|\sstyle=|<style", answer.text) == []
        assert '<html lang="nl"' in answer.text


def test_an_error_is_a_page_with_a_number_to_ask_about(town: Town) -> None:
    answer = counsellor(town).get("/taken/nergens")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["x-correlation-id"] in answer.text


def test_what_partners_and_residents_are_called_is_text_and_never_markup(town: Town) -> None:
    town.office.store(town.decision("<b>x</b>", trajectory_id="<i>T</i>"))
    page = (
        town.visitor(Role.TEAM_LEAD, team=TEAM).browser.get("/signalen", params={"nummer": "<b>x</b>"}).text
    )
    assert "&lt;i&gt;T&lt;/i&gt;" in page
    assert "<i>T</i>" not in page
    assert "<b>x</b>" not in page


def test_a_journey_tells_what_was_decided_and_why_and_who_looked(town: Town) -> None:
    mine, officer = counsellor(town), person(town, Role.PRIVACY_OFFICER)
    page = mine.get("/signalen", nummer="s-1").text
    for told in (
        "Naar de schuldhulpverlener: er loopt een traject",
        "burgerservicenummer",
        "Terugval: neem contact op",
    ):
        assert told in page
    assert "Wie keek" not in page
    page = officer.get("/signalen", nummer="s-1").text
    assert "Wie keek" in page
    assert mine.subject.split("#")[1] in page
    assert len(town.events("RECORD_CONSULTED")) == 2


def test_a_signal_of_somebody_else_is_not_there_and_no_look(town: Town) -> None:
    page = counsellor(town, "sh-99", "team-west").get("/signalen", nummer="s-1").text
    assert "Er is geen signaal met dit nummer" in page
    elsewhere = person(town, Role.TEAM_LEAD, municipality=OTHER).get("/signalen", nummer="s-1").text
    assert "Er is geen signaal met dit nummer" in elsewhere
    assert town.events("RECORD_CONSULTED") == []


def test_a_dossier_is_a_timeline_with_its_window(town: Town) -> None:
    page = counsellor(town).get("/dossiers", traject="T-1").text
    for told in (
        "Aangemeld",
        "Toegelaten",
        "Uitgestroomd",
        "Einde van de terugvalperiode",
        "komt nog",
        "telt als terugval",
    ):
        assert told in page
    assert town.events("RECORD_CONSULTED")[0][1] == "trajectory T-1"
    stranger = counsellor(town, "sh-99", "team-west").get("/dossiers", traject="T-1").text
    assert "Er is geen traject met dit nummer" in stranger


def test_fallout_is_empty_until_a_term_has_passed(town: Town) -> None:
    lead = person(town, Role.TEAM_LEAD)
    assert "De lijst is leeg" in lead.get("/uitval").text
    with town.engine.begin() as connection:
        connection.execute(
            text("UPDATE tasks SET due_on = current_date - 10 WHERE trajectory_id IN ('T-1', 'T-4')")
        )
        connection.execute(text("UPDATE tasks SET next_on = NULL WHERE trajectory_id = 'T-2'"))
    page = lead.get("/uitval").text
    assert "De lijst is leeg" not in page
    assert "Een tot vier weken te laat (1)" in page
    assert "Een taak heeft geen volgende dag" in page
    assert "T-4" not in page


def test_what_takes_long_to_count_is_said_to_be_counted_and_never_to_be_empty(
    database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> None:
    lead = person(Town(database_url, tmp_path / "keys", patience_s=0.0), Role.TEAM_LEAD)
    engine = open_engine(database_url, name="test")
    with engine.begin() as connection:
        # Nothing that reads decisions ends before this does.
        connection.execute(text("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE"))
        for path, empty in (("/uitval", "De lijst is leeg"), ("/cijfers", "Er zijn nog geen cijfers")):
            page = lead.get(path).text
            assert "Dit wordt geteld." in page
            assert f'<a class="utrecht-link" href="{path}' in page
            assert empty not in page
    # A file waits for what is counted; the page shows that again.
    assert "SIGNALS" in lead.get("/cijfers.csv").text
    assert "Dit wordt geteld." not in lead.get("/cijfers").text


def test_figures_of_partners_show_a_month_of_my_municipality_and_no_small_number(town: Town) -> None:
    lead = person(town, Role.TEAM_LEAD)
    after = {"debt_timing": DebtTiming.AFTER_ADMISSION, "arrears": 99_999}
    insurer, other = Partner("zorg-noord", PartnerKind.HEALTH_INSURANCE), Partner("elders", PartnerKind.RENT)
    town.office.store(
        *(town.decision(f"n-{n}", trajectory_id=f"N-{n}", **after) for n in range(12)),
        *(town.decision(f"z-{n}", trajectory_id=f"Z-{n}", partner=insurer, **after) for n in range(3)),
        town.decision("e-1", trajectory_id="E-1", partner=other, municipality=OTHER, **after),
    )
    month = (town.today - timedelta(days=1)).isoformat()[:7]
    page = lead.get("/cijfers/partners", maand=month).text
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page.split("<tbody")[1])
    assert cells == [
        *("zorg-noord", "zorgverzekering", "minder dan 10", "0"),
        *("woonstad", "huur", "12", "0"),
        *("Samen", "", "13 of meer", "0"),
    ]
    assert "elders" not in page
    assert "geen signaal" in lead.get("/cijfers/partners", maand="1999-12").text
    assert lead.get("/cijfers/partners", maand="1999-13").status_code == 400
    assert lead.get("/cijfers/partners", maand="<b>").status_code == 400


def test_sealed_data_opens_for_whoever_may_and_each_opening_is_on_record(town: Town) -> None:
    task_id = town.relapse("T-1")
    mine = counsellor(town)
    assert NAME not in mine.get(f"/taken/{task_id}").text
    page = mine.post(f"/taken/{task_id}/gegevens").text
    assert NAME in page
    assert PHONE in page
    assert BSN not in page
    ((actor, about),) = town.events("SEALED_OPENED")
    assert actor == mine.subject
    assert about.endswith("-0")


def test_sealed_data_stays_closed_for_others(town: Town) -> None:
    for role, status in ((Role.PRIVACY_OFFICER, 403), (Role.OPERATOR, 404)):
        answer = person(town, role).post(f"/taken/{town.relapse('T-1')}/gegevens")
        assert answer.status_code == status, role
        assert NAME not in answer.text
    assert town.events("SEALED_OPENED") == []


def test_nothing_is_shown_of_what_cannot_be_put_on_record(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ServiceAway("the collector does not answer")

    monkeypatch.setattr(Accounting, "account", refuse)
    mine = counsellor(town)
    task_id = town.relapse("T-1")
    for answer in (
        mine.get(f"/taken/{task_id}"),
        mine.post(f"/taken/{task_id}/gegevens"),
        mine.get("/signalen", nummer="s-1"),
        mine.get("/dossiers", traject="T-1"),
    ):
        assert answer.status_code == 503
        assert "niet worden vastgelegd" in answer.text
        assert NAME not in answer.text
        assert "500,00" not in answer.text


def test_dead_letters_are_filtered_shown_masked_and_handled_by_whoever_logged_in(town: Town) -> None:
    operator = person(town, Role.OPERATOR)
    assert {"/berichten/d1", "/berichten/d2", "/berichten/d3"} <= set(
        re.findall(r'href="([^"]+)"', operator.get("/berichten").text)
    )
    assert "/berichten/d2" not in operator.get("/berichten", gemeente="0344").text
    assert "Er zijn geen berichten" in operator.get("/berichten", stand="parked").text
    assert operator.get("/berichten", stand="weg").status_code == 400
    assert "verzegeld" in operator.get("/berichten/d1").text
    for action, done in (("opnieuw", "replay"), ("opzij", "park"), ("terug", "reopen")):
        answer = operator.post("/berichten/d1", actie=action)
        assert answer.headers["location"] == f"/berichten/d1?gedaan={action}"
        assert town.letters.done[-1] == (done, "d1", operator.subject)
    assert operator.post("/berichten/d1", actie="weg").status_code == 400
    assert operator.get("/berichten/d9").status_code == 404
    town.letters.refuses = True
    answer = operator.post("/berichten/d1", actie="opnieuw")
    assert answer.status_code == 409
    assert "Dit kan niet" in answer.text


def test_operations_tells_throughput_latency_lag_processes_and_retention(town: Town) -> None:
    town.findings.append(fine("intake lag", "12 records to be read, the oldest for 3 seconds"))
    with town.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO decisions (routing_id, signal_id, municipality, revision, route, policy_version, decided_at,"
                " partner_id, partner_kind, received_at, last_day) SELECT 'v' || n || '-0', 'v', '0344', 0,"
                " 'REGULAR_FLOW', 'v', now() - interval '1 minute', 'p', 'RENT', now() - interval '4 minutes',"
                " current_date FROM generate_series(1, 600) AS n"
            )
        )
        connection.execute(
            text(
                "INSERT INTO retention_proofs (municipality, kind, destroyed_on, count) VALUES ('0344', 'SIGNAL',"
                " current_date - 1, 7), ('0363', 'SIGNAL', current_date, 5), ('0363', 'SIGNAL', current_date - 90, 90)"
            )
        )
    page = " ".join(re.sub(r"<[^>]+>", " ", person(town, Role.OPERATOR).get("/beheer").text).split())
    for told in (
        "Beslissingen in de laatste 5 minuten 600 (2,0 per seconde)",
        "de helft binnen 3 minuten",
        "intake lag 12 records to be read, the oldest for 3 seconds goed",
        "intake gereed 1.200 regels",
        "matcher niet gereed its tables are restored",
        "sink antwoordt niet",
        "Signalen 12 in 31 dagen",
    ):
        assert told in page, told


def test_operations_tells_what_doctor_finds_and_what_to_do(town: Town) -> None:
    town.findings.append(wrong("clock", "is off", "set SIGNAALWISSEL_CLOCK=database"))
    town.processes[1:] = []
    page = person(town, Role.OPERATOR).get("/beheer").text
    assert "1 punt vraagt aandacht" in page
    assert "set SIGNAALWISSEL_CLOCK=database" in page


def test_a_process_that_is_not_ready_asks_for_attention(town: Town) -> None:
    operator = person(town, Role.OPERATOR)
    page = operator.get("/beheer").text
    assert "2 punten vragen aandacht" in page
    assert "Alles is in orde" not in page
    town.processes[1:] = []
    assert "Alles is in orde" in operator.get("/beheer").text


def test_every_page_of_whoever_logged_in_has_the_logout(town: Town) -> None:
    mine = counsellor(town)
    for path in ("/taken", f"/taken/{town.relapse('T-1')}"):
        assert 'action="/uitloggen"' in mine.get(path).text, path
    for path in ("/signalen?nummer=s-1", "/dossiers?traject=T-1"):
        assert 'action="/uitloggen"' in mine.browser.get(path).text, path


def test_scripts_keep_nothing_in_the_browser() -> None:
    scripts = sorted((FOLDER / "static").rglob("*.js"))
    assert scripts
    for script in scripts:
        keeps = re.findall(
            "localStorage|sessionStorage|indexedDB|document.cookie|postMessage", script.read_text()
        )
        assert keeps == [], script.name


@pytest.mark.parametrize(
    "path", ["/static", "/static/", "/static/vendor", "/static/../app.py", "/static/%2e%2e/app.py"]
)
def test_static_files_are_those_meant_and_no_listing(town: Town, path: str) -> None:
    assert town.client().get(path).status_code == 404


def test_trace_is_no_method_of_ours(town: Town) -> None:
    assert town.client().request("TRACE", "/taken").status_code == 405


@pytest.fixture
def impatient(database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Town:
    """A town whose pages give a statement a fifth of a second."""
    return Town(database_url, tmp_path / "keys", statement_s=0.2)


@pytest.mark.parametrize("page", ["/taken?van=team", "/signalen?nummer=s-1", "/dossiers?traject=T-1"])
def test_a_page_whose_query_hangs_says_that_it_stopped_and_what_to_do(impatient: Town, page: str) -> None:
    visitor = person(impatient, Role.TEAM_LEAD)
    with impatient.engine.begin() as connection:
        connection.execute(text("LOCK TABLE tasks, decisions, trajectories IN ACCESS EXCLUSIVE MODE"))
        answer = visitor.browser.get(page)
    assert answer.status_code == 503
    assert "Dit kan nu niet" in answer.text
    assert "kostte te veel tijd" in answer.text
    assert visitor.browser.get(page).status_code == 200


def test_a_look_that_cannot_be_put_on_record_in_time_shows_nothing(impatient: Town) -> None:
    visitor = person(impatient, Role.TEAM_LEAD)
    with impatient.engine.begin() as connection:
        connection.execute(text("LOCK TABLE audit_events, processing_log IN ACCESS EXCLUSIVE MODE"))
        answer = visitor.get(f"/taken/{impatient.relapse('T-1')}")
    assert answer.status_code == 503
    assert "kan nu niet worden vastgelegd" in answer.text
    assert "Signaal s-1" not in answer.text
