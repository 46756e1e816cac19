"""Sessions over HTTP, for the pages: login, logout, who is here, and forms that no other site can post (design 12).

In: requests with our cookie. Out: the Session, the others of the same person, and routes `/inloggen`, `/inloggen/terug`, `/uitloggen`. A page that
needs somebody asks for `Depends(web.session)`; a route that takes a form for `Depends(web.form_session)`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from signaalwissel.security.http_middleware import COOKIES, SUBJECT, correlation_id
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.limits import RateLimit
from signaalwissel.security.oidc_login import ANEW, LOGIN_S, LoginFailed, OidcLogin, ProviderAway
from signaalwissel.security.running_sessions import Running
from signaalwissel.security.sessions import EndsAway, Session, Sessions, same_token
from signaalwissel.security.signing_keys import KeysAway

log = logging.getLogger(__name__)

CSRF_FIELD = "csrf_token"
LOGIN_PATH = "/inloggen"
RETURN_PATH = "/inloggen/terug"
LOGOUT_PATH = "/uitloggen"
_LOGIN = "login"
_SEE_OTHER = 303
_THEN_MAX = 500


class LoginNeeded(Exception):
    """Nobody is logged in; `install_login` sends the browser to the login."""

    def __init__(self, then: str) -> None:
        super().__init__("nobody is logged in")
        self.then = then


class WebSessions:
    """Who is logged in.

    Args:
        sessions: Seals and opens cookies.
        login: The identity provider.
        rate: Requests of one principal.
        secure: Whether the pages are served over TLS; without it only on this machine.
    """

    def __init__(self, sessions: Sessions, login: OidcLogin, rate: RateLimit, *, secure: bool = True) -> None:
        self._sessions = sessions
        self._login = login
        self._rate = rate
        self._secure = secure
        # The prefix makes browsers refuse the cookie from a neighbouring host or without TLS.
        self.cookie = "__Host-signaalwissel" if secure else "signaalwissel"
        self._login_cookie = "__Host-signaalwissel-login" if secure else "signaalwissel-login"

    def session(self, request: Request) -> Session:
        """Dependency: the session of a request, kept alive by it; raises LoginNeeded, Problem 429 or 503."""
        session = self._opened(request)
        if session is None:
            raise LoginNeeded(_local(request.url.path) if request.method == "GET" else "/")
        setattr(request.state, SUBJECT, session.principal.subject)
        wait = self._rate.wait_s(session.principal.subject)
        if wait:
            raise Problem(429, "Te veel verzoeken: wacht even.", headers={"retry-after": str(wait)})
        session = self._listed(session)
        renewed = Response()
        self._put(renewed, self.cookie, self._sessions.seal(session))
        # Not on the dependency's own response, which FastAPI drops where a page returns one.
        setattr(request.state, COOKIES, [renewed.headers["set-cookie"]])
        return session

    async def form_session(self, request: Request) -> Session:
        """Dependency: the session of a form post that came from one of our own pages; raises Problem 403 too."""
        session = await run_in_threadpool(self.session, request)
        if not _from_here(request):
            raise Problem(403, "Dit formulier komt van een andere site.")
        given = (await request.form()).get(CSRF_FIELD)
        if not isinstance(given, str) or not same_token(session, given):
            raise Problem(403, "Dit formulier is verlopen: laad de pagina opnieuw.")
        return session

    def router(self) -> APIRouter:
        """The routes of login and logout."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(LOGIN_PATH, self._begin, methods=["GET"])
        router.add_api_route(RETURN_PATH, self._finish, methods=["GET"])
        router.add_api_route(
            LOGOUT_PATH, self._logout, methods=["POST"], dependencies=[Depends(self.form_session)]
        )
        return router

    def running(self, session: Session) -> Sequence[Running]:
        """Every session of whoever has this one; raises Problem 503."""
        with _asked():
            return self._sessions.running(session)

    def may_end_others(self, session: Session) -> bool:
        """Whether somebody has logged in anew just now."""
        return self._sessions.may_end_others(session)

    def end_others(self, session: Session, wanted: Callable[[Running], bool]) -> None:
        """End those of somebody's other sessions that are wanted; raises Problem 403 without a new login, 503."""
        if not self.may_end_others(session):
            raise Problem(403, "Log opnieuw in om sessies te beëindigen.")
        with _asked():
            count = self._sessions.end_others(session, wanted)
        log.info(
            "ended %d sessions of %s (request %s)", count, session.principal.subject, correlation_id.get()
        )

    async def _begin(self, then: str = "/", *, opnieuw: bool = False) -> Response:
        begun = self._login.begin(_local(then), anew=opnieuw)
        response = RedirectResponse(begun.address, _SEE_OTHER)
        self._put(response, self._login_cookie, self._sessions.seal_for(_LOGIN, begun.kept), LOGIN_S)
        return response

    async def _finish(self, request: Request, state: str = "", code: str = "") -> Response:
        kept = self._sessions.open_for(_LOGIN, request.cookies.get(self._login_cookie, ""), LOGIN_S)
        try:
            if kept is None:
                raise LoginFailed("there is no login that began in this browser")
            principal = await self._login.finish(kept, state, code)
        except LoginFailed as failure:
            log.warning("login failed: %s (request %s)", failure, correlation_id.get())
            raise Problem(401, "Het inloggen is niet gelukt. Probeer het opnieuw.") from None
        except (ProviderAway, KeysAway) as away:
            log.error("identity provider away: %s", away)  # noqa: TRY400 the text says it all
            raise Problem(503, "Inloggen kan nu niet.", headers={"retry-after": "30"}) from None
        log.info("logged in: %s (request %s)", principal.subject, correlation_id.get())
        # Whoever logs in again does not leave the session of before behind (OWASP ASVS 7.2.4).
        await run_in_threadpool(self._end, request)
        response = RedirectResponse(kept["then"], _SEE_OTHER)
        session = await run_in_threadpool(self._listed, self._sessions.begin(principal, proven=ANEW in kept))
        self._put(response, self.cookie, self._sessions.seal(session))
        response.delete_cookie(self._login_cookie, path="/", secure=self._secure, httponly=True)
        return response

    async def _logout(self, request: Request) -> Response:
        await run_in_threadpool(self._end, request)
        setattr(request.state, COOKIES, [])
        response = RedirectResponse(self._login.end_address(str(request.base_url)) or "/", _SEE_OTHER)
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True)
        # What this browser still has of our pages goes with the session (OWASP ASVS 14.3.1).
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    def _opened(self, request: Request) -> Session | None:
        """The session of a request's cookie; raises Problem 503 where nobody can tell whether it was ended."""
        with _asked():
            return self._sessions.open(request.cookies.get(self.cookie, ""))

    def _listed(self, session: Session) -> Session:
        with _asked():
            return self._sessions.list(session)

    def _end(self, request: Request) -> None:
        session = self._opened(request)
        if session is None:
            return
        with _asked():
            self._sessions.end(session)
        log.info("logged out: %s (request %s)", session.principal.subject, correlation_id.get())

    def _put(self, response: Response, name: str, value: str, age_s: int | None = None) -> None:
        # Lax, so that the browser brings it along when the identity provider sends it back.
        response.set_cookie(name, value, age_s, path="/", secure=self._secure, httponly=True, samesite="lax")


@contextmanager
def _asked() -> Iterator[None]:
    """Turn what stands in the way of knowing which sessions count into Problem 503."""
    try:
        yield
    except EndsAway as away:
        log.error("sessions cannot be looked at: %s", away)  # noqa: TRY400 the text says it all
        detail = "Uw aanmelding is nu niet te controleren. Probeer het over een minuut opnieuw."
        raise Problem(503, detail, headers={"retry-after": "30"}) from None


def install_login(app: Any) -> None:
    """Have a FastAPI app send whoever is not logged in to the login."""

    async def to_login(_request: Request, needed: Exception) -> Response:
        assert isinstance(needed, LoginNeeded)  # noqa: S101 registered for it
        return RedirectResponse(f"{LOGIN_PATH}?then={quote(needed.then)}", _SEE_OTHER)

    app.add_exception_handler(LoginNeeded, to_login)


def _local(address: str) -> str:
    """A path of ours; anything else, which could lead to another site, becomes the first page."""
    parts = urlsplit(address)
    unsafe = parts.scheme or parts.netloc or "\\" in address or not address.isprintable()
    if unsafe or not address.startswith("/") or address.startswith("//") or len(address) > _THEN_MAX:
        return "/"
    return address


def _from_here(request: Request) -> bool:
    """Whether the browser says that a post came from our own pages; one that says nothing has the form's token."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        # The browser's own word. With our referrer policy it gives a form's origin as "null", so that tells nothing.
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.url.netloc
