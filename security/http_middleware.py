"""What stands around every HTTP app of ours: correlation id, security headers, size limit, rate limit per address.

In: ASGI requests. Out: the same, bounded; answers with the headers of the NL API Design Rules. Pure ASGI, so that
nothing is buffered twice.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from signaalwissel.security.access_settings import Login
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.limits import RateLimit
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

CORRELATION_HEADER = "x-correlation-id"
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
"""The id of the request that is being handled; stands in its answer and on its log lines."""
_CORRELATION = re.compile(r"[A-Za-z0-9._-]{8,64}")

COOKIES = "signaalwissel_cookies"
"""Attribute of `request.state`: values of set-cookie headers that the answer gets, whatever made it."""

SUBJECT = "signaalwissel_subject"
"""Attribute of `request.state`: the subject of whoever asks, for the log line of a refusal."""

API_POLICY = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""For pages: everything from ourselves, no inline script or style."""


def page_policy(login: Login | None) -> str:
    """PAGE_POLICY for pages with a login: a form may lead on to the identity provider, which browsers check too."""
    addresses = () if login is None else (login.authorization_endpoint, login.end_session_endpoint)
    origins = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(one)) for one in addresses if one})
    return PAGE_POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *origins]))


_FIXED = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Answered(NamedTuple):
    """What came of a request, in values of which there are few.

    Attributes:
        method: HTTP's, or "OTHER": anybody can make one up.
        route: The template of the path, never the path.
        status: Of the answer; 0 where none was sent.
        took_s: Until it was sent.
    """

    method: str
    route: str
    status: int
    took_s: float


Observe = Callable[[Answered], None]


class TooLarge(HTTPException):
    """A body is larger than the limit; found while it was read, which FastAPI lets pass as an answer of 413."""

    def __init__(self) -> None:
        super().__init__(413, headers={"connection": "close"})


@dataclass(frozen=True)
class Bounds:
    """What one request, and one address, may ask of us.

    Attributes:
        body_bytes_max: Of a request's body.
        per_address_s: Requests a second of one address, signed in or not; a little more at once.
        policy: Content-Security-Policy; API_POLICY, or what `page_policy` gives for pages.
        assets: Path below which answers may be cached: files that are the same for everybody.
        headers: Further headers of every answer.
        observe: Is told of every answer.
    """

    body_bytes_max: int = 1_048_576
    per_address_s: float = 5000.0
    policy: str = API_POLICY
    assets: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    observe: Observe | None = None


class Surroundings:
    """The middleware, outermost of all: it sees the answers that Starlette gives for our own defects too."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        self._app = app
        self._bounds = bounds
        self._addresses = RateLimit(bounds.per_address_s, bounds.per_address_s * 2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(CORRELATION_HEADER, "")
        request_id = asked if _CORRELATION.fullmatch(asked) else uuid.uuid4().hex
        token = correlation_id.set(request_id)
        answer = _Answer(scope, send, self._bounds, request_id)
        try:
            await self._bounded(scope, receive, answer)
        finally:
            answer.told()
            correlation_id.reset(token)

    async def _bounded(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        address = scope["client"][0] if scope.get("client") else "local"
        wait = self._addresses.wait_s(address)
        if wait:
            problem = Problem(429, "Te veel verzoeken van dit adres.", headers={"retry-after": str(wait)})
            await problem.response()(scope, receive, answer.send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._bounds.body_bytes_max:
            text = f"Een verzoek heeft ten hoogste {self._bounds.body_bytes_max} bytes."
            problem = Problem(413, text, headers={"connection": "close"})
            await problem.response()(scope, receive, answer.send)
            return
        await self._app(scope, _limited(receive, self._bounds.body_bytes_max), answer.send)


class _Answer:
    """Sends an answer with our headers, and tells the log what came of the request."""

    def __init__(self, scope: Scope, send: Send, bounds: Bounds, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._bounds = bounds
        self._request_id = request_id
        self._status = 0
        self._began = time.monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._add_headers(message)
        await self._send(message)

    def _add_headers(self, message: MutableMapping[str, Any]) -> None:
        headers = MutableHeaders(scope=message)
        assets = self._bounds.assets
        cached = assets is not None and self._status == 200 and self._scope["path"].startswith(assets)
        for name, value in _FIXED.items():
            if name == "cache-control" and cached:
                headers[name] = "public, max-age=3600"
            else:
                headers[name] = value
        headers.setdefault("content-security-policy", self._bounds.policy)
        for name, value in self._bounds.headers:
            headers[name] = value
        headers[CORRELATION_HEADER] = self._request_id
        for cookie in (self._scope.get("state") or {}).get(COOKIES, ()):
            headers.append("set-cookie", cookie)

    def told(self) -> None:
        """One line without path, query or address: the route says what was asked."""
        route = getattr(self._scope.get("route"), "path", "unknown path")
        took_s = time.monotonic() - self._began
        if self._bounds.observe is not None:
            method = self._scope["method"] if self._scope["method"] in _METHODS else "OTHER"
            self._bounds.observe(Answered(method, route, self._status, took_s))
        asked = (self._scope["method"], route, self._status, took_s * 1000, self._request_id)
        log.info("%s %s: %d in %.1f ms (request %s)", *asked)
        if self._status == HTTPStatus.FORBIDDEN:
            who = (self._scope.get("state") or {}).get(SUBJECT, "nobody who was recognised")
            log.warning("refused: %s may not %s %s (request %s)", who, *asked[:2], self._request_id)


def _limited(receive: Receive, bytes_max: int) -> Receive:
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > bytes_max:
                raise TooLarge
        return message

    return limited
