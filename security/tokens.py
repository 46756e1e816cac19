"""Bearer tokens: a text becomes claims that its issuer signed for us, or is refused (OWASP ASVS 9.1, 9.2; RFC 9068).

In: the token's text. Out: verified claims and the issuer that made them; TokenRefused, whose text is for our log and
holds nothing of the token; KeysAway where the issuer's keys cannot be had.
"""

import base64
import binascii
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from signaalwissel.security.access_settings import Issuer
from signaalwissel.security.signing_keys import SigningKeys

TOKEN_BYTES_MAX = 16_384
LEEWAY_S = 30
REMEMBERED_S = 60.0
"""How long a verified token is taken without a new look at its signature; never past its own end."""
REMEMBERED_MAX = 1000
_KID_LENGTH_MAX = 200
_FOREIGN_KEYS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty", "enc"})
"""Headers by which a token would choose its own key or meaning."""
_NOT_ACCESS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""Claims of an ID token (OpenID Connect Core 2, 3.1.3.6)."""
_NOT_ACCESS_TYPES = frozenset({"ID", "Refresh", "Offline", "Logout", "id"})


class TokenRefused(ValueError):
    """A token is not taken; the text says which rule it breaks and holds nothing of it."""


@dataclass(frozen=True)
class Trusted:
    """An issuer and where its keys come from."""

    settings: Issuer
    keys: SigningKeys


@dataclass(frozen=True)
class Verified:
    """Claims that were signed by a trusted issuer, for us, and are in force."""

    issuer: Issuer
    claims: Mapping[str, Any]


class Tokens:
    """Verifies tokens of the trusted issuers.

    Args:
        trusted: Each issuer once.
        now: Seconds since 1970.
    """

    def __init__(self, trusted: tuple[Trusted, ...], now: Callable[[], float] = time.time) -> None:
        self._trusted = {one.settings.issuer: one for one in trusted}
        self._now = now
        self._known: OrderedDict[bytes, tuple[Verified, float]] = OrderedDict()

    async def access(self, token: str) -> Verified:
        """The claims of an access token; raises TokenRefused or KeysAway."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        known = self._known.get(digest)
        if known is not None and self._now() < known[1]:
            return known[0]
        verified = await self._access(token)
        self._known[digest] = (verified, min(verified.claims["exp"] + LEEWAY_S, self._now() + REMEMBERED_S))
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return verified

    async def _access(self, token: str) -> Verified:
        header, issuer = self._looked_at(token)
        if _media_type(header.get("typ")) not in {_media_type(kind) for kind in issuer.settings.token_types}:
            raise TokenRefused("is not of a type that this issuer's access tokens have")
        claims = await self._verified(token, header, issuer, issuer.settings.audience)
        if _NOT_ACCESS & claims.keys() or {claims.get("typ"), claims.get("token_use")} & _NOT_ACCESS_TYPES:
            raise TokenRefused("is no access token")
        return Verified(issuer.settings, claims)

    async def identity(self, token: str, *, issuer: str, client_id: str, nonce: str) -> Verified:
        """The claims of an ID token that we asked for; raises TokenRefused or KeysAway.

        Args:
            token: Its text.
            issuer: Whom we asked.
            client_id: Our name there.
            nonce: What we gave along.
        """
        header, trusted = self._looked_at(token)
        if trusted.settings.issuer != issuer:
            raise TokenRefused("is of another issuer than was asked")
        if _media_type(header.get("typ", "JWT")) != "jwt":
            raise TokenRefused("is no ID token")
        claims = await self._verified(token, header, trusted, client_id)
        if claims.get("nonce") != nonce:
            raise TokenRefused("was not made for this login")
        if claims.get("azp", client_id) != client_id:
            raise TokenRefused("was made for another client")
        return Verified(trusted.settings, claims)

    def _looked_at(self, token: str) -> tuple[dict[str, Any], Trusted]:
        """Header and issuer of a token of the right form; both are only claims until the signature was checked."""
        if not token.isascii() or not 0 < len(token) <= TOKEN_BYTES_MAX:
            raise TokenRefused(f"must have 1 to {TOKEN_BYTES_MAX} characters")
        parts = token.split(".")
        if len(parts) != 3:
            raise TokenRefused("is no signed token")
        header, claims = _object(parts[0]), _object(parts[1])
        if _FOREIGN_KEYS & header.keys():
            raise TokenRefused("brings its own key, or extensions that are not understood")
        kid = header.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _KID_LENGTH_MAX or not kid.isprintable():
            raise TokenRefused("names no key")
        issuer = claims.get("iss")
        trusted = self._trusted.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise TokenRefused("is of no trusted issuer")
        if not isinstance(header.get("alg"), str) or header["alg"] not in trusted.settings.algorithms:
            raise TokenRefused("is signed in a way that is not allowed")
        return header, trusted

    async def _verified(
        self, token: str, header: Mapping[str, Any], trusted: Trusted, audience: str
    ) -> dict[str, Any]:
        key = await trusted.keys.key(header["kid"])
        if key is None:
            raise TokenRefused("is signed with a key that its issuer does not have")
        if key.get("alg") not in {None, header["alg"]}:
            raise TokenRefused("is signed in another way than its key is for")
        algorithms = sorted(trusted.settings.algorithms)
        try:
            claims = jwt.decode(
                token, key, algorithms=algorithms, registry=JWSRegistry(algorithms=algorithms)
            ).claims
            _registry(int(self._now()), trusted.settings.issuer, audience).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            # The error's own text may repeat a claim.
            raise TokenRefused(f"is not valid: {type(error).__name__}") from None
        return claims


def _registry(now: int, issuer: str, audience: str) -> jwt.JWTClaimsRegistry:
    essential = {"essential": True}
    return jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True, "allow_blank": False},
        exp=essential,  # type: ignore[arg-type]
    )


def _media_type(typ: object) -> str:
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""


def _object(part: str) -> dict[str, Any]:
    """A part of a token as an object in which no name stands twice; raises TokenRefused."""
    try:
        padded = part + "=" * (-len(part) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        content = json.loads(text, object_pairs_hook=_once)
    except (binascii.Error, ValueError, RecursionError):
        raise TokenRefused("is no signed token") from None
    if not isinstance(content, dict):
        raise TokenRefused("is no signed token")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content
