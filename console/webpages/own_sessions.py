"""Mijn sessies: in how many browsers somebody is logged in, and the end of those that they do not know (ASVS 7.5.2).

In: whose session asks; which others are to end. Out: when each began and was last used, the end of them. Nothing tells of
browser or machine: we keep none of it. To end one takes a login of a moment ago, so that who finds a screen unlocked
cannot log its owner out everywhere else.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from signaalwissel.console.webpages.parts import Page, session_of
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.http_sessions import LOGIN_PATH
from signaalwissel.security.running_sessions import Running

PATH = "/sessies"
_OTHERS = "andere"
_SEE_OTHER = 303
_DIGEST_LENGTH = 64


class OwnSessionsPage(Page):
    """The page."""

    def routes(self) -> APIRouter:
        """Its list."""
        router = APIRouter()
        router.add_api_route(PATH, self.show, methods=["GET"])
        return router

    def forms(self) -> APIRouter:
        """The end of others."""
        router = APIRouter()
        router.add_api_route(PATH, self.end, methods=["POST"])
        return router

    def show(self, request: Request, gedaan: bool = False) -> HTMLResponse:
        """Somebody's sessions, their own first."""
        session = session_of(request)
        sessions = self._parts.sessions
        found = sorted(sessions.running(session), key=lambda one: one.digest != session.digest)
        return self._pages.page(
            request,
            "sessions.html",
            title="Mijn sessies",
            own=session.digest,
            sessions=found,
            others=_OTHERS,
            proven=sessions.may_end_others(session),
            anew=f"{LOGIN_PATH}?then={PATH}&opnieuw=true",
            done=gedaan,
        )

    def end(self, request: Request, sessie: Annotated[str, Form(max_length=_DIGEST_LENGTH)]) -> Response:
        """End one, or all others. One that ran out meanwhile has ended as well."""
        if sessie == _OTHERS:
            self._end(request, None)
            return RedirectResponse(f"{PATH}?gedaan=true", _SEE_OTHER)
        try:
            digest = bytes.fromhex(sessie)
        except ValueError:
            raise Problem(400, "Deze sessie is er niet.") from None
        self._end(request, digest)
        return RedirectResponse(f"{PATH}?gedaan=true", _SEE_OTHER)

    def _end(self, request: Request, digest: bytes | None) -> None:
        def wanted(one: Running) -> bool:
            return digest is None or one.digest == digest

        self._parts.sessions.end_others(session_of(request), wanted)
