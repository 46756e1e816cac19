"""Who may come in over HTTP, made from the settings, for gateway and pages alike (design 12).

In: settings and the address under which an app is reached. Out: where to serve, who is recognised, sessions; a
UsageFailure names the setting that is wrong.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.access import Role
from signaalwissel.security.access_settings import LOOPBACK, Access, AccessUnusable, Rights, load_access
from signaalwissel.security.development_login import (
    DevelopmentLogin,
    DevelopmentLoginRefused,
    refuse_in_production,
)
from signaalwissel.security.http_auth import Authenticator, trusted_issuers
from signaalwissel.security.http_server import Place, ServerUnusable
from signaalwissel.security.http_sessions import RETURN_PATH, WebSessions
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.oidc_login import OidcLogin
from signaalwissel.security.running_sessions import RunningSessions
from signaalwissel.security.secret_files import SecretUnusable, read_secret_text
from signaalwissel.security.sessions import Ended, Sessions, SessionsUnusable
from signaalwissel.security.tokens import Tokens

DEVELOPMENT_CLIENT = "proef"
"""The program that the development login lets in, for every partner that it names."""
_PAGES_PER_S = 20.0
_PAGES_AT_ONCE = 100.0


@dataclass(frozen=True)
class HttpAccess:
    """Who is recognised.

    Attributes:
        access: The access file, or what the development login stands for.
        tokens: Verifies tokens.
        development: The development login, whose `router()` the app must serve; None in earnest.
    """

    access: Access
    tokens: Tokens
    development: DevelopmentLogin | None


def http_access(
    settings: Settings, base_url: str, municipalities: Sequence[str] = (), partners: Sequence[str] = ()
) -> HttpAccess:
    """Who is recognised; raises UsageFailure.

    Args:
        settings: As read.
        base_url: Under which the app is reached, without a slash at its end.
        municipalities: For which the development login vouches.
        partners: For which its program may speak.
    """
    if settings.development_login:
        try:
            refuse_in_production(_signs_of_production(settings))
        except DevelopmentLoginRefused as refusal:
            raise UsageFailure(f"SIGNAALWISSEL_{refusal}") from refusal
        rights = Rights(
            roles=frozenset({Role.INTEGRATOR, Role.SIGNAL_SYSTEM}),
            municipalities=frozenset(municipalities),
            partners=frozenset(partners),
        )
        login = DevelopmentLogin(base_url, municipalities, {DEVELOPMENT_CLIENT: rights})
        access = login.access()
        return HttpAccess(access, Tokens(trusted_issuers(access, lambda _: login.keys)), login)
    if settings.access_file is None:
        raise UsageFailure(
            "SIGNAALWISSEL_ACCESS_FILE is not set: without it nobody is recognised;"
            " to try things out on this machine set SIGNAALWISSEL_DEVELOPMENT_LOGIN=true"
        )
    try:
        access = load_access(settings.access_file)
    except AccessUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_ACCESS_FILE: {error}") from error
    return HttpAccess(access, Tokens(trusted_issuers(access)), None)


def authenticator(settings: Settings, known: HttpAccess) -> Authenticator:
    """Recognises programs: a FastAPI dependency."""
    rate = RateLimit(settings.http_rate_per_s, settings.http_rate_per_s)
    return Authenticator(known.access, known.tokens, rate)


def web_sessions(
    settings: Settings, known: HttpAccess, base_url: str, ended: Ended, running: RunningSessions | None = None
) -> WebSessions:
    """Sessions of people; raises UsageFailure where there is no login or no secret.

    Args:
        settings: As read.
        known: Who is recognised.
        base_url: As for `http_access`.
        ended: Where all processes find what was ended.
        running: Where all processes find which sessions there are.
    """
    login = known.access.login
    if login is None:
        raise UsageFailure("SIGNAALWISSEL_ACCESS_FILE: has no [login]: people cannot log in to the pages")
    try:
        sessions = Sessions(_session_secrets(settings), ended, running)
    except SessionsUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_SESSION_SECRET_FILE: {error}") from error
    return WebSessions(
        sessions,
        OidcLogin(login, known.tokens, base_url + RETURN_PATH),
        RateLimit(_PAGES_PER_S, _PAGES_AT_ONCE),
        secure=base_url.startswith("https://"),
    )


def place(settings: Settings, port: int) -> Place:
    """Where to serve; raises UsageFailure where secrets would be readable on the way."""
    made = Place(
        host=settings.http_host,
        port=port,
        certificate_file=settings.http_certificate_file,
        key_file=settings.http_key_file,
        client_ca_file=settings.http_client_ca_file,
        plain_behind_proxy=settings.http_behind_proxy,
        stop_s=settings.http_stop_s,
    )
    try:
        made.check()
    except ServerUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error
    return made


def _session_secrets(settings: Settings) -> list[str]:
    """One secret a line, the newest first."""
    if settings.session_secret_file is None:
        if settings.development_login:
            return [secrets.token_urlsafe(48)]
        raise UsageFailure(
            "SIGNAALWISSEL_SESSION_SECRET_FILE is not set: a file with a line of at least 32 random characters"
        )
    try:
        return read_secret_text(settings.session_secret_file).split()
    except SecretUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_SESSION_SECRET_FILE: {error}") from error


def _signs_of_production(settings: Settings) -> dict[str, bool]:
    return {
        "ACCESS_FILE is set": settings.access_file is not None,
        "HTTP_BEHIND_PROXY is set": settings.http_behind_proxy,
        "HTTP_CERTIFICATE_FILE is set": settings.http_certificate_file is not None,
        "HTTP_HOST is not this machine": settings.http_host not in LOOPBACK,
        "KAFKA_SECURITY_PROTOCOL is not PLAINTEXT": settings.kafka_security_protocol != "PLAINTEXT",
        "KEY_PROVIDER is vault": settings.key_provider == "vault",
        "EVERY_MUNICIPALITY is not set": not settings.every_municipality,
    }
