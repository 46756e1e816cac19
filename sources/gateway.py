"""The HTTP gateway: records of partners, case systems and task systems, checked at once, onto Kafka (design 13).

In: POST requests. Out: 202 once the broker acknowledged, never before; otherwise a problem with every finding, and
nothing of that record is on Kafka, or 503, after which it may be sent again without harm.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from signaalwissel.processors.access import Principal, may_somewhere
from signaalwissel.processors.traces import TRACE_HEADER, is_trace_context
from signaalwissel.security.http_app import bare_app
from signaalwissel.security.http_auth import Authenticator
from signaalwissel.security.http_middleware import Bounds
from signaalwissel.security.http_problems import Problem
from signaalwissel.sources.gateway_answers import LATER, Told, response, to_batch, to_one
from signaalwissel.sources.gateway_checks import Checks, check_route
from signaalwissel.sources.gateway_delivery import Away, Outlet
from signaalwissel.sources.gateway_document import API_VERSION, document
from signaalwissel.sources.gateway_keys import Answer, IdempotencyKeys
from signaalwissel.sources.gateway_messages import Message, read_message
from signaalwissel.sources.gateway_records import (
    CHECK,
    RESOURCES,
    UPDATE,
    Ready,
    Refusal,
    Resource,
    Rules,
    prepared,
    task_of,
)
from signaalwissel.sources.gateway_webhooks import Webhook
from starlette.routing import Match, Route
from starlette.types import Scope

TaskOwners = Callable[[Sequence[str], frozenset[str]], Awaitable[Mapping[str, str]]]
"""The municipality of each task that is one of those municipalities'; raises TasksAway."""


Translation = Callable[[Message], Message]


class _Way(NamedTuple):
    """Where requests go: a resource, and how their messages become records of it."""

    resource: Resource
    translated: Translation


class TasksAway(RuntimeError):
    """Whose task it is cannot be looked up now."""


@dataclass(frozen=True)
class Parts:
    """What a gateway is made of.

    Attributes:
        rules: What decides whether a record is taken.
        outlet: Where records go.
        authenticator: Recognises who sends.
        full_name: The topic's name on the broker, for its name without prefix.
        event_source: CloudEvents source.
        tasks: Whose task it is; None where there is no database, and then no task updates are taken.
        checks: What answers checks before a signal is sent; None where this installation answers none.
        webhooks: Of systems that post what their profiles map.
    """

    rules: Rules
    outlet: Outlet
    authenticator: Authenticator
    full_name: Callable[[str], str]
    event_source: str
    tasks: TaskOwners | None = None
    checks: Checks | None = None
    webhooks: tuple[Webhook, ...] = ()


def build_gateway(parts: Parts, server: str, bounds: Bounds) -> FastAPI:
    """The app.

    Args:
        parts: What it is made of.
        server: Address under which it is reached.
        bounds: Of size and rate.
    """
    gateway = _Gateway(parts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(parts.outlet.close)
        if parts.checks is not None:
            await parts.checks.close()

    app = bare_app("Signaalwissel", bounds, lifespan)
    described = document(server)

    async def openapi() -> JSONResponse:
        return JSONResponse(described)

    async def livez() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz() -> JSONResponse:
        if await parts.outlet.ready():
            return JSONResponse({"status": "ok"})
        raise Problem(503, "Kafka antwoordt niet, of de topics zijn er niet.", headers=LATER)

    for path, route in (("/v1/openapi.json", openapi), ("/livez", livez), ("/readyz", readyz)):
        app.add_api_route(path, route, methods=["GET"])
    asked = check_route(parts.checks, parts.rules, parts.authenticator)
    handled = {
        **{resource.path: gateway.route(resource) for resource in RESOURCES},
        CHECK.path: asked,
        **{f"webhooks/{one.name}": gateway.route(one.resource, one.translated) for one in parts.webhooks},
    }
    # First, and past FastAPI's own: its parameters and models are not used here, and cost as much as all of the rest.
    app.router.routes[:0] = [
        _ToldRoute(f"/v1/{path}", handle, methods=["POST"]) for path, handle in handled.items()
    ]
    return app


def with_version(bounds: Bounds) -> Bounds:
    """The bounds of an API whose every answer tells its version."""
    return replace(bounds, headers=(("api-version", API_VERSION),))


class _ToldRoute(Route):
    """A route that the log can name."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        return match, {**child_scope, "route": self}


class _Gateway:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._keys = IdempotencyKeys(time.monotonic)

    def route(
        self, resource: Resource, translated: Translation = lambda message: message
    ) -> Callable[..., Awaitable[Response]]:
        """What handles the requests of a resource, or of a webhook whose messages become records of it."""
        authenticator = self._parts.authenticator

        async def receive(request: Request) -> Response:
            principal = await authenticator(request)
            if not may_somewhere(principal, resource.action):
                raise Problem(403, "U mag hier niets sturen.")
            return await self._received(_Way(resource, translated), request, principal)

        return receive

    async def _received(self, way: _Way, request: Request, principal: Principal) -> Response:
        body = await request.body()
        key = request.headers.get("idempotency-key")
        if key is None:
            return response(await self._answered(way, request, principal, body))
        asked = (principal.subject, request.url.path, key)
        before = self._keys.begin(*asked, body)
        if before is not None:
            return response(before)
        answer = None
        try:
            answer = await self._answered(way, request, principal, body)
        finally:
            # What was not taken as a whole may be tried again under the same key.
            self._keys.end(*asked, answer if answer is not None and answer.status == 202 else None)
        return response(answer)

    async def _answered(self, way: _Way, request: Request, principal: Principal, body: bytes) -> Answer:
        resource = way.resource
        message = way.translated(read_message(request.headers, body))
        if len(message.items) > 1:
            self._parts.authenticator.charge(principal, len(message.items) - 1)
        tasks = await self._tasks_of(resource, message, principal)
        outcomes = [prepared(resource, item, principal, self._parts.rules, tasks) for item in message.items]
        headers = self._headers(request)
        if len(outcomes) == 1:
            delivered = [await self._delivered(resource, outcomes[0], headers)]
        else:
            delivered = await asyncio.gather(
                *(self._delivered(resource, outcome, headers) for outcome in outcomes)
            )
        told = [one if isinstance(one, Refusal) else Told(one.answer) for one in delivered]
        return to_batch(told) if message.batch else to_one(told[0])

    async def _tasks_of(
        self, resource: Resource, message: Message, principal: Principal
    ) -> Mapping[str, str]:
        if resource is not UPDATE:
            return {}
        if self._parts.tasks is None:
            raise Problem(503, "Deze installatie neemt hier geen taakupdates aan.", headers=LATER)
        ids = sorted({task for item in message.items if (task := task_of(item)) is not None})
        try:
            return await self._parts.tasks(ids, principal.municipalities)
        except TasksAway:
            raise Problem(503, "De taken kunnen nu niet worden opgezocht.", headers=LATER) from None

    async def _delivered(
        self, resource: Resource, outcome: Ready | Refusal, headers: Sequence[tuple[str, bytes]]
    ) -> Ready | Refusal:
        if isinstance(outcome, Refusal):
            return outcome
        sent = outcome.published
        own = [
            ("ce_id", sent.event_id.encode()),
            ("ce_type", sent.kind.encode()),
            *headers,
        ]
        topic = self._parts.full_name(self._parts.rules.topic(resource.kind))
        try:
            await self._parts.outlet.deliver(topic, sent.key, sent.value, own)
        except Away:
            return Refusal(503, ())
        return outcome

    def _headers(self, request: Request) -> list[tuple[str, bytes]]:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._parts.rules.clock() / 1000))
        headers = [
            ("ce_source", self._parts.event_source.encode()),
            ("ce_specversion", b"1.0"),
            ("ce_time", moment.encode()),
            ("content-type", b"application/avro"),
        ]
        trace = request.headers.get(TRACE_HEADER, "").encode()
        return [*headers, (TRACE_HEADER, trace)] if is_trace_context(trace) else headers
