"""What stands around every app: headers, problems without a trace, limits, rights by municipality."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from signaalwissel.security.http_app import bare_app
from signaalwissel.security.http_middleware import Answered, Bounds, page_policy
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.principals import of_claims
from signaalwissel.security.tokens import Verified

from tests.security.token_support import ACCESS, RSA, app, claims, good, header, issuer

SECURE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def bearer(token: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {token or good()}"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/me", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/me", 405),
        ("GET", "/broken", 500),
        ("POST", "/echo", 400),
        ("POST", "/signals/0363/water-west", 403),
    ],
)
def test_every_answer_has_the_headers_and_every_error_is_a_problem(
    method: str, path: str, status: int
) -> None:
    client = TestClient(app(), raise_server_exceptions=False)
    answer = client.request(method, path, headers=bearer())
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURE} == SECURE
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-correlation-id"])
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert {"title", "detail"} <= answer.json().keys()


def test_a_defect_tells_the_client_nothing() -> None:
    answer = TestClient(app(), raise_server_exceptions=False).get("/broken", headers=bearer())
    assert not {"999990019", "Kerkstraat", "ZeroDivision", "Traceback"} & set(re.split(r"\W", answer.text))


@pytest.mark.parametrize("body", ['{"999990019": "x"}', "[1]", "{", '{"a": 1.5}', "\x00", '"999990019"'])
def test_a_body_of_the_wrong_form_is_not_repeated(body: str) -> None:
    answer = TestClient(app()).post("/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert "1.5" not in answer.text


def test_a_correlation_id_of_the_right_form_is_kept_and_any_other_replaced() -> None:
    client = TestClient(app())
    kept = client.get("/me", headers={**bearer(), "x-correlation-id": "order-12345678"})
    assert kept.headers["x-correlation-id"] == "order-12345678"
    for bad in ("short", "x" * 65, "a b c d e f g h", "<script>alert(1)</script>"):
        replaced = client.get("/me", headers={**bearer(), "x-correlation-id": bad})
        assert replaced.headers["x-correlation-id"] != bad


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(chunked: bool) -> None:
    body = b'{"a":' + b" " * 1000 + b"1}"
    content: Any = iter([body[:600], body[600:]]) if chunked else body
    answer = TestClient(app()).post("/echo", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_principal_that_asks_too_often_waits_and_another_does_not() -> None:
    client = TestClient(app(rate=RateLimit(0.1, 3)))
    statuses = [client.get("/me", headers=bearer()).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert int(client.get("/me", headers=bearer()).headers["retry-after"]) in range(1, 12)
    other = jwt.encode(header(), claims(sub="other"), RSA, algorithms=["RS256"])
    assert client.get("/me", headers=bearer(other)).status_code == 200


@given(
    st.sampled_from(["0344", "0363", "0599", "9999"]),
    st.sampled_from(["water-west", "energie-noord"]),
    st.sampled_from(["water-west", "somebody"]),
)
def test_no_program_speaks_for_a_municipality_or_partner_that_is_not_its_own(
    municipality: str, partner: str, subject: str
) -> None:
    token = jwt.encode(header(), claims(sub=subject), RSA, algorithms=["RS256"])
    answer = TestClient(app()).post(f"/signals/{municipality}/{partner}", headers=bearer(token))
    own = (municipality, partner, subject) == ("0344", "water-west", "water-west")
    assert answer.status_code == (200 if own else 403)


@given(
    st.lists(st.sampled_from(["0344", "0363", "0599", "x", "*"])),
    st.lists(st.sampled_from(["sw-counsellor", "sw-lead", "operator", "privacy-officer"])),
)
def test_an_issuer_vouches_for_its_own_municipalities_and_roles_only(
    municipalities: list[str], roles: list[str]
) -> None:
    told = claims(sub="u-1", gemeenten=municipalities, roles=roles)
    principal = of_claims(Verified(issuer(), told))
    assert principal.municipalities == set(municipalities) & {"0344", "0363"}
    assert len(principal.roles) == len(set(roles) & {"sw-counsellor", "sw-lead"})
    assert principal.partners == frozenset()


@pytest.mark.parametrize("odd", [None, 5, {"a": 1}, [1, None], [["sw-lead"]], True])
def test_odd_claims_give_no_rights(odd: Any) -> None:
    told = {**claims(sub="u-1"), "gemeenten": odd, "roles": odd, "teams": odd, "counsellor_id": odd}
    principal = of_claims(Verified(issuer(), told))
    assert (principal.roles, principal.municipalities, principal.counsellor_id) == (
        frozenset(),
        frozenset(),
        None,
    )


def test_a_program_has_the_rights_of_the_file_whatever_its_token_says() -> None:
    told = claims(roles=["sw-lead"], gemeenten=["0363"], teams=["a"])
    principal = of_claims(Verified(issuer(), told))
    assert principal.municipalities == {"0344"}
    assert principal.roles == {"integrator"}


def test_pages_may_lead_to_the_identity_provider_only() -> None:
    assert "form-action 'self';" in page_policy(None)
    assert "frame-ancestors 'none'" in page_policy(ACCESS.login)


def test_a_rate_limit_forgets_the_one_that_rested_longest() -> None:
    now = [0.0]
    limit = RateLimit(1, 2, keys_max=3, clock=lambda: now[0])
    for key in "abcd":
        assert limit.wait_s(key) == 0
    assert len(limit) == 3
    assert [limit.wait_s("d"), limit.wait_s("d")] == [0, 1]
    now[0] += 1
    assert limit.wait_s("d") == 0


def test_what_costs_more_than_a_bucket_leaves_a_debt() -> None:
    now = [0.0]
    limit = RateLimit(10, 10, clock=lambda: now[0])
    assert limit.wait_s("a", 100) == 0
    assert limit.wait_s("a") == 10
    now[0] += 10
    assert limit.wait_s("a") == 0


def test_the_app_serves_no_pages_of_its_own() -> None:
    client = TestClient(app())
    assert {client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_requests_do_not_see_each_others_correlation_id() -> None:
    async def both() -> list[str]:
        transport = httpx.ASGITransport(app())
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            answers = await asyncio.gather(
                *(client.get("/me", headers={"x-correlation-id": f"request-{n:04}"}) for n in range(20))
            )
        return [answer.headers["x-correlation-id"] for answer in answers]

    assert asyncio.run(both()) == [f"request-{n:04}" for n in range(20)]


def test_the_log_tells_what_was_asked_and_refused_and_nothing_of_a_resident(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="signaalwissel")
    client = TestClient(app())
    asked = {"x-correlation-id": "request-0001"}
    client.get("/999990019?bsn=999990019", headers=asked)
    client.get("/me", headers={**asked, "authorization": "Bearer 999990019"})
    text = caplog.text
    assert "GET unknown path: 404" in text
    assert "credentials refused: is no signed token (request request-0001)" in text
    assert "GET /me: 401" in text
    assert "999990019" not in text


def test_a_refusal_says_in_the_log_who_may_not_do_what(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="signaalwissel")
    asked = {**bearer(), "x-correlation-id": "request-0001"}
    answer = TestClient(app()).post("/signals/0363/water-west", headers=asked)
    assert answer.status_code == 403
    refusals = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    told = "may not POST /signals/{municipality}/{partner} (request request-0001)"
    assert refusals == [f"refused: {claims()['iss']}#{claims()['sub']} {told}"]


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/signals/999990019", ("GET", "/signals/{number}", 200)),
        ("GET", "/999990019", ("GET", "unknown path", 404)),
        ("ZOEK999990019", "/signals/1", ("OTHER", "/signals/{number}", 405)),
    ],
)
def test_what_is_counted_of_an_answer_has_few_values_and_none_of_the_request(
    method: str, path: str, told: tuple[str, str, int]
) -> None:
    counted: list[Answered] = []
    counting = bare_app("x", Bounds(observe=counted.append))

    async def show(number: int) -> int:
        return number

    counting.add_api_route("/signals/{number}", show, methods=["GET"])
    TestClient(counting).request(method, path)
    assert [one[:3] for one in counted] == [told]
