"""An identity provider for trying things out: whoever asks is whoever they say (never in production).

In: a form on which somebody picks role, municipality, counsellor and team; requests of our own login. Out: the answers
of an OpenID provider, signed with a key that lives as long as the process. `refuse_in_production` keeps it away from
every installation that looks like a real one.
"""

import html
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel
from signaalwissel.processors.access import Role
from signaalwissel.security.access_settings import Access, Claims, Issuer, Login, Rights
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.signing_keys import FixedKeys

PATH = "/ontwikkel-login"
AUDIENCE = "signaalwissel"
CLIENT_ID = "signaalwissel-pages"
_CODES_MAX = 1000
_CODE_S = 60
_TOKEN_S = 3600
_ALGORITHM = "ES256"
_BEARER = "Bearer"
_PROGRAMS = frozenset({Role.INTEGRATOR, Role.SIGNAL_SYSTEM})


class DevelopmentLoginRefused(ValueError):
    """The development login was asked for where it must not be; names the setting that speaks against it."""


def refuse_in_production(signs: Mapping[str, bool]) -> None:
    """Raise DevelopmentLoginRefused where any sign of a real installation is there.

    Args:
        signs: Name of a setting, and whether its value is one that only real installations have.
    """
    real = sorted(name for name, is_real in signs.items() if is_real)
    if real:
        raise DevelopmentLoginRefused(
            f"DEVELOPMENT_LOGIN lets anybody in as anybody, and this installation looks real: {', '.join(real)}."
            " Take DEVELOPMENT_LOGIN away and give an ACCESS_FILE"
        )


class _Choice(BaseModel):
    """The form: what our login asked for, and who somebody wants to be."""

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    role: Role
    municipality: str
    counsellor_id: str = ""
    team: str = ""

    def claims(self) -> dict[str, Any]:
        """What the tokens say of them."""
        claims: dict[str, Any] = {
            "sub": f"{self.role}/{self.municipality}/{self.counsellor_id}/{self.team}",
            "roles": [self.role.value],
            "municipalities": [self.municipality],
            "name": f"{self.role.value} {self.counsellor_id}".strip(),
            "teams": [self.team] if self.team else [],
        }
        return {**claims, "counsellor_id": self.counsellor_id} if self.counsellor_id else claims


class _Code(NamedTuple):
    choice: _Choice
    until: float


class DevelopmentLogin:
    """The provider.

    Args:
        base: Where the app is served, such as http://127.0.0.1:8080.
        municipalities: For which it vouches.
        clients: Programs that get a token by their name alone, and what they may speak for.
    """

    def __init__(
        self, base: str, municipalities: Sequence[str], clients: Mapping[str, Rights] | None = None
    ) -> None:
        self.issuer = base + PATH
        self._base = base
        self._municipalities = tuple(municipalities)
        self._clients = dict(clients or {})
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": _ALGORITHM, "kid": "development"})
        self._key = key
        self.keys = FixedKeys(KeySet([key]))
        self._codes: OrderedDict[str, _Code] = OrderedDict()

    def access(self) -> Access:
        """The access file that trusts this provider and nobody else."""
        issuer = Issuer(
            issuer=self.issuer,
            audience=AUDIENCE,
            jwks_url=f"{self.issuer}/sleutels",
            algorithms=frozenset({_ALGORITHM}),
            municipalities=frozenset(self._municipalities),
            roles={role.value: role for role in Role},
            claims=Claims(municipalities="municipalities"),
            clients=self._clients,
        )
        login = Login(
            issuer=self.issuer,
            client_id=CLIENT_ID,
            authorization_endpoint=f"{self.issuer}/kiezen",
            token_endpoint=f"{self.issuer}/token",
        )
        return Access(issuers=(issuer,), login=login)

    def access_token(self, client_id: str) -> str:
        """A token of a program."""
        return self._signed({"sub": client_id, "client_id": client_id, "aud": AUDIENCE}, "at+jwt")

    def router(self) -> APIRouter:
        """Its routes, for the app that uses it."""
        router = APIRouter(prefix=PATH, include_in_schema=False)
        router.add_api_route("/kiezen", self._choose, methods=["GET"])
        router.add_api_route("/kiezen", self._chosen, methods=["POST"])
        router.add_api_route("/token", self._token, methods=["POST"])
        router.add_api_route("/sleutels", self._public_keys, methods=["GET"])
        return router

    async def _choose(
        self, redirect_uri: str, state: str, nonce: str, code_challenge: str, client_id: str
    ) -> Response:
        self._check(redirect_uri, client_id)
        kept = {
            "redirect_uri": redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
        }
        return HTMLResponse(_page(kept, self._municipalities))

    async def _chosen(self, choice: Annotated[_Choice, Form()]) -> Response:
        self._check(choice.redirect_uri, CLIENT_ID)
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(choice, time.time() + _CODE_S)
        if len(self._codes) > _CODES_MAX:
            self._codes.popitem(last=False)
        answer = urlencode({"code": code, "state": choice.state})
        return RedirectResponse(f"{choice.redirect_uri}?{answer}", 303)

    async def _token(
        self,
        grant_type: Annotated[str, Form()],
        code: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "",
        redirect_uri: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
    ) -> Response:
        if grant_type == "client_credentials" and client_id in self._clients:
            token = self.access_token(client_id)
            return JSONResponse({"access_token": token, "token_type": _BEARER, "expires_in": _TOKEN_S})
        found = self._codes.pop(code, None) if grant_type == "authorization_code" else None
        if found is None or not _answers(found, redirect_uri, code_verifier):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = found.choice.claims()
        identity = self._signed(
            {**claims, "aud": CLIENT_ID, "nonce": found.choice.nonce, "auth_time": int(time.time())}, "JWT"
        )
        access = self._signed({**claims, "aud": AUDIENCE, "client_id": CLIENT_ID}, "at+jwt")
        return JSONResponse(
            {"access_token": access, "id_token": identity, "token_type": _BEARER, "expires_in": _TOKEN_S}
        )

    async def _public_keys(self) -> Response:
        return JSONResponse(KeySet([self._key]).as_dict())

    def _check(self, redirect_uri: str, client_id: str) -> None:
        if client_id != CLIENT_ID or not redirect_uri.startswith(self._base + "/"):
            raise Problem(400, "De ontwikkel-login kent dit adres niet.")

    def _signed(self, claims: dict[str, Any], typ: str) -> str:
        now = int(time.time())
        header = {"alg": _ALGORITHM, "kid": "development", "typ": typ}
        return jwt.encode(
            header, {**claims, "iss": self.issuer, "iat": now, "exp": now + _TOKEN_S}, self._key
        )


def _answers(code: _Code, redirect_uri: str, verifier: str) -> bool:
    """Whether a code comes back in time, to the address and from the browser that asked for it (RFC 7636)."""
    challenge = create_s256_code_challenge(verifier)
    return (
        time.time() < code.until
        and redirect_uri == code.choice.redirect_uri
        and secrets.compare_digest(challenge, code.choice.code_challenge)
    )


def _page(kept: Mapping[str, str], municipalities: Sequence[str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in kept.items()
    )
    roles = "".join(f'<option value="{role}">{role}</option>' for role in Role if role not in _PROGRAMS)
    codes = "".join(f'<option value="{code}">{code}</option>' for code in municipalities)
    return (
        '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Ontwikkel-login</title></head><body>'
        "<h1>Ontwikkel-login</h1><p>Alleen om uit te proberen: kies wie u bent.</p>"
        f'<form method="post" action="{PATH}/kiezen">{hidden}'
        f'<p><label>Rol <select name="role">{roles}</select></label></p>'
        f'<p><label>Gemeente <select name="municipality">{codes}</select></label></p>'
        '<p><label>Schuldhulpverlener <input name="counsellor_id"></label></p>'
        '<p><label>Team <input name="team"></label></p>'
        '<p><button type="submit">Inloggen</button></p></form></body></html>'
    )
