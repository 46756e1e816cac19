"""Uitval: hits that nobody attends to, by age. It must be empty.

In: somebody's municipalities. Out: what fell out by a defect, and what is later than its term. Where there are many hits
the look at all of them is a short while old, and the page says how old.
"""

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.kept import Kept
from signaalwissel.console.webpages.parts import Page, Pages, Parts, session_of
from signaalwissel.processors.access import Action, Principal, may_somewhere
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.followup_findings import FollowUpFinding, findings_in
from signaalwissel.sinks.web_reads import LATE_MAX, LateHit, late_hits, now_of

AGES = (
    (7, "tot een week te laat"),
    (28, "een tot vier weken te laat"),
    (None, "langer dan vier weken te laat"),
)


class FalloutPage(Page):
    """The page.

    Args:
        parts: What it is made of.
        pages: Makes the page.
    """

    def __init__(self, parts: Parts, pages: Pages) -> None:
        super().__init__(parts, pages)
        self._lost: Kept[list[FollowUpFinding]] = Kept(parts.patience_s)

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
        looked = self._lost.look(principal.municipalities, lambda: self._findings(principal))
        lost = [] if looked is None else looked.value
        late.sort(key=lambda hit: (hit.due_on, hit.task_id))
        return self._pages.page(
            request,
            "fallout.html",
            title="Uitval",
            groups=_by_age(late, today),
            late=len(late),
            looked=looked,
            lost=lost[:LATE_MAX],
            cut_off=len(late) >= LATE_MAX or len(lost) > LATE_MAX,
            today=today,
        )

    def _findings(self, principal: Principal) -> list[FollowUpFinding]:
        with self._parts.rows(principal) as connection:
            return findings_in(connection)


def _by_age(late: Sequence[LateHit], today: date) -> list[tuple[str, list[LateHit]]]:
    """The longest wait first: it is the worst."""
    groups = []
    before = 0
    for until, text in AGES:
        hits = [hit for hit in late if before < (today - hit.due_on).days <= (until or 10**6)]
        before = until or before
        groups.append((text, hits))
    return groups[::-1]
