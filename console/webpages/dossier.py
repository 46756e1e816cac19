"""Dossier: a trajectory as a timeline, with the window in which a relapse counts and its aftercare.

In: a trajectory's number and municipality. Out: how it stands today, and everything that happened, in order.
"""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.accounting import Done
from signaalwissel.console.webpages.dossier_view import Happening, Standing, happenings, standings
from signaalwissel.console.webpages.parts import Page, recording, session_of
from signaalwissel.processors.access import Action, Principal, Target, may, may_somewhere
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.processing_lines import client_of, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.web_reads import Dossier, dossier_of, now_of

_NUMBER_MAX = 200


@dataclass(frozen=True)
class ShownDossier:
    """A trajectory as the page shows it."""

    dossier: Dossier
    standings: tuple[Standing, ...]
    timeline: tuple[Happening, ...]
    today: date


class DossierPage(Page):
    """The page."""

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/dossiers", self.show, methods=["GET"])
        return router

    def show(self, request: Request, traject: str = "", gemeente: str = "") -> HTMLResponse:
        """The search form, and the trajectory that is asked for."""
        principal = session_of(request).principal
        if not may_somewhere(principal, Action.READ_TASK):
            raise Problem(403, "U mag geen dossiers zien.")
        number = traject.strip()[:_NUMBER_MAX].replace("\x00", "")
        codes = sorted(principal.municipalities)
        code = gemeente if gemeente in codes else (codes[0] if codes else "")
        shown = self._found(principal, TrajectoryKey(code, number)) if number and code else None
        return self._pages.page(
            request,
            "dossier.html",
            title=f"Dossier {number}".strip(),
            number=number,
            code=code,
            codes=codes,
            shown=shown,
        )

    def _found(self, principal: Principal, key: TrajectoryKey) -> ShownDossier | None:
        with self._parts.rows(principal) as connection:
            dossier = dossier_of(connection, key)
            today = amsterdam_day(now_of(connection))
        if dossier is None or not _may_read(principal, dossier):
            return None
        done = Done(
            Purpose.RECORD_CONSULTED,
            EventKind.RECORD_CONSULTED,
            f"trajectory {key.trajectory_id}",
            key.municipality,
            trace_from(*key),
            client_of(*key),
        )
        with recording():
            self._parts.accounting.of(principal.subject).account(done)
        policy = self._parts.policies.get(key.municipality) or self._parts.policies.default
        return ShownDossier(dossier, standings(dossier, policy, today), happenings(dossier, policy), today)


def _may_read(principal: Principal, dossier: Dossier) -> bool:
    code = dossier.key.municipality
    targets = {Target(code)}
    if dossier.counsellor is not None:
        targets.add(Target(code, dossier.counsellor.counsellor_id, dossier.counsellor.team))
    targets |= {Target(code, task.assignee, task.team) for task in dossier.tasks if not task.ended}
    return any(may(principal, Action.READ_TASK, target) for target in targets)
