"""Vastgelopen berichten: dead letters, masked; to be replayed, put aside or taken up again.

In: a filter; a form. Out: where a record came from and what is wrong with it, never what is in it.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from signaalwissel.console.failures import CommandFailure, ServiceAway
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import Page, session_of
from signaalwissel.processors.access import Action, Principal, Target, may, may_somewhere
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.dead_letters import (
    DeadLetterFilter,
    DeadLetterRow,
    DeadLetterStatus,
    ReplayRefused,
    dead_letters_in,
    find_dead_letter,
)

_PAGE = 50
_SEE_OTHER = 303
_ALL = "alle"
_DONE = {
    "opnieuw": "Het bericht is opnieuw aangeboden.",
    "herstel": "Het herstelde bericht is aangeboden.",
    "opzij": "Het bericht is opzij gelegd.",
    "terug": "Het bericht is weer open.",
}


class LettersPage(Page):
    """The pages."""

    def routes(self) -> APIRouter:
        """The list and one letter."""
        router = APIRouter()
        router.add_api_route("/berichten", self.list, methods=["GET"])
        router.add_api_route("/berichten/{letter_id}", self.show, methods=["GET"])
        return router

    def forms(self) -> APIRouter:
        """What can be done with one."""
        router = APIRouter()
        router.add_api_route("/berichten/{letter_id}", self.handle, methods=["POST"])
        return router

    def list(
        self,
        request: Request,
        stand: str = "open",
        code: str = "",
        topic: str = "",
        gemeente: str = "",
        nummer: str = "",
    ) -> HTMLResponse:
        """Dead letters, the newest first."""
        principal = _reader(request)
        try:
            status = None if stand == _ALL else DeadLetterStatus(stand)
        except ValueError:
            raise Problem(400, "Deze stand is er niet.") from None
        given = {
            "code": _clean(code),
            "topic": _clean(topic),
            "municipality": _clean(gemeente),
            "record_id": _clean(nummer),
        }
        wanted = DeadLetterFilter(status=status, limit=_PAGE + 1, **given)
        every = rights.reads_every_letter(principal)
        with self._parts.rows(principal, every_dead_letter=every) as connection:
            found = dead_letters_in(connection, wanted)
        return self._pages.page(
            request,
            "letters.html",
            title="Vastgelopen berichten",
            letters=found[:_PAGE],
            more=len(found) > _PAGE,
            chosen=stand,
            all_statuses=_ALL,
            statuses=list(DeadLetterStatus),
            given={name: value or "" for name, value in given.items()},
        )

    def show(self, request: Request, letter_id: str, gedaan: str = "") -> HTMLResponse:
        """One of them."""
        return self._page(request, self._letter(_reader(request), letter_id), done=_DONE.get(gedaan))

    def handle(self, request: Request, letter_id: str, actie: Annotated[str, Form()]) -> Response:
        """Replay it, put it aside or take it up again."""
        principal = _reader(request)
        if not may(principal, Action.HANDLE_DEAD_LETTER, Target()):
            raise Problem(403, "U mag niets met deze berichten doen.")
        letter = self._letter(principal, letter_id)
        letters = self._parts.letters
        actions: dict[str, Callable[[str, str], object]] = {
            "opnieuw": letters.replay,
            "opzij": letters.park,
            "terug": letters.reopen,
        }
        if actie not in actions:
            raise Problem(400, "Deze handeling is er niet.")
        try:
            actions[actie](letter_id, principal.subject)
        except ServiceAway as away:
            return self._page(request, letter, 503, problem=f"Dit kan nu niet. {away}")
        except (CommandFailure, ReplayRefused) as refused:
            return self._page(
                request, self._letter(principal, letter_id), 409, problem=f"Dit kan niet. {refused}"
            )
        return RedirectResponse(f"/berichten/{letter_id}?gedaan={actie}", _SEE_OTHER)

    def _letter(self, principal: Principal, letter_id: str) -> DeadLetterRow:
        every = rights.reads_every_letter(principal)
        with self._parts.rows(principal, every_dead_letter=every) as connection:
            letter = find_dead_letter(connection, _clean(letter_id) or "")
        if letter is None:
            raise Problem(404, "Dit bericht is er niet.")
        return letter

    def _page(
        self,
        request: Request,
        letter: DeadLetterRow,
        status: int = 200,
        *,
        done: str | None = None,
        problem: str | None = None,
    ) -> HTMLResponse:
        return self._pages.page(
            request,
            "letter.html",
            status,
            title="Vastgelopen bericht",
            letter=letter,
            done=done,
            problem=problem,
            may_handle=may(session_of(request).principal, Action.HANDLE_DEAD_LETTER, Target()),
            may_mend=rights.may_mend(session_of(request).principal, letter.municipality),
        )


def _reader(request: Request) -> Principal:
    principal = session_of(request).principal
    if not may_somewhere(principal, Action.READ_DEAD_LETTER):
        raise Problem(403, "U mag vastgelopen berichten niet zien.")
    return principal


def _clean(text: str) -> str | None:
    return text.strip().replace("\x00", "") or None
