"""Cijfers: what partners expect of debt help, as a table: new arrears after admission and after completion (domain 8.19).

In: somebody's municipalities, a month. Out: the table, small groups suppressed.
"""

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import Page, session_of
from signaalwissel.processors.access import Action, may_somewhere
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.figures import new_arrears_in
from signaalwissel.sinks.web_reads import now_of


class PartnerFiguresPage(Page):
    """The page."""

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/cijfers/partners", self.show, methods=["GET"])
        return router

    def show(self, request: Request, maand: str = "") -> HTMLResponse:
        """The table of a month; of the last one that is over where none is asked for."""
        principal = session_of(request).principal
        codes = rights.whole_municipalities(principal)
        if not may_somewhere(principal, Action.READ_FIGURES) or not codes:
            raise Problem(403, "U mag deze cijfers niet zien.")
        wanted = _month(maand)
        with self._parts.rows(principal) as connection:
            month = wanted or _month_before(amsterdam_day(now_of(connection)))
            tables = {
                code: new_arrears_in(connection, self._parts.policies, municipality=code, month=month)
                for code in codes
            }
        return self._pages.page(request, "partner_figures.html", title="Cijfers", month=month, tables=tables)


def _month(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Problem(400, "Vul een maand in zoals 2026-02.") from None


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
