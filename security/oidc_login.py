"""Logging in with OpenID Connect: authorization code flow with PKCE, state and nonce (RFC 9700).

In: a browser that wants in; what it brings back from the identity provider. Out: where to send it and what it must keep
meanwhile; the principal that logged in, or LoginFailed, whose text is for our log.
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.deprecate import AuthlibDeprecationWarning
from signaalwissel.processors.access import Principal
from signaalwissel.security import principals
from signaalwissel.security.access_settings import Login
from signaalwissel.security.secret_files import SecretUnusable, read_secret_text
from signaalwissel.security.tokens import LEEWAY_S, TokenRefused, Tokens

with warnings.catch_warnings():
    # Said at every command otherwise: Authlib would rather have a successor of httpx that nothing else of ours uses.
    warnings.filterwarnings("ignore", "The httpx module is deprecated", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

LOGIN_S = 600
"""How long somebody may take at the identity provider."""
ANEW = "anew"
"""In what the browser keeps: that a new login was asked for, and when."""
_TIMEOUT_S = 10.0
_VERIFIER_LENGTH = 64


class LoginFailed(RuntimeError):
    """A login did not come about; holds no code, token or state."""


class ProviderAway(RuntimeError):
    """The identity provider does not answer."""


@dataclass(frozen=True)
class Begun:
    """A login that began: where the browser goes, and what it keeps sealed until it returns."""

    address: str
    kept: dict[str, str]


class OidcLogin:
    """Logs people in with one issuer.

    Args:
        settings: The issuer's endpoints and our client there.
        tokens: Verifies the ID token.
        redirect_uri: Our own address to which the browser returns.
        transport: How requests travel, None for the network.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        settings: Login,
        tokens: Tokens,
        redirect_uri: str,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._redirect_uri = redirect_uri
        self._transport = transport
        self._now = now

    def begin(self, then: str, *, anew: bool = False) -> Begun:
        """Begin a login that ends on the page `then`; `anew`: even where the provider knows the browser."""
        verifier, nonce = generate_token(_VERIFIER_LENGTH), generate_token(_VERIFIER_LENGTH)
        client = self._client()
        strength = {"acr_values": " ".join(self._settings.acr_values)} if self._settings.acr_values else {}
        max_age_s = 0 if anew else self._settings.max_age_s
        recent = {} if max_age_s is None else {"max_age": str(max_age_s)}
        if anew:
            recent["prompt"] = "login"
        address, state = client.create_authorization_url(
            self._settings.authorization_endpoint, code_verifier=verifier, nonce=nonce, **strength, **recent
        )
        kept = {"state": state, "verifier": verifier, "nonce": nonce, "then": then}
        return Begun(address, {**kept, ANEW: str(int(self._now()))} if anew else kept)

    async def finish(self, kept: dict[str, str], state: str, code: str) -> Principal:
        """Who logged in; raises LoginFailed, ProviderAway or KeysAway.

        Args:
            kept: What `begin` gave the browser to keep.
            state: What came back.
            code: The authorization code.
        """
        if not state or state != kept["state"]:
            raise LoginFailed("the state is not the one of this login")
        answer = await self._exchanged(code, kept["verifier"])
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise LoginFailed("the identity provider gave no ID token")
        try:
            verified = await self._tokens.identity(
                token, issuer=self._settings.issuer, client_id=self._settings.client_id, nonce=kept["nonce"]
            )
        except TokenRefused as refusal:
            raise LoginFailed(f"the ID token {refusal}") from None
        self._check_how(verified.claims)
        _check_anew(verified.claims, kept.get(ANEW))
        return principals.of_claims(verified)

    def _check_how(self, claims: Mapping[str, Any]) -> None:
        """Refuse who logged in more weakly, or longer ago, than was asked (OWASP ASVS 6.8.4, 7.6.1)."""
        wanted, max_age_s = self._settings.acr_values, self._settings.max_age_s
        if wanted and claims.get("acr") not in wanted:
            raise LoginFailed("the ID token does not say that the login was as strong as acr_values asks")
        if max_age_s is None:
            return
        at = claims.get("auth_time")
        if not isinstance(at, int | float) or self._now() - at > max_age_s + LEEWAY_S:
            raise LoginFailed("the ID token does not say that the login was as recent as max_age_s asks")

    def end_address(self, back_to: str) -> str | None:
        """Where the browser logs out at the identity provider too, None where that has no such address."""
        if self._settings.end_session_endpoint is None:
            return None
        asked = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back_to}
        return f"{self._settings.end_session_endpoint}?{urlencode(asked)}"

    async def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    self._settings.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
        except (httpx.HTTPStatusError, AuthlibBaseError, ValueError) as error:
            raise LoginFailed(f"the code was not exchanged: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            raise ProviderAway(f"{self._settings.token_endpoint}: {type(error).__name__}") from None
        return dict(answer)

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=_secret_in(self._settings.client_secret_file),
            scope=self._settings.scope,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
            transport=self._transport,
        )


def _check_anew(claims: Mapping[str, Any], asked_s: str | None) -> None:
    """Refuse a login of before we asked for a new one; whoever has the browser can take our question out of the URL."""
    at = claims.get("auth_time")
    if asked_s is not None and (not isinstance(at, int | float) or at < int(asked_s) - LEEWAY_S):
        raise LoginFailed("the ID token does not say that somebody logged in anew")


def _secret_in(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return read_secret_text(file)
    except SecretUnusable as unusable:
        raise LoginFailed(f"the client secret: {unusable}") from None
