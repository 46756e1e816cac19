"""Login, forms and logout of the pages, against the development login: the whole code flow over HTTP."""

import re
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import Depends, FastAPI, Form
from fastapi.responses import HTMLResponse, Response
from fastapi.testclient import TestClient
from signaalwissel.security.development_login import PATH, DevelopmentLogin
from signaalwissel.security.http_app import bare_app
from signaalwissel.security.http_auth import trusted_issuers
from signaalwissel.security.http_middleware import Bounds, page_policy
from signaalwissel.security.http_sessions import WebSessions, _local, install_login
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.oidc_login import OidcLogin
from signaalwissel.security.sessions import Ended, EndedHere, EndsAway, Session, Sessions
from signaalwissel.security.tokens import Tokens

BASE = "http://127.0.0.1:8090"
CHOICE = {"role": "counsellor", "municipality": "0344", "counsellor_id": "c-7", "team": "team-oost"}


def pages(ended: Ended | None = None) -> FastAPI:
    provider = DevelopmentLogin(BASE, ["0344", "0363"])
    access = provider.access()
    assert access.login is not None
    app = bare_app("pages", Bounds(policy=page_policy(access.login)))
    tokens = Tokens(trusted_issuers(access, lambda _: provider.keys))
    login = OidcLogin(access.login, tokens, BASE + "/inloggen/terug", httpx.ASGITransport(app))
    web = WebSessions(Sessions(["x" * 32], ended), login, RateLimit(100, 100), secure=False)
    app.include_router(web.router())
    app.include_router(provider.router())
    install_login(app)

    @app.get("/taken")
    async def tasks(session: Annotated[Session, Depends(web.session)]) -> Response:
        principal = session.principal
        return HTMLResponse(
            f"{[role.value for role in principal.roles]} {sorted(principal.municipalities)} {principal.counsellor_id}"
            f" {sorted(principal.teams)} <token>{session.csrf_token}</token>"
        )

    @app.post("/klaar")
    async def done(
        session: Annotated[Session, Depends(web.form_session)], what: Annotated[str, Form()]
    ) -> dict[str, Any]:
        return {"done": what, "by": session.principal.counsellor_id}

    return app


@pytest.fixture
def browser() -> TestClient:
    return TestClient(pages(), base_url=BASE, follow_redirects=False)


def to_provider(browser: TestClient, then: str = "/taken") -> dict[str, str]:
    """Go to the provider; the fields of its form."""
    answer = browser.get("/inloggen", params={"then": then})
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))


def choose(browser: TestClient, kept: dict[str, str], **choice: str) -> str:
    answer = browser.post(f"{PATH}/kiezen", data={**kept, **CHOICE, **choice})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def log_in(browser: TestClient, **choice: str) -> httpx.Response:
    return browser.get(choose(browser, to_provider(browser), **choice))


def csrf(browser: TestClient) -> str:
    found = re.search("<token>(.*)</token>", browser.get("/taken").text)
    assert found is not None
    return found[1]


def test_who_is_not_logged_in_goes_to_the_login_and_comes_back(browser: TestClient) -> None:
    answer = browser.get("/taken")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/inloggen?then=/taken"
    answer = log_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/taken")
    page = browser.get("/taken")
    assert "['counsellor'] ['0344'] c-7 ['team-oost']" in page.text


def test_the_cookie_is_for_the_server_alone(browser: TestClient) -> None:
    cookie = log_in(browser).headers.get_list("set-cookie")[0]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    renewed = browser.get("/taken").headers.get_list("set-cookie")
    assert len(renewed) == 1
    assert renewed[0].startswith("signaalwissel=")


def test_over_tls_the_cookie_is_bound_to_host_and_tls() -> None:
    web = WebSessions(Sessions(["x" * 32]), None, RateLimit(1, 1))  # type: ignore[arg-type]
    response = Response()
    web._put(response, web.cookie, "v")
    assert response.headers["set-cookie"].startswith("__Host-signaalwissel=v;")
    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize("changed", ["state", "code", "none"])
def test_a_return_that_was_not_asked_for_is_refused(browser: TestClient, changed: str) -> None:
    location = urlsplit(choose(browser, to_provider(browser)))
    asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    asked = {} if changed == "none" else {**asked, changed: "x"}
    answer = browser.get(location.path, params=asked)
    assert answer.status_code == 401
    assert "signaalwissel=" not in answer.headers.get("set-cookie", "")


def test_a_return_in_another_browser_is_refused(browser: TestClient) -> None:
    location = choose(browser, to_provider(browser))
    browser.cookies.clear()
    assert browser.get(location).status_code == 401


def test_a_code_counts_once(browser: TestClient) -> None:
    location = choose(browser, to_provider(browser))
    kept = browser.cookies.get("signaalwissel-login")
    assert kept is not None
    assert browser.get(location).status_code == 303
    browser.cookies.set("signaalwissel-login", kept)
    assert browser.get(location).status_code == 401


def test_a_stolen_code_is_worth_nothing_without_the_verifier(browser: TestClient) -> None:
    location = choose(browser, to_provider(browser))
    code = parse_qs(urlsplit(location).query)["code"][0]
    for verifier in ("", "x" * 64):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": BASE + "/inloggen/terug",
        }
        assert browser.post(f"{PATH}/token", data=form).status_code == 400


def test_a_form_of_our_own_page_is_taken(browser: TestClient) -> None:
    log_in(browser)
    answer = browser.post("/klaar", data={"what": "t-1", "csrf_token": csrf(browser)})
    assert answer.json() == {"done": "t-1", "by": "c-7"}


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        (None, {}),
        ("", {}),
        ("x" * 43, {}),
        ("good", {"origin": "https://evil.example"}),
        ("good", {"origin": "null"}),
        ("good", {"sec-fetch-site": "cross-site"}),
        ("good", {"sec-fetch-site": "same-site"}),
    ],
)
def test_a_form_from_elsewhere_is_refused(
    browser: TestClient, token: str | None, headers: dict[str, str]
) -> None:
    log_in(browser)
    form = {"what": "t-1", "csrf_token": csrf(browser) if token == "good" else token}
    answer = browser.post(
        "/klaar", data={name: value for name, value in form.items() if value is not None}, headers=headers
    )
    assert answer.status_code == 403


def test_a_token_of_another_session_is_refused(browser: TestClient) -> None:
    log_in(browser)
    other = csrf(browser)
    log_in(browser)
    assert browser.post("/klaar", data={"what": "t", "csrf_token": other}).status_code == 403


def test_after_the_logout_the_cookie_is_gone_and_worth_nothing(browser: TestClient) -> None:
    log_in(browser)
    token = csrf(browser)
    cookie = browser.cookies.get("signaalwissel")
    assert cookie is not None
    answer = browser.post("/uitloggen", data={"csrf_token": token})
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert browser.cookies.get("signaalwissel") is None
    browser.cookies.set("signaalwissel", cookie)
    assert browser.get("/taken").status_code == 303


def test_a_logout_needs_a_form_of_ours(browser: TestClient) -> None:
    log_in(browser)
    assert browser.post("/uitloggen").status_code == 403
    assert browser.get("/uitloggen").status_code == 405


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nset-cookie: x=y",
        "/" + "x" * 501,
        "///evil.example",
    ],
)
def test_a_login_never_ends_on_another_site(then: str) -> None:
    assert _local(then) == "/"


def test_a_login_ends_on_the_page_that_was_asked_for() -> None:
    assert _local("/taken?status=OPEN") == "/taken?status=OPEN"


@pytest.mark.parametrize("uri", ["https://evil.example/x", BASE + ".evil.example/x", ""])
def test_the_development_login_sends_codes_to_ourselves_only(browser: TestClient, uri: str) -> None:
    kept = to_provider(browser)
    answer = browser.post(f"{PATH}/kiezen", data={**kept, **CHOICE, "redirect_uri": uri})
    assert answer.status_code == 400
    assert "code=" not in answer.headers.get("location", "")


def test_pages_have_their_own_policy(browser: TestClient) -> None:
    policy = browser.get("/taken").headers["content-security-policy"]
    assert f"form-action 'self' {BASE}" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_provider_that_is_away_is_told_as_such() -> None:
    def gone(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    provider = DevelopmentLogin(BASE, ["0344"])
    access = provider.access()
    assert access.login is not None
    app = bare_app("pages", Bounds())
    login = OidcLogin(access.login, Tokens(trusted_issuers(access)), BASE + "/x", httpx.MockTransport(gone))
    web = WebSessions(Sessions(["x" * 32]), login, RateLimit(100, 100), secure=False)
    app.include_router(web.router())
    browser = TestClient(app, base_url=BASE, follow_redirects=False)
    state = parse_qs(urlsplit(browser.get("/inloggen").headers["location"]).query)["state"][0]
    assert browser.get("/inloggen/terug", params={"state": state, "code": "c"}).status_code == 503


def test_after_the_logout_the_cookie_is_worth_nothing_in_another_process_either() -> None:
    ended = EndedHere()
    here, there = (TestClient(pages(ended), base_url=BASE, follow_redirects=False) for _ in range(2))
    log_in(here)
    token = csrf(here)
    kept = here.cookies.get("signaalwissel")
    assert kept is not None
    there.cookies.set("signaalwissel", kept)
    assert there.get("/taken").status_code == 200
    assert here.post("/uitloggen", data={"csrf_token": token}).status_code == 303
    assert there.get("/taken").headers["location"] == "/inloggen?then=/taken"


def test_a_new_login_ends_the_session_of_before(browser: TestClient) -> None:
    log_in(browser)
    kept = browser.cookies.get("signaalwissel")
    assert kept is not None
    log_in(browser, counsellor_id="c-8")
    browser.cookies.clear()
    browser.cookies.set("signaalwissel", kept)
    assert browser.get("/taken").status_code == 303


class _Away(EndedHere):
    away = False

    def latest_s(self, digests: Sequence[bytes]) -> int | None:
        if self.away:
            raise EndsAway("PostgreSQL: gone")
        return super().latest_s(digests)


def test_where_nobody_can_tell_whether_a_session_was_ended_nothing_is_shown() -> None:
    ended = _Away()
    browser = TestClient(pages(ended), base_url=BASE, follow_redirects=False)
    log_in(browser)
    token = csrf(browser)
    ended.away = True
    assert browser.get("/taken").status_code == 503
    assert browser.post("/klaar", data={"csrf_token": token, "what": "x"}).status_code == 503
    assert browser.post("/uitloggen", data={"csrf_token": token}).status_code == 503


def test_who_logged_in_and_out_stands_in_the_log(
    browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="signaalwissel")
    log_in(browser)
    browser.post("/uitloggen", data={"csrf_token": csrf(browser)})
    told = [record.getMessage().partition(" (request")[0] for record in caplog.records]
    assert [one.split(":")[0] for one in told if one.startswith("logged")] == ["logged in", "logged out"]
    assert all("counsellor/0344/c-7" in one for one in told if one.startswith("logged"))
