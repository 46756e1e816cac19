"""One task: why it came, what is known, what can be reported; and who it is about, for whoever may know.

In: a task id; a form. Out: the page; a TaskUpdate that Kafka has before the page says so.
"""

import asyncio
import logging
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from signaalwissel.console.accounting import Accounting, Done
from signaalwissel.console.webpages import rights
from signaalwissel.console.webpages.contact import Contact, contacts_of
from signaalwissel.console.webpages.parts import recording, session_of
from signaalwissel.console.webpages.reporting import Report, ReportingPage, foreseen, update_of
from signaalwissel.processors.access import Action, Principal, may
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_updates import UpdateRefused, apply_update, check_update
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.processing_lines import client_of, subject_of_signal, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.units import Millis
from signaalwissel.security.http_problems import Problem
from signaalwissel.sinks.colleagues import known_counsellors
from signaalwissel.sinks.ledger import EventKind
from signaalwissel.sinks.web_reads import now_of, policy_of, task_of
from signaalwissel.sinks.work_list import update_applied
from signaalwissel.sources.gateway_delivery import Away

log = logging.getLogger(__name__)

_SEE_OTHER = 303
_NOT_THERE = "Deze taak is er niet, of u mag haar niet zien."
_HARDLY_USED = {ContactChannel.ADMINISTRATIVE, ContactChannel.UNKNOWN}


class Seen(NamedTuple):
    """A task as it is stored, as it will be, what was reported in between, and to whom it may be handed over."""

    task: Task
    future: Task
    under_way: tuple[TaskUpdate, ...]
    policy: Policy
    now: Millis
    colleagues: tuple[str, ...] = ()


class TaskForm(NamedTuple):
    """What a form posts, as it came."""

    kind: str
    version: int
    channel: str
    outcome: str
    candidate: str
    colleague: str


def task_form(
    soort: Annotated[str, Form()],
    versie: Annotated[int, Form()],
    kanaal: Annotated[str, Form()] = "",
    resultaat: Annotated[str, Form()] = "",
    kandidaat: Annotated[str, Form()] = "",
    collega: Annotated[str, Form()] = "",
) -> TaskForm:
    """Dependency: the fields of a report."""
    return TaskForm(soort, versie, kanaal, resultaat, kandidaat, collega)


class TaskPage(ReportingPage):
    """The page of a task."""

    def routes(self) -> APIRouter:
        """Its page."""
        router = APIRouter()
        router.add_api_route("/taken/{task_id}", self.show, methods=["GET"])
        return router

    def forms(self) -> APIRouter:
        """What its forms post to."""
        router = APIRouter()
        router.add_api_route("/taken/{task_id}/melding", self.report, methods=["POST"])
        router.add_api_route("/taken/{task_id}/gegevens", self.open, methods=["POST"])
        return router

    def show(self, request: Request, task_id: str, gemeld: bool = False) -> HTMLResponse:
        """The task, once that is on record."""
        seen = self._seen(session_of(request).principal, task_id)
        self._account(session_of(request).principal, seen.task)
        return self._page(request, seen, told=gemeld)

    async def report(
        self, request: Request, task_id: str, form: Annotated[TaskForm, Depends(task_form)]
    ) -> Response:
        """Send what was reported, and say so once Kafka has it."""
        principal = session_of(request).principal
        seen = await asyncio.to_thread(self._seen, principal, task_id)
        report = _report_of(form)
        update = update_of(task_id, report, principal, self._parts.now_ms())
        if not await asyncio.to_thread(self._sent_before, principal, update):
            problem = _refusal(seen, update, principal)
            if problem is not None:
                return self._page(request, seen, 409, problem=problem)
            try:
                await self._parts.deliver(update.task_id.encode(), codec("TaskUpdate").encode(update))
            except Away:
                log.exception("a report on task %s did not get onto Kafka", task_id)
                problem = "Uw melding is niet aangekomen. Er is niets vastgelegd. Probeer het over een minuut opnieuw."
                return self._page(request, seen, 503, problem=problem)
            self._sent.add(update)
        return RedirectResponse(f"/taken/{task_id}?gemeld=true", _SEE_OTHER)

    def open(self, request: Request, task_id: str) -> HTMLResponse:
        """Who the task is about, each opening on record first."""
        principal = session_of(request).principal
        seen = self._seen(principal, task_id)
        if not may(principal, Action.OPEN_CONTACT_DETAILS, rights.read_target(seen.task)):
            raise Problem(403, "U mag deze persoonsgegevens niet openen.")
        with self._parts.rows(principal) as connection, recording():
            contacts = contacts_of(
                connection, seen.task, self._parts.open_subject, self._accounting(principal)
            )
        return self._page(request, seen, contacts=contacts)

    def _sent_before(self, principal: Principal, update: TaskUpdate) -> bool:
        if any(one.update_id == update.update_id for one in self._sent.of(update.task_id)):
            return True
        with self._parts.rows(principal) as connection:
            return update_applied(connection, update.update_id)

    def _seen(self, principal: Principal, task_id: str) -> Seen:
        if "\x00" in task_id:
            raise Problem(404, _NOT_THERE)
        with self._parts.rows(principal) as connection:
            task = task_of(connection, task_id)
            if task is None or not may(principal, Action.READ_TASK, rights.read_target(task)):
                raise Problem(404, _NOT_THERE)
            for update in self._sent.of(task_id):
                if update_applied(connection, update.update_id):
                    self._sent.forget(update)
            policy = policy_of(connection, task, self._parts.policies)
            now = now_of(connection)
            under_way = self._sent.of(task_id)
            future = foreseen(task, under_way, policy)
            colleagues = _colleagues(connection, future, policy, principal)
        return Seen(task, future, under_way, policy, now, colleagues)

    def _accounting(self, principal: Principal) -> Accounting:
        return self._parts.accounting.of(principal.subject)

    def _account(self, principal: Principal, task: Task) -> None:
        held = task.held
        subject = None
        if task.trajectory_id is not None:
            subject = client_of(task.municipality, task.trajectory_id)
        elif held:
            subject = subject_of_signal(held[0].ref)
        about = trace_from(held[0].ref.hex() if held else task.task_id)
        done = Done(
            Purpose.RECORD_CONSULTED,
            EventKind.RECORD_CONSULTED,
            f"task {task.task_id}",
            task.municipality,
            about,
            subject,
        )
        with recording():
            self._accounting(principal).account(done)

    def _page(self, request: Request, seen: Seen, status: int = 200, **said: Any) -> HTMLResponse:
        principal = session_of(request).principal
        contacts: list[Contact] = said.get("contacts", [])
        may_open = may(principal, Action.OPEN_CONTACT_DETAILS, rights.read_target(seen.task))
        return self._pages.page(
            request,
            "task.html",
            status,
            title=f"Taak {seen.task.trajectory_id or ''}".strip(),
            task=seen.future,
            stored=seen.task,
            under_way=seen.under_way,
            reports=rights.reports(principal, seen.future),
            colleagues=seen.colleagues,
            channels=[one for one in ContactChannel if one not in _HARDLY_USED],
            outcomes=list(ContactOutcome),
            may_open=may_open and bool(seen.task.held),
            contacts=contacts,
            problem=said.get("problem"),
            told=said.get("told", False),
            today=amsterdam_day(seen.now),
        )


def _report_of(form: TaskForm) -> Report:
    try:
        kind = TaskUpdateKind(form.kind)
        channel = ContactChannel(form.channel) if form.channel else None
        outcome = ContactOutcome(form.outcome) if form.outcome else None
        candidate = None
        if form.candidate:
            client, _, trajectory_id = form.candidate.partition(" ")
            candidate = (trajectory_id, int(client))
    except ValueError:
        raise Problem(400, "Dit formulier klopt niet. Laad de pagina opnieuw.") from None
    return Report(kind, form.version, channel, outcome, candidate, form.colleague or None)


def _colleagues(connection: Any, task: Task, policy: Policy, principal: Principal) -> tuple[str, ...]:
    """To whom somebody may give a task: not to who has it, and they themselves take it over."""
    if not rights.hands_over(principal, task):
        return ()
    found = known_counsellors(connection, task.municipality)
    passed = {task.assignee, principal.counsellor_id}
    return tuple(one for one in found if one not in passed and policy.teams.may_own(one))


def _refusal(seen: Seen, update: TaskUpdate, principal: Principal) -> str | None:
    """Why a report cannot be; None where it can. The rules say so before the sink would."""
    if (
        update.kind in {TaskUpdateKind.CONTACT_ATTEMPTED, TaskUpdateKind.CONTACT_MADE}
        and update.channel is None
    ):
        return "Kies hoe u contact zocht."
    try:
        check_update(update)
        apply_update(update, seen.future, seen.policy)
    except UpdateRefused as refused:
        if refused.field == "trajectory_id":
            return "Kies om welke cliënt het gaat."
        return "Dit kan niet (meer): de taak is intussen veranderd. Hieronder ziet u hoe de taak nu is."
    if update.assignee is not None:
        return None if update.assignee in seen.colleagues else "Kies een collega uit de lijst."
    if update.kind not in rights.reports(principal, seen.future):
        return "U mag dit niet melden: de taak is van een ander. Vraag uw teamleider, of neem de taak over."
    return None
