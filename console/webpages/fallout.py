"""Uitval: hits that nobody attends to, by age. It must be empty.

In: somebody's municipalities. Out: what fell out by a defect, and what is later than its term.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import Page, session_of
from signaalwissel.processors.access import Action, may_somewhere
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.followup_findings import findings_in
from signaalwissel.sinks.web_reads import LATE_MAX, late_hits, now_of

AGES = (
    (7, "tot een week te laat"),
    (28, "een tot vier weken te laat"),
    (None, "langer dan vier weken te laat"),
)


class FalloutPage(Page):
    """The page."""

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/uitval", self.show, methods=["GET"])
        return router

    def show(self, request: Request) -> HTMLResponse:
        """What fell out, the oldest first."""
        principal = session_of(request).principal
        codes = rights.whole_municipalities(principal)
        if not may_somewhere(principal, Action.READ_FIGURES) or not codes:
            raise Problem(403, "U mag deze lijst niet zien.")
        with self._parts.rows(principal) as connection:
            today = amsterdam_day(now_of(connection))
            late = [hit for code in codes for hit in late_hits(connection, code, today)]
            lost = findings_in(connection)
        late.sort(key=lambda hit: (hit.due_on, hit.task_id))
        groups = []
        before = 0
        for until, text in AGES:
            hits = [hit for hit in late if before < (today - hit.due_on).days <= (until or 10**6)]
            before = until or before
            groups.append((text, hits))
        # The longest wait comes first: it is the worst.
        return self._pages.page(
            request,
            "fallout.html",
            title="Uitval",
            groups=list(reversed(groups)),
            late=len(late),
            lost=lost[:LATE_MAX],
            cut_off=len(late) >= LATE_MAX or len(lost) > LATE_MAX,
            today=today,
        )
