"""The pages do all that they do with the login of their own role, which owns nothing and reads nobody by itself."""

from pathlib import Path

import pytest
from signaalwissel.console.doctor_services import check_database
from signaalwissel.console.web import LetterActions
from signaalwissel.processors.access import Role
from signaalwissel.sinks.database_roles import Role as DatabaseRole

from tests.console.webpages.web_support import COUNSELLOR, NAME, TEAM, Town
from tests.sinks.role_support import as_role, let_in


def own_login(owner_url: str) -> str:
    let_in(owner_url)
    return as_role(owner_url, DatabaseRole.WEB)


@pytest.fixture
def town(database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Town:
    return Town(database_url, tmp_path / "keys", login=own_login)


PAGES = {
    Role.COUNSELLOR: ("/taken?van=team", "/dossiers?traject=T-1", "/signalen?nummer=s-1", "/sessies"),
    Role.TEAM_LEAD: ("/uitval", "/cijfers"),
    Role.PRIVACY_OFFICER: ("/signalen?nummer=s-1", "/cijfers", "/berichten"),
    Role.OPERATOR: ("/beheer", "/berichten", "/berichten/d1"),
}


@pytest.mark.parametrize("role", list(PAGES))
def test_every_page_opens_with_the_login_of_the_pages(town: Town, role: Role) -> None:
    own = {"counsellor_id": COUNSELLOR} if role is Role.COUNSELLOR else {}
    visitor = town.visitor(role, team=TEAM, **own)
    assert {page: visitor.get(page).status_code for page in PAGES[role]} == dict.fromkeys(PAGES[role], 200)


def test_a_look_at_a_person_is_put_on_record_and_shown(town: Town) -> None:
    visitor = town.visitor(Role.COUNSELLOR, counsellor_id=COUNSELLOR, team=TEAM)
    shown = visitor.post(f"/taken/{town.relapse('T-1')}/gegevens")
    assert NAME in shown.text
    assert len(town.events("SEALED_OPENED")) == 1


def test_the_operations_page_counts_over_all_municipalities(town: Town) -> None:
    page = town.visitor(Role.OPERATOR).get("/beheer").text
    assert "<strong>3</strong> vastgelopen berichten" in page
    assert "De database antwoordt niet" not in page


def test_a_dead_letter_is_put_aside_and_taken_up_again(town: Town) -> None:
    actions = LetterActions(town.settings, town.pages_engine, town.keys, None)  # type: ignore[arg-type]
    actions.park("d1", "somebody")
    actions.reopen("d1", "somebody")
    assert [about for _, about in town.events("DEAD_LETTER_REOPENED")] == ["d1"]


def test_what_doctor_looks_at_in_the_database_the_pages_may_look_at(town: Town) -> None:
    found = {one.check: one for one in check_database(town.settings, kafka_answers=False)}
    assert found["postgresql rights"].detail == "as signaalwissel_web; it owns no table"
    assert found["dead letters"].detail == "3 are open"
