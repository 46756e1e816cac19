"""Mijn sessies: people see their own sessions and nobody else's, and end others of their own after a new login."""

import re

import httpx
import pytest
from signaalwissel.processors.access import Role
from sqlalchemy import text

from tests.console.webpages.web_support import COUNSELLOR, TEAM, Town, Visitor

_ANEW = {"then": "/sessies", "opnieuw": "true"}


def me(town: Town) -> Visitor:
    return town.visitor(Role.COUNSELLOR, counsellor_id=COUNSELLOR, team=TEAM)


def log_in_anew(visitor: Visitor, **query: str) -> httpx.Response:
    """Log in as before where the pages ask for it anew; `query` changes what the provider is asked."""
    browser = visitor.browser
    begun = httpx.URL(browser.get("/inloggen", params=_ANEW).headers["location"])
    page = browser.get(begun.copy_merge_params(query))
    kept = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    choice = {"role": "counsellor", "municipality": "0344", "counsellor_id": COUNSELLOR, "team": TEAM}
    answer = browser.post(page.url.copy_with(query=None), data={**kept, **choice})
    return browser.get(answer.headers["location"])


def listed(page: str) -> list[str]:
    return re.findall(r"(Deze sessie|Een andere sessie)</td>", page)


def others(page: str) -> list[str]:
    return re.findall(r'name="sessie" value="([0-9a-f]{64})"', page)


def test_somebody_sees_each_of_their_sessions_and_none_of_others(town: Town) -> None:
    mine, elsewhere = me(town), me(town)
    town.visitor(Role.COUNSELLOR, counsellor_id="sh-8", team=TEAM)
    assert listed(mine.get("/sessies").text) == ["Deze sessie", "Een andere sessie"]
    assert listed(elsewhere.get("/sessies").text) == ["Deze sessie", "Een andere sessie"]
    elsewhere.post("/uitloggen")
    assert listed(mine.get("/sessies").text) == ["Deze sessie"]


def test_the_page_tells_nothing_of_browser_or_machine_and_keeps_nothing_of_them(town: Town) -> None:
    mine = me(town)
    mine.browser.headers["user-agent"] = "Kenmerk/1"
    assert "Kenmerk" not in mine.get("/sessies").text
    with town.engine.connect() as connection:
        columns = connection.execute(text("SELECT * FROM running_sessions")).keys()
    assert set(columns) == {"digest", "person", "began_s", "seen_s"}


def test_without_a_new_login_nothing_can_be_ended(town: Town) -> None:
    mine, elsewhere = me(town), me(town)
    page = mine.get("/sessies").text
    assert 'href="/inloggen?then=/sessies&amp;opnieuw=true"' in page
    assert others(page) == []
    assert mine.post("/sessies", sessie="andere").status_code == 403
    assert elsewhere.get("/sessies").status_code == 200


def test_after_a_new_login_one_is_ended_and_the_rest_go_on(town: Town) -> None:
    mine, first, second = me(town), me(town), me(town)
    assert log_in_anew(mine).headers["location"] == "/sessies"
    found = others(mine.get("/sessies").text)
    assert len(found) == 2
    assert mine.post("/sessies", sessie=found[0]).headers["location"] == "/sessies?gedaan=true"
    assert sorted(one.get("/sessies").status_code for one in (mine, first, second)) == [200, 200, 303]
    assert others(mine.get("/sessies").text) == found[1:]


def test_after_a_new_login_all_others_are_ended_and_ones_own_goes_on(town: Town) -> None:
    mine, first, second = me(town), me(town), me(town)
    colleague = town.visitor(Role.COUNSELLOR, counsellor_id="sh-8", team=TEAM)
    log_in_anew(mine)
    mine.post("/sessies", sessie="andere")
    assert [one.get("/sessies").status_code for one in (first, second, mine, colleague)] == [
        303,
        303,
        200,
        200,
    ]


def test_nobody_ends_a_session_of_somebody_else(town: Town) -> None:
    mine = me(town)
    log_in_anew(mine)
    colleague = town.visitor(Role.COUNSELLOR, counsellor_id="sh-8", team=TEAM)
    with town.engine.connect() as connection:
        every = connection.execute(text("SELECT digest FROM running_sessions")).scalars().all()
    for digest in every:
        mine.post("/sessies", sessie=bytes(digest).hex())
    assert colleague.get("/sessies").status_code == 200
    assert mine.get("/sessies").status_code == 200


@pytest.mark.parametrize("said", ["", "niets", "zz" * 32])
def test_what_is_no_session_is_refused(town: Town, said: str) -> None:
    mine = me(town)
    log_in_anew(mine)
    assert mine.post("/sessies", sessie=said).status_code == 400


def test_a_form_of_another_site_ends_nothing(town: Town) -> None:
    mine, elsewhere = me(town), me(town)
    log_in_anew(mine)
    token = mine.token()
    other_site = {"sec-fetch-site": "cross-site"}
    fields = {"sessie": "andere", "csrf_token": token}
    assert mine.browser.post("/sessies", data=fields, headers=other_site).status_code == 403
    assert mine.browser.post("/sessies", data={"sessie": "andere", "csrf_token": "x"}).status_code == 403
    assert elsewhere.get("/sessies").status_code == 200
