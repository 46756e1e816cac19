"""Beleid: the whole policy in words, what another one would change, and that nothing on it can change one."""

import re

import pytest
from fastapi.routing import APIRoute
from signaalwissel.console.webpages.policy import PolicyPage
from signaalwissel.console.webpages.policy_words import KINDS, SECTIONS, sections
from signaalwissel.processors.access import Role
from signaalwissel.processors.comparison import KINDS as COMPARED
from signaalwissel.processors.policy_words import MEANINGS

from tests.console.webpages.web_support import OTHER, TEAM, Town, Visitor, counsellor
from tests.sinks.sink_support import POLICIES


def lead(town: Town) -> Visitor:
    return town.visitor(Role.TEAM_LEAD, team=TEAM)


def test_every_setting_stands_there_with_its_meaning_value_and_bounds(town: Town) -> None:
    page = counsellor(town).get("/beleid").text
    for name, meaning in MEANINGS.items():
        assert f"<code>{name}</code>" in page
        assert meaning[1:] in page
    assert "van 1 tot en met 24" in page
    assert POLICIES.default.version in page


def test_every_table_of_the_policy_has_a_heading() -> None:
    assert {section.name for section in sections(POLICIES.default, POLICIES.default)} == set(SECTIONS)


def test_every_kind_of_change_that_a_trial_finds_has_words() -> None:
    assert set(KINDS) == set(COMPARED)


def test_a_shorter_window_sends_the_resident_who_just_completed_to_the_regular_flow(town: Town) -> None:
    visitor = lead(town)
    page = visitor.get("/beleid", bron="recent", **{"window.months": "1"}).text
    assert "van 6 naar 1" in page
    assert "1 van 1 signaal zou anders worden beantwoord" in page
    assert "gaan een andere kant op" in page
    assert "Er is niets gewijzigd" in page
    # Counts alone: no signal of a resident is named, so nothing was looked at.
    assert "s-1" not in page
    assert town.events("RECORD_CONSULTED") == []
    assert "0 van 1 signaal" in visitor.get("/beleid", bron="recent", **{"window.months": "7"}).text


def test_on_a_month_of_nobody_single_signals_are_shown(town: Town) -> None:
    page = lead(town).get("/beleid", bron="voorbeeld", **{"window.months": "1"}).text
    assert re.search(r"[1-9]\d* van \d+ signalen zouden anders", page)
    assert "Voorbeelden van inwoners die niet bestaan" in page


def test_a_policy_past_its_bounds_is_refused_in_the_words_of_its_key(town: Town) -> None:
    answer = lead(town).get("/beleid", bron="recent", **{"window.months": "99"})
    assert answer.status_code == 400
    assert "window.months" in answer.text
    assert 'value="99"' in answer.text


def test_what_is_not_changed_changes_nothing(town: Town) -> None:
    assert "U veranderde niets" in lead(town).get("/beleid", bron="recent").text


def test_who_may_not_see_the_figures_reads_the_policy_and_tries_nothing(town: Town) -> None:
    mine = counsellor(town)
    assert "Een ander beleid proberen" not in mine.get("/beleid").text
    assert mine.get("/beleid", bron="recent").status_code == 403
    assert lead(town).get("/beleid", gemeente=OTHER).status_code == 403
    assert lead(town).get("/beleid", bron="alles").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_page_answers_no_request_that_changes_something(town: Town, method: str) -> None:
    assert counsellor(town).browser.request(method, "/beleid").status_code == 405


def test_nothing_of_the_page_can_write(town: Town) -> None:
    (route,) = PolicyPage(None, None).routes().routes  # type: ignore[arg-type]
    assert isinstance(route, APIRoute)
    assert route.methods == {"GET"}
    before = POLICIES.default.model_dump_json()
    page = lead(town).get("/beleid", bron="voorbeeld", **{"window.months": "2"}).text
    forms = re.findall(r'<form[^>]*action="([^"]+)"', page)
    methods = dict(re.findall(r'<form[^>]*method="(\w+)" action="([^"]+)"', page))
    assert "/beleid" in forms
    assert methods.get("post") != "/beleid"
    assert POLICIES.default.model_dump_json() == before
