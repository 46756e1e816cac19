"""The check in the matching phase (toetsen): is this resident with a counsellor already, asked before a signal is sent.

In: signals of the municipality's own early-signalling system. Out: for each the route that it would get and a
reference under which the processing log has this check; nothing else of the resident, and nothing is kept. What comes
in at the same time is looked up together.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from fastapi import Request, Response
from signaalwissel.processors.access import Principal, may_somewhere
from signaalwissel.processors.every_finding import Finding
from signaalwissel.processors.processing_lines import trace_of
from signaalwissel.processors.rejection import Rejected
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.security.http_auth import Authenticator
from signaalwissel.security.http_problems import Problem
from signaalwissel.security.limits import RateLimit
from signaalwissel.sources.gateway_answers import LATER, Told, response, to_batch, to_one
from signaalwissel.sources.gateway_messages import read_message
from signaalwissel.sources.gateway_records import CHECK, Refusal, Rules, taken

_TOGETHER_MAX = 1000
"""Checks that are looked up at once."""
_WAITING_MAX = 20_000
_APART_S = 0.01
"""What one look at the database waits for the one before it: at a look for every check the looks alone take most of a
core. A check that comes alone goes at once."""


class ChecksAway(RuntimeError):
    """What is needed to answer cannot be had now, or a check cannot be put on record; nothing is told."""


class Asked(NamedTuple):
    """A check.

    Attributes:
        signal: As it would be sent.
        actor: Who asks: opaque.
        trace_id: 16 bytes: of the request, on each of its lines in the processing log.
    """

    signal: EarlySignal
    actor: str
    trace_id: bytes


class Reply(NamedTuple):
    """The route, as RoutedSignal names it, and the check's reference."""

    route: str
    reference: str


class Checks:
    """Answers checks, those of several requests together: one look at the database costs as much as one check.

    Args:
        ask: Answers in order, and has put each on record; may block; raises ChecksAway.
        rate: Of one principal.
        close: Ends what `ask` holds open.
        apart_s: Between the beginnings of two looks.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Asked]], Sequence[Reply | Rejected]],
        rate: RateLimit,
        close: Callable[[], None] = lambda: None,
        apart_s: float = _APART_S,
    ) -> None:
        self._ask = ask
        self._apart_s = apart_s
        self._rate = rate
        self._close = close
        self._waiting: deque[tuple[Asked, asyncio.Future[Reply | Rejected]]] = deque()
        self._asking: asyncio.Task[None] | None = None
        self._next_look_s = 0.0

    def charge(self, principal: Principal, checks: int) -> None:
        """Count checks against a principal's rate; raises Problem 429."""
        wait = self._rate.wait_s(principal.subject, checks)
        if wait:
            raise Problem(429, "Te veel toetsen: wacht even.", headers={"retry-after": str(wait)})

    async def replies(self, every: Sequence[Asked]) -> Sequence[Reply | Rejected]:
        """The replies, in order, or why a signal is none that could be sent; raises ChecksAway."""
        if len(self._waiting) + len(every) > _WAITING_MAX:
            raise ChecksAway("too many checks wait")
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in every]
        self._waiting.extend(zip(every, futures, strict=True))
        if self._asking is None or self._asking.done():
            self._asking = loop.create_task(self._ask_all())
        replies: list[Reply | Rejected] = await asyncio.gather(*futures)
        return replies

    async def close(self) -> None:
        """Let what is under way end."""
        if self._asking is not None:
            await self._asking
        await asyncio.to_thread(self._close)

    async def _ask_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(self._next_look_s - loop.time())
            self._next_look_s = loop.time() + self._apart_s
            together = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER_MAX))]
            asking = loop.run_in_executor(None, self._ask, [asked for asked, _ in together])
            await asyncio.wait([asking])
            failure = asking.exception()
            for number, (_, future) in enumerate(together):
                # Whoever asked may have gone.
                if future.done():
                    continue
                if failure is None:
                    future.set_result(asking.result()[number])
                else:
                    future.set_exception(failure)


def check_route(
    checks: Checks | None, rules: Rules, authenticator: Authenticator
) -> Callable[..., Awaitable[Response]]:
    """What handles requests of this resource."""

    async def receive(request: Request) -> Response:
        principal = await authenticator(request)
        if not may_somewhere(principal, CHECK.action):
            raise Problem(403, "U mag hier niet toetsen.")
        if checks is None:
            raise Problem(503, "Deze installatie beantwoordt geen toetsen.", headers=LATER)
        message = read_message(request.headers, await request.body())
        checks.charge(principal, len(message.items))
        records = [taken(CHECK, item, principal, rules, {}) for item in message.items]
        told = await _told(checks, records, principal, _trace(request))
        return response(to_batch(told, 200) if message.batch else to_one(told[0], 200))

    return receive


async def _told(
    checks: Checks, records: Sequence[Any], principal: Principal, trace_id: bytes
) -> list[Told | Refusal]:
    asked = [Asked(one, principal.subject, trace_id) for one in records if not isinstance(one, Refusal)]
    try:
        replies = iter(await checks.replies(asked))
    except ChecksAway:
        raise Problem(503, "Toetsen kan nu niet. Probeer het later opnieuw.", headers=LATER) from None
    return [one if isinstance(one, Refusal) else _answer(one, next(replies)) for one in records]


def _answer(signal: EarlySignal, reply: Reply | Rejected) -> Told | Refusal:
    if isinstance(reply, Rejected):
        return Refusal(400, (Finding(reply.code.value, reply.field, reply.rule),))
    return Told({"id": signal.signal_id, "route": reply.route, "reference": reply.reference})


def _trace(request: Request) -> bytes:
    return trace_of(request.headers.get("traceparent", "").encode()) or os.urandom(16)
