"""Mending a dead letter on the pages: who may, what they see, and that every look goes through the record."""

import pytest
from signaalwissel.console.mending import MASK
from signaalwissel.console.replaying import NotReplayable
from signaalwissel.processors.access import Role

from tests.console.webpages.web_support import BSN, NAME, OTHER, RECORD, TEAM, Town


def test_the_privacy_officer_sees_the_letters_of_the_municipality_alone(town: Town) -> None:
    page = town.visitor(Role.PRIVACY_OFFICER).get("/berichten").text
    assert "/berichten/d1" in page
    assert "/berichten/d2" not in page
    assert "/berichten/d3" not in page
    assert "W-1" not in town.visitor(Role.PRIVACY_OFFICER).get("/berichten", nummer="W-2").text


def test_a_letter_opens_masked_and_under_the_name_of_whoever_logged_in(town: Town) -> None:
    officer = town.visitor(Role.PRIVACY_OFFICER)
    assert "Open en herstel" in officer.get("/berichten/d1").text
    assert town.letters.done == []
    page = officer.post("/berichten/d1/openen").text
    assert town.letters.done == [("look", "d1", officer.subject)]
    assert BSN not in page
    assert NAME not in page
    assert page.count(f'value="{MASK}"') == 2
    assert 'value="-1.00"' in page


def test_what_is_filled_in_is_sent_and_the_rest_stays_as_it_was(town: Town) -> None:
    officer = town.visitor(Role.PRIVACY_OFFICER)
    answer = officer.post(
        "/berichten/d1/herstel", arrears="1.00", **{"subject.bsn": MASK, "subject.birth_date": "1980-01-01"}
    )
    assert answer.headers["location"] == "/berichten/d1?gedaan=herstel"
    assert town.letters.sent == [
        {**RECORD, "arrears": "1.00", "subject": {**RECORD["subject"], "birth_date": "1980-01-01"}}
    ]
    assert town.letters.done[-1] == ("mend", "d1", officer.subject)
    assert "Het herstelde bericht is aangeboden" in officer.get("/berichten/d1", gedaan="herstel").text


@pytest.mark.parametrize("path", ["/berichten/d1/openen", "/berichten/d1/herstel"])
def test_nobody_else_opens_or_mends(town: Town, path: str) -> None:
    people = [
        town.visitor(Role.OPERATOR),
        town.visitor(Role.TEAM_LEAD, team=TEAM),
        town.visitor(Role.COUNSELLOR, counsellor_id="sh-7", team=TEAM),
        town.visitor(Role.PRIVACY_OFFICER, municipality=OTHER),
    ]
    for visitor in people:
        assert visitor.post(path).status_code == 404
    assert town.letters.done == []


def test_of_a_letter_of_which_nobody_knows_whose_it_is_nothing_opens(town: Town) -> None:
    assert town.visitor(Role.PRIVACY_OFFICER).post("/berichten/d3/openen").status_code == 404
    assert "Open en herstel" not in town.visitor(Role.OPERATOR).get("/berichten/d1").text


def test_what_would_be_refused_again_is_said_so_and_what_was_filled_in_stays(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise NotReplayable("dead letter d1: arrears: must be more than zero")

    monkeypatch.setattr(town.letters, "mend", refuse)
    answer = town.visitor(Role.PRIVACY_OFFICER).post("/berichten/d1/herstel", arrears="0.00")
    assert answer.status_code == 409
    assert "must be more than zero" in answer.text
    assert 'value="0.00"' in answer.text


def test_the_privacy_officer_neither_replays_nor_parks(town: Town) -> None:
    officer = town.visitor(Role.PRIVACY_OFFICER)
    assert "Bied opnieuw aan" not in officer.get("/berichten/d1").text
    assert officer.post("/berichten/d1", actie="opzij").status_code == 403
