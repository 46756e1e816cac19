"""Werkvoorraad: the tasks of a counsellor, a team or a municipality, the most urgent first.

In: whose tasks, from which place on. Out: a page of the list.
"""

from datetime import date
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.parts import session_of
from signaalwissel.console.webpages.reporting import ReportingPage
from signaalwissel.processors.access import Action, Principal, may_somewhere
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.web_reads import now_of
from signaalwissel.sinks.work_list import COUNT_MAX, After, Wanted, work_counts, work_page


class View(NamedTuple):
    """One way to look at the list."""

    name: str
    text: str
    wanted: Wanted


def views(principal: Principal) -> list[View]:
    """The ways in which somebody may look at the list; the first is shown when nothing is asked."""
    codes = sorted(principal.municipalities)
    found = []
    if principal.counsellor_id is not None and may_somewhere(principal, Action.UPDATE_TASK):
        found.append(View("mijn", "Mijn taken", Wanted(codes, assignee=principal.counsellor_id)))
    if principal.teams and may_somewhere(principal, Action.UPDATE_TASK):
        found.append(View("team", "Mijn team", Wanted(codes, teams=sorted(principal.teams))))
    if whole := rights.whole_municipalities(principal):
        found.append(View("gemeente", "Hele gemeente", Wanted(whole)))
    return found


class WorkList(ReportingPage):
    """The list."""

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/taken", self.show, methods=["GET"])
        return router

    def show(self, request: Request, van: str = "", na: str = "") -> HTMLResponse:
        """One page of the list; `van` names the view, `na` the place where the page before ended."""
        principal = session_of(request).principal
        if not may_somewhere(principal, Action.READ_TASK):
            raise Problem(403, "U mag geen taken zien.")
        known = views(principal)
        chosen = next((view for view in known if view.name == van), known[0] if known and not van else None)
        if chosen is None:
            if known or van:
                raise Problem(403, "Deze lijst mag u niet zien.")
            return self._pages.page(request, "work_none.html", 200, title="Werkvoorraad")
        wanted = chosen.wanted
        with self._parts.rows(principal) as connection:
            today = amsterdam_day(now_of(connection))
            counts = work_counts(connection, wanted, today)
            found = work_page(
                connection, Wanted(wanted.municipalities, wanted.assignee, wanted.teams, _after(na))
            )
        return self._pages.page(
            request,
            "work.html",
            title="Werkvoorraad",
            views=known,
            chosen=chosen,
            counts=counts,
            count_max=COUNT_MAX,
            rows=found.rows,
            under_way={row.task_id for row in found.rows if self._sent.of(row.task_id)},
            after=None if found.after is None else f"{found.after.due_on.isoformat()} {found.after.task_id}",
            begins=not na,
            today=today,
        )


def _after(text: str) -> After | None:
    if not text:
        return None
    day, _, task_id = text.partition(" ")
    try:
        return After(date.fromisoformat(day), task_id.replace("\x00", ""))
    except ValueError:
        raise Problem(400, "Dit adres klopt niet. Begin opnieuw bij de werkvoorraad.") from None
