"""Who has no session, or one of another municipality, and requests that nobody thought of: no data out, no defect."""

import re
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from signaalwissel.processors.access import Role
from sqlalchemy import text

from tests.console.webpages.web_support import BSN, COUNSELLOR, MUNICIPALITY, NAME, OTHER, PHONE, TEAM, Town
from tests.security.test_tokens import FORGED
from tests.security.token_support import good

PAGES = (
    "/",
    "/taken",
    "/taken/t-1",
    "/signalen",
    "/dossiers",
    "/uitval",
    "/berichten",
    "/berichten/d1",
    "/beheer",
    "/sessies",
)
PEOPLE = (Role.COUNSELLOR, Role.TEAM_LEAD, Role.PRIVACY_OFFICER)


def test_neither_a_token_nor_a_forged_session_opens_a_page(town: Town) -> None:
    stranger = town.client()
    tokens = [token for token in (good(), *FORGED.values()) if token.isascii() and token.isprintable()]
    for token in tokens:
        for headers in (
            {"authorization": f"Bearer {token}"},
            {"cookie": f"session={token}; __Host-session={token}"},
        ):
            answer = stranger.get("/taken", headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen?then=/taken")
    for page in PAGES:
        assert stranger.get(page).status_code == 303, page


def test_a_form_without_a_session_does_nothing(town: Town) -> None:
    stranger = town.client()
    for path in (
        f"/taken/{town.relapse('T-1')}/melding",
        f"/taken/{town.relapse('T-1')}/gegevens",
        "/berichten/d1",
    ):
        answer = stranger.post(
            path, data={"csrf_token": "x" * 32, "soort": "ACCEPTED", "versie": "1", "actie": "opzij"}
        )
        assert answer.status_code in {303, 401, 403}, path
        assert not {NAME, PHONE, BSN} & set(re.split(r"[\s<>]", answer.text))
    assert town.kafka.records == []
    assert town.letters.done == []


def test_nobody_reaches_what_is_of_another_municipality_by_any_address(town: Town) -> None:
    with town.engine.connect() as connection:
        rows = connection.execute(text("SELECT task_id, trajectory_id, municipality FROM tasks")).all()
    addresses = [(f"/taken/{row.task_id}", row.municipality) for row in rows]
    addresses += [(f"/dossiers?traject={row.trajectory_id}", row.municipality) for row in rows]
    addresses += [("/signalen?nummer=s-1", MUNICIPALITY), ("/signalen?nummer=s-4", OTHER)]
    visitors: dict[tuple[Role, str], Any] = {}
    reached: set[tuple[Role, bool]] = set()

    @given(st.sampled_from(PEOPLE), st.sampled_from((MUNICIPALITY, OTHER)), st.sampled_from(addresses))
    @settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def look(role: Role, municipality: str, address: tuple[str, str]) -> None:
        path, of = address
        key = (role, municipality)
        if key not in visitors:
            own = {"counsellor_id": COUNSELLOR} if role is Role.COUNSELLOR else {}
            visitors[key] = town.visitor(role, municipality=municipality, team=TEAM, **own)
        answer = visitors[key].browser.get(path)
        shown = answer.status_code == 200 and not re.search(r"Er is geen (signaal|traject)", answer.text)
        assert of == municipality or not shown, (role, municipality, path)
        assert not any(secret in answer.text for secret in (NAME, PHONE, BSN))
        reached.add((role, shown))

    look()
    assert {(role, shown) for role in PEOPLE for shown in (True, False)} == reached


def test_requests_that_nobody_thought_of_are_no_defect(town: Town) -> None:
    town.app.add_api_route("/the-document.json", town.app.openapi, methods=["GET"])
    schema = schemathesis.openapi.from_asgi("/the-document.json", town.app)
    visitors = [
        town.visitor(Role.COUNSELLOR, counsellor_id=COUNSELLOR, team=TEAM),
        town.visitor(Role.TEAM_LEAD, team=TEAM),
        town.visitor(Role.OPERATOR),
    ]
    cookies = [
        "; ".join(f"{name}={value}" for name, value in one.browser.cookies.items()) for one in visitors
    ]
    tokens = [one.token() for one in visitors]
    statuses: set[int] = set()
    paths = town.app.openapi()["paths"]
    for path, operation in [(name, one) for name, of in paths.items() for one in of]:

        @given(schema[path][operation.upper()].as_strategy(), st.integers(0, len(visitors) - 1))
        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def ask(case: schemathesis.Case, who: int) -> None:
            if isinstance(case.body, dict):
                case.body["csrf_token"] = tokens[who]
            answer = case.call(headers={"cookie": cookies[who]}, allow_redirects=False)
            assert "Traceback" not in answer.text
            assert answer.headers["x-content-type-options"] == ["nosniff"]
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=[not_a_server_error])

        ask()
    assert statuses >= {200, 303, 400, 404}
