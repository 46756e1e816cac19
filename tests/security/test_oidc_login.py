"""How strong and how recent a login was, where the access file asks for it."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from signaalwissel.security.access_settings import Login
from signaalwissel.security.oidc_login import LoginFailed, OidcLogin

from tests.security.token_support import ISSUER, NOW, RSA, claims, header, tokens


def logged_in(told: dict[str, Any], *, anew: bool = False, **asked: Any) -> tuple[dict[str, list[str]], str]:
    """What the provider was asked, and who logged in, where the provider tells `told`."""
    settings = Login(
        issuer=ISSUER,
        client_id="pages",
        authorization_endpoint=f"{ISSUER}/auth",
        token_endpoint=f"{ISSUER}/token",
        **asked,
    )
    nonces: list[str] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        body = claims(aud="pages", nonce=nonces[0], **told)
        token = jwt.encode(header(typ="JWT"), body, RSA, algorithms=["RS256"])
        return httpx.Response(200, json={"access_token": "a", "token_type": "Bearer", "id_token": token})

    login = OidcLogin(settings, tokens(), "https://us/terug", httpx.MockTransport(answer), now=lambda: NOW)
    begun = login.begin("/", anew=anew)
    nonces.append(begun.kept["nonce"])
    principal = asyncio.run(login.finish(begun.kept, begun.kept["state"], "code"))
    return parse_qs(urlsplit(begun.address).query), principal.subject


def test_the_provider_is_asked_for_a_strong_and_recent_login() -> None:
    asked, who = logged_in({"acr": "mfa", "auth_time": NOW - 60}, acr_values=("mfa", "fido"), max_age_s=60)
    assert (asked["acr_values"], asked["max_age"]) == (["mfa fido"], ["60"])
    assert who == f"{ISSUER}#water-west"


def test_without_settings_nothing_more_is_asked() -> None:
    asked, _ = logged_in({})
    assert not {"acr_values", "max_age"} & asked.keys()


@pytest.mark.parametrize("told", [{}, {"acr": "password"}, {"acr": ["mfa"]}, {"acr": "mfa fido"}])
def test_a_login_that_is_not_as_strong_as_asked_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(LoginFailed, match="strong"):
        logged_in(told, acr_values=("mfa", "fido"))


@pytest.mark.parametrize("told", [{}, {"auth_time": NOW - 91}, {"auth_time": "now"}, {"auth_time": None}])
def test_a_login_that_is_not_as_recent_as_asked_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(LoginFailed, match="recent"):
        logged_in(told, max_age_s=60)


def test_a_new_login_is_asked_for_whatever_the_settings_say() -> None:
    for settings in ({}, {"max_age_s": 3600}):
        asked, _ = logged_in({"auth_time": NOW}, anew=True, **settings)
        assert (asked["max_age"], asked["prompt"]) == (["0"], ["login"])


@pytest.mark.parametrize("told", [{}, {"auth_time": NOW - 31}, {"auth_time": "now"}, {"auth_time": None}])
def test_a_login_of_before_a_new_one_was_asked_for_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(LoginFailed, match="anew"):
        logged_in(told, anew=True)
