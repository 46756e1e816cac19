"""Who asks, over HTTP: bearer token or client certificate to Principal, and `may` as an answer of 403.

In: a request. Out: its Principal; Problem 401 (not recognised), 403 (recognised, not allowed), 429, 503 (the issuer's
keys cannot be had). Used by gateway and pages alike.
"""

import ipaddress
import logging
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request
from signaalwissel.processors.access import Action, Principal, Target, may
from signaalwissel.security import certificates, principals
from signaalwissel.security.access_settings import Access, Issuer
from signaalwissel.security.certificates import CertificateRefused, ClientCertificate
from signaalwissel.security.http_middleware import SUBJECT, correlation_id
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.signing_keys import KeysAway, RemoteKeys, SigningKeys
from signaalwissel.security.tokens import TokenRefused, Tokens, Trusted

log = logging.getLogger(__name__)

PEER_CERTIFICATE = "signaalwissel.peer_certificate"
"""Where in an ASGI scope's extensions our server puts the client's certificate, in DER."""
_CHALLENGE = {"www-authenticate": "Bearer"}
_INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}


class Authenticator:
    """Recognises whoever asks; a FastAPI dependency: `principal: Annotated[Principal, Depends(authenticator)]`.

    Args:
        access: What the access file says.
        tokens: Verifies bearer tokens.
        rate: Requests of one principal; each costs 1.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        access: Access,
        tokens: Tokens,
        rate: RateLimit,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._access = access
        self._tokens = tokens
        self._rate = rate
        self._now = now

    async def __call__(self, request: Request) -> Principal:
        """The principal of a request; raises Problem."""
        try:
            principal = await self._recognised(request)
        except (TokenRefused, CertificateRefused) as refusal:
            log.warning("credentials refused: %s (request %s)", refusal, correlation_id.get())
            raise Problem(401, "Het token of certificaat is niet geldig.", headers=_INVALID) from None
        except KeysAway as away:
            log.error("signing keys away: %s", away)  # noqa: TRY400 the text says it all
            raise Problem(
                503, "Tokens kunnen nu niet worden gecontroleerd.", headers={"retry-after": "30"}
            ) from None
        setattr(request.state, SUBJECT, principal.subject)
        self.charge(principal)
        return principal

    def charge(self, principal: Principal, cost: float = 1.0) -> None:
        """Count `cost` against a principal's rate; raises Problem 429."""
        wait = self._rate.wait_s(principal.subject, cost)
        if wait:
            raise Problem(429, "Te veel verzoeken: wacht even.", headers={"retry-after": str(wait)})

    async def _recognised(self, request: Request) -> Principal:
        certificate = self._certificate(request)
        header = request.headers.getlist("authorization")
        if header:
            if len(header) > 1:
                raise TokenRefused("stands twice")
            scheme, _, token = header[0].partition(" ")
            if scheme.lower() != "bearer":
                raise Problem(401, "Meld u aan met een bearer-token.", headers=_CHALLENGE)
            verified = await self._tokens.access(token.strip())
            principals.check_bound(verified.claims, certificate)
            return principals.of_claims(verified)
        if certificate is not None:
            return principals.of_certificate(certificate, self._access)
        raise Problem(401, "Meld u aan met een bearer-token of een clientcertificaat.", headers=_CHALLENGE)

    def _certificate(self, request: Request) -> ClientCertificate | None:
        extensions: dict[str, Any] = request.scope.get("extensions") or {}
        proxy = self._access.proxy
        if proxy is not None and request.client is not None and _inside(request.client.host, proxy.networks):
            values = request.headers.getlist(proxy.certificate_header)
            if len(values) > 1:
                raise CertificateRefused("the proxy's certificate header stands twice")
            if values:
                return certificates.from_header(values[0], self._now())
        der = extensions.get(PEER_CERTIFICATE)
        return None if der is None else certificates.from_der(der, self._now())


def require(principal: Principal, action: Action, target: Target) -> None:
    """Raise Problem 403 unless the principal may do this to that."""
    if not may(principal, action, target):
        raise Problem(403, "U mag dit niet, of niet voor deze gemeente.")


def trusted_issuers(
    access: Access, keys: Callable[[Issuer], SigningKeys] | None = None
) -> tuple[Trusted, ...]:
    """The issuers of an access file with their keys, by default from where the file says."""
    return tuple(Trusted(issuer, (keys or _keys_of)(issuer)) for issuer in access.issuers)


def _keys_of(issuer: Issuer) -> SigningKeys:
    place = issuer.jwks_url or issuer.jwks_file
    assert place is not None  # noqa: S101 the file's check demands one of the two
    return RemoteKeys(place, cache_s=issuer.cache_s)


def _inside(host: str, networks: tuple[Any, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
