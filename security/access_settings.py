"""The access file: which issuers, programs and certificates are known, and what each may speak for (design 12).

In: a TOML file. Out: frozen settings, or AccessUnusable, which names file, key and rule and repeats no value.
"""

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from signaalwissel.processors.access import Role

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"}
)
"""Signatures with a public key only: with a shared secret, whoever verifies could also sign."""

_Code: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AccessUnusable(ValueError):
    """The access file cannot be used: names file, key and rule."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Rights(_Strict):
    """What a program may speak for."""

    roles: frozenset[Role] = frozenset({Role.INTEGRATOR})
    municipalities: frozenset[_Code] = frozenset()
    partners: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


class Claims(_Strict):
    """Under which names an issuer tells who somebody is; a name with dots goes into objects."""

    roles: str = "roles"
    municipalities: str | None = None
    """None: whoever this issuer vouches for works for all municipalities of the issuer."""
    counsellor: str = "counsellor_id"
    teams: str = "teams"
    name: str = "name"
    client: str = "sub"


class Issuer(_Strict):
    """An identity provider that is trusted, for its own municipalities and no others."""

    issuer: str
    audience: str
    jwks_url: str | None = None
    jwks_file: Path | None = None
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
    token_types: frozenset[str] = frozenset({"at+jwt"})
    """`typ` of its access tokens; providers that know no `at+jwt` need "JWT" here."""
    municipalities: frozenset[_Code] = frozenset()
    roles: dict[str, Role] = Field(default_factory=dict)
    claims: Claims = Claims()
    clients: dict[str, Rights] = Field(default_factory=dict)
    cache_s: float = Field(default=3600.0, ge=60.0, le=86_400.0)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("give jwks_url or jwks_file, and not both")
        if self.jwks_url is not None:
            check_web_address(self.jwks_url)
        unknown = self.algorithms - ALGORITHMS
        if unknown or not self.algorithms:
            raise ValueError(f"algorithms must be of {', '.join(sorted(ALGORITHMS))}")
        return self


class Login(_Strict):
    """How people log in to the pages: the code flow with one of the issuers."""

    issuer: str
    client_id: str
    client_secret_file: Path | None = None
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None = None
    scope: str = "openid profile"
    acr_values: tuple[str, ...] = ()
    """How strong a login must be, in the provider's words (`acr`); with none of these nobody comes in."""
    max_age_s: int | None = Field(default=None, ge=0, le=86_400)
    """How long ago somebody may have logged in at the provider; None: it decides."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for address in (self.authorization_endpoint, self.token_endpoint, self.end_session_endpoint):
            if address is not None:
                check_web_address(address)
        return self


class Proxy(_Strict):
    """A proxy that ends TLS and passes the client's certificate on; believed from these addresses only."""

    addresses: frozenset[str]
    certificate_header: str = Field(default="client-cert", pattern=r"^[a-z0-9-]+$")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.addresses:
            raise ValueError("addresses must name the proxies")
        _ = self.networks
        return self

    @property
    def networks(self) -> tuple[_Network, ...]:
        """The addresses as networks."""
        return tuple(ipaddress.ip_network(address) for address in sorted(self.addresses))


class Access(_Strict):
    """The whole access file."""

    issuers: tuple[Issuer, ...] = ()
    certificates: dict[str, Rights] = Field(default_factory=dict)
    """By the certificate's subject, as RFC 4514 writes it."""
    login: Login | None = None
    proxy: Proxy | None = None

    @model_validator(mode="after")
    def _usable(self) -> Self:
        names = [issuer.issuer for issuer in self.issuers]
        if len(names) != len(set(names)):
            raise ValueError("an issuer stands twice")
        if self.login is not None and self.login.issuer not in names:
            raise ValueError("login.issuer is none of the issuers")
        return self


def load_access(file: Path) -> Access:
    """Read an access file; raises AccessUnusable."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AccessUnusable(f"{file}: cannot be read as TOML: {error}") from error
    try:
        return Access.model_validate(content)
    except ValidationError as error:
        findings = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise AccessUnusable(f"{file}: {findings}") from error


def check_web_address(address: str) -> None:
    """Refuse an address that is neither https nor on this machine; raises ValueError."""
    parts = urlsplit(address)
    if (
        not parts.hostname
        or parts.username
        or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
    ):
        raise ValueError("must be an https address (http only on this machine)")
