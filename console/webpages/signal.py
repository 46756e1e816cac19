"""Signaal: the whole journey of one signal, for whoever may see it.

In: a partner's signal number. Out: when it came, what was decided and why, what was corrected, its tasks, who looked.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from signaalwissel.console.accounting import Done
from signaalwissel.console.webpages.parts import Page, recording, session_of
from signaalwissel.processors.access import Action, Principal, Target, may, may_somewhere
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.processing_lines import subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.journey import DeliveryJourney, journey_in
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.web_reads import Look, SignalNotice, looks_at, notices_about

_NUMBER_MAX = 200


@dataclass(frozen=True)
class ShownDelivery:
    """A delivery with what only some may see: `looks` is None for whoever may not read the audit trail."""

    journey: DeliveryJourney
    notices: tuple[SignalNotice, ...]
    looks: tuple[Look, ...] | None


class SignalPage(Page):
    """The page."""

    def routes(self) -> APIRouter:
        """Its route."""
        router = APIRouter()
        router.add_api_route("/signalen", self.show, methods=["GET"])
        return router

    def show(self, request: Request, nummer: str = "") -> HTMLResponse:
        """The search form, and what is known of a number."""
        principal = session_of(request).principal
        if not may_somewhere(principal, Action.READ_DECISION):
            raise Problem(403, "U mag geen signalen zien.")
        number = nummer.strip()[:_NUMBER_MAX].replace("\x00", "")
        shown = self._found(principal, number) if number else []
        return self._pages.page(
            request, "signal.html", title="Signaal", number=number, shown=shown, searched=bool(number)
        )

    def _found(self, principal: Principal, number: str) -> list[ShownDelivery]:
        with self._parts.rows(principal) as connection:
            found = journey_in(connection, None, number)
            allowed = [one for one in found.deliveries if _may_read(principal, one)]
            # Before anything is shown: what is not on record is not seen.
            for delivery in allowed:
                self._account(principal, delivery)
            return [
                ShownDelivery(
                    delivery,
                    tuple(notices_about(connection, delivery)),
                    self._looks(connection, principal, delivery),
                )
                for delivery in allowed
            ]

    def _looks(
        self, connection: Any, principal: Principal, delivery: DeliveryJourney
    ) -> tuple[Look, ...] | None:
        if not may(principal, Action.READ_AUDIT, Target(delivery.municipality)):
            return None
        return tuple(looks_at(connection, trace_from(_ref(delivery).hex()), delivery.municipality))

    def _account(self, principal: Principal, delivery: DeliveryJourney) -> None:
        ref = _ref(delivery)
        done = Done(
            Purpose.RECORD_CONSULTED,
            EventKind.RECORD_CONSULTED,
            about=f"signal {ref.hex()}",
            municipality=delivery.municipality,
            trace_id=trace_from(ref.hex()),
            subject=subject_of_signal(ref),
        )
        with recording():
            self._parts.accounting.of(principal.subject).account(done)


def _may_read(principal: Principal, delivery: DeliveryJourney) -> bool:
    """Whether any decision about it, or task, is theirs to read: a correction may have moved it away from them."""
    targets = {Target(delivery.municipality)}
    targets |= {Target(delivery.municipality, one.counsellor_id, one.team) for one in delivery.decisions}
    targets |= {Target(delivery.municipality, task.assignee, task.team) for task in delivery.tasks}
    return any(may(principal, Action.READ_DECISION, target) for target in targets)


def _ref(delivery: DeliveryJourney) -> bytes:
    return signal_ref(
        delivery.municipality, delivery.partner_id, delivery.signal_id, millis_of(delivery.received_at)
    )
