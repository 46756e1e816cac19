"""Mending a dead letter: its fields in a form, personal data masked, each look on record first.

In: a dead letter of somebody's municipality; a filled-in form. Out: the form; a mended record that Kafka has before the
page says so. What stays masked stays as it was, and nobody but the roles that may mend sees a value at all.
"""

import logging
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from signaalwissel.console.failures import CommandFailure, ServiceAway
from signaalwissel.console.mending import MASK, fields_of
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import Page, session_of
from signaalwissel.processors.access import Principal
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.dead_letters import (
    DeadLetterRow,
    DeadLetterStatus,
    ReplayRefused,
    find_dead_letter,
)

log = logging.getLogger(__name__)

_SEE_OTHER = 303


class MendingPage(Page):
    """The page."""

    def forms(self) -> APIRouter:
        """Opening a letter, and sending it mended; both are posted, as both are put on record."""
        router = APIRouter()
        router.add_api_route("/berichten/{letter_id}/openen", self.open, methods=["POST"])
        router.add_api_route("/berichten/{letter_id}/herstel", self.mend, methods=["POST"])
        return router

    def open(self, request: Request, letter_id: str) -> HTMLResponse:
        """The form, once the look is on record."""
        letter = self._letter(session_of(request).principal, letter_id)
        return self._form(request, letter, {})

    async def mend(self, request: Request, letter_id: str) -> Response:
        """Send the record as it was filled in; the form again, with what is wrong, where it would be refused."""
        form = await request.form()
        filled = {name: value for name, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(self._mend, request, letter_id, filled)

    def _mend(self, request: Request, letter_id: str, filled: Mapping[str, str]) -> Response:
        principal = session_of(request).principal
        letter = self._letter(principal, letter_id)
        try:
            self._parts.letters.mend(letter, filled, principal.subject)
        except ServiceAway as away:
            raise _away(away) from away
        except (CommandFailure, ReplayRefused) as refused:
            return self._form(request, letter, filled, str(refused))
        return RedirectResponse(f"/berichten/{letter_id}?gedaan=herstel", _SEE_OTHER)

    def _form(
        self, request: Request, letter: DeadLetterRow, filled: Mapping[str, str], problem: str | None = None
    ) -> HTMLResponse:
        try:
            record = self._parts.letters.look(letter, session_of(request).principal.subject)
        except ServiceAway as away:
            raise _away(away) from away
        except CommandFailure as refused:
            raise Problem(409, f"Dit bericht kan hier niet worden hersteld. {refused}") from refused
        fields = fields_of(record, letter.field)
        return self._pages.page(
            request,
            "letter_mending.html",
            200 if problem is None else 409,
            title="Bericht herstellen",
            letter=letter,
            fields=[(field, filled.get(field.name, field.text)) for field in fields],
            mask=MASK,
            problem=problem,
        )

    def _letter(self, principal: Principal, letter_id: str) -> DeadLetterRow:
        with self._parts.rows(principal) as connection:
            letter = find_dead_letter(connection, letter_id.replace("\x00", ""))
        if letter is None or not rights.may_mend(principal, letter.municipality):
            raise Problem(404, "Dit bericht is er niet, of u mag het niet herstellen.")
        if letter.status is not DeadLetterStatus.OPEN:
            raise Problem(409, "Dit bericht is niet meer open.")
        return letter


def _away(away: ServiceAway) -> Problem:
    log.warning("a dead letter was not opened or sent: %s", away)
    return Problem(
        503,
        "Dit kan nu niet worden vastgelegd of verstuurd. Er is niets getoond of veranderd. Probeer het later opnieuw.",
    )
