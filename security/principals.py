"""Principals: what verified claims or a certificate mean here, by the access file (design 12).

In: claims, a certificate. Out: a Principal; without roles where nothing in the file speaks for it.
"""

from collections.abc import Mapping
from typing import Any

from signaalwissel.processors.access import Principal
from signaalwissel.security.access_settings import Access, Issuer, Rights
from signaalwissel.security.certificates import ClientCertificate
from signaalwissel.security.tokens import TokenRefused, Verified

_VALUES_MAX = 500


def of_claims(verified: Verified) -> Principal:
    """Whom claims speak of: a program of the file with exactly its rights, or somebody by the issuer's roles.

    Municipalities are never more than the issuer's own.
    """
    issuer, claims = verified.issuer, verified.claims
    subject = f"{issuer.issuer}#{claims['sub']}"
    client = _find(claims, issuer.claims.client)
    if isinstance(client, str) and client in issuer.clients:
        return _program(subject, issuer.clients[client])
    counsellor = _find(claims, issuer.claims.counsellor)
    name = _find(claims, issuer.claims.name)
    told = _texts(_find(claims, issuer.claims.roles))
    return Principal(
        subject=subject,
        roles=frozenset(issuer.roles[one] for one in told if one in issuer.roles),
        municipalities=_municipalities(issuer, claims),
        counsellor_id=counsellor if isinstance(counsellor, str) and counsellor else None,
        teams=_texts(_find(claims, issuer.claims.teams)),
        name=name if isinstance(name, str) else "",
    )


def of_certificate(certificate: ClientCertificate, access: Access) -> Principal:
    """Whom a certificate speaks for."""
    rights = access.certificates.get(certificate.subject)
    subject = f"certificate#{certificate.subject}"
    return Principal(subject, frozenset()) if rights is None else _program(subject, rights)


def check_bound(claims: Mapping[str, Any], certificate: ClientCertificate | None) -> None:
    """Refuse a token that is bound to another certificate than this connection's (RFC 8705); raises TokenRefused."""
    bound = claims.get("cnf")
    if bound is None:
        return
    thumbprint = bound.get("x5t#S256") if isinstance(bound, dict) else None
    if certificate is None or thumbprint != certificate.thumbprint:
        raise TokenRefused("is bound to another certificate or key")


def _program(subject: str, rights: Rights) -> Principal:
    return Principal(
        subject, rights.roles, rights.municipalities, teams=rights.teams, partners=rights.partners
    )


def _municipalities(issuer: Issuer, claims: Mapping[str, Any]) -> frozenset[str]:
    if issuer.claims.municipalities is None:
        return issuer.municipalities
    return issuer.municipalities & _texts(_find(claims, issuer.claims.municipalities))


def _find(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _texts(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if not isinstance(value, list):
        return frozenset()
    return frozenset(one for one in value[:_VALUES_MAX] if isinstance(one, str))
