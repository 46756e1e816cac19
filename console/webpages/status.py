"""Beheer: how the installation is doing, as `doctor` and the database know it.

In: nothing but who asks. Out: findings with what to do, and the numbers behind them.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.findings import Finding
from signaalwissel.console.webpages.kept import Kept
from signaalwissel.console.webpages.parts import Page, Pages, Parts, session_of
from signaalwissel.processors.access import Action, Target, may
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.database import database_away
from signaalwissel.sinks.health import health
from signaalwissel.sinks.operations_reads import pace, retention_state
from signaalwissel.sinks.settings import ServiceAway

_KEPT_S = 15.0
"""A look costs a few seconds of Kafka's and PostgreSQL's time: one serves everybody who asks within this."""


class StatusPage(Page):
    """The page.

    Args:
        parts: What it is made of.
        pages: Makes the page.
    """

    def __init__(self, parts: Parts, pages: Pages) -> None:
        super().__init__(parts, pages)
        self._looked: Kept[Sequence[Finding]] = Kept(parts.patience_s, _KEPT_S)

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/beheer", self.show, methods=["GET"])
        return router

    def show(self, request: Request) -> HTMLResponse:
        """What was found, what is wrong first."""
        if not may(session_of(request).principal, Action.READ_STATUS, Target()):
            raise Problem(403, "U mag het beheer niet zien.")
        looked = self._looked.look(None, self._parts.look)
        found = () if looked is None else looked.value
        try:
            with database_away():
                told = health(self._parts.engine)
                work = pace(self._parts.engine)
                retention = retention_state(self._parts.engine)
        except ServiceAway:
            told, work, retention = None, None, None
        processes = self._parts.processes()
        return self._pages.page(
            request,
            "status.html",
            title="Beheer",
            findings=sorted((one for one in found if not _is_lag(one)), key=lambda one: one.ok),
            lags=[one for one in found if _is_lag(one)],
            processes=processes,
            pace=work,
            retention=retention,
            looked=looked,
            wrong=sum(not one.ok for one in found) + sum(not one.ready for one in processes),
            health=told,
        )


def _is_lag(one: Finding) -> bool:
    """Whether a finding is how far a reader is: those stand by themselves."""
    return one.check.endswith(" lag")
