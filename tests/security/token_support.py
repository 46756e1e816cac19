"""An issuer with keys of its own, tokens of it good and bad, and an app that lets whoever it recognises in."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Annotated, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from signaalwissel.processors.access import Action, Principal, Role, Target
from signaalwissel.security.access_settings import Access, Claims, Issuer, Rights
from signaalwissel.security.http_app import bare_app
from signaalwissel.security.http_auth import Authenticator, require, trusted_issuers
from signaalwissel.security.http_middleware import Bounds
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.signing_keys import FixedKeys
from signaalwissel.security.tokens import Tokens

NOW = 1_780_000_000
ISSUER = "https://login.example.nl"
OTHER_ISSUER = "https://login.other.example.nl"
AUDIENCE = "signaalwissel"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
OTHER = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
PARTNER = Rights(municipalities=frozenset({"0344"}), partners=frozenset({"water-west"}))


def issuer(**changed: Any) -> Issuer:
    given: dict[str, Any] = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks_url": ISSUER + "/keys",
        "municipalities": frozenset({"0344", "0363"}),
        "roles": {"sw-counsellor": Role.COUNSELLOR, "sw-lead": Role.TEAM_LEAD},
        "claims": Claims(municipalities="gemeenten"),
        "clients": {"water-west": PARTNER},
        **changed,
    }
    return Issuer(**given)


ACCESS = Access(
    issuers=(
        issuer(),
        issuer(issuer=OTHER_ISSUER, municipalities=frozenset({"0599"}), clients={}),
    )
)


def keys_of(one: Issuer) -> FixedKeys:
    return FixedKeys(KeySet([RSA, EC] if one.issuer == ISSUER else [OTHER]))


def tokens(access: Access = ACCESS) -> Tokens:
    return Tokens(trusted_issuers(access, keys_of), now=lambda: NOW)


def claims(**changed: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "water-west",
        "iat": NOW - 10,
        "exp": NOW + 300,
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    given = {"alg": "RS256", "kid": "rsa-1", "typ": "at+jwt", **changed}
    return {name: value for name, value in given.items() if value is not None}


def good(**changed: Any) -> str:
    return jwt.encode(header(), claims(**changed), RSA, algorithms=["RS256"])


def b64(content: bytes | Mapping[str, Any] | str) -> str:
    raw = (
        content
        if isinstance(content, bytes)
        else (content.encode() if isinstance(content, str) else json.dumps(content).encode())
    )
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(head: Mapping[str, Any] | str, body: Mapping[str, Any] | str | None = None, key: Any = RSA) -> str:
    """A token with any header and body, rightly signed over both."""
    text = f"{b64(head)}.{b64(claims() if body is None else body)}"
    signature = key.raw_value.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{b64(signature)}"


def app(access: Access = ACCESS, rate: RateLimit | None = None, body_bytes_max: int = 1000) -> FastAPI:
    """`/me` tells who asks; `/signals/M/P` needs the right to speak for that partner; `/broken` has a defect."""
    made = bare_app("test", Bounds(body_bytes_max=body_bytes_max))
    authenticator = Authenticator(
        access, tokens(access), RateLimit(1000, 1000) if rate is None else rate, now=time.time
    )
    known = Annotated[Principal, Depends(authenticator)]

    @made.get("/me")
    async def me(principal: known) -> dict[str, Any]:
        return {"subject": principal.subject, "roles": sorted(principal.roles)}

    @made.post("/signals/{municipality}/{partner}")
    async def submit(municipality: str, partner: str, principal: known) -> dict[str, str]:
        require(principal, Action.SUBMIT_SIGNAL, Target(municipality, partner_id=partner))
        return {"taken": "yes"}

    @made.post("/echo")
    async def echo(body: dict[str, int]) -> dict[str, int]:
        return body

    @made.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("999990019 of the Kerkstraat")

    return made
