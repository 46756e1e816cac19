"""A bound on how long a broker is waited for.

Flows in: an awaited step. Flows out: the same step, or BrokerAwayError when the bound has passed. aiokafka and
stock Faust repeat for ever, which hides an outage behind a process that looks alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from signaalwissel.streams.errors import BrokerAwayError


@asynccontextmanager
async def bounded(doing: str, bound_s: float) -> AsyncIterator[None]:
    """End the block with BrokerAwayError after `bound_s` seconds; `doing` completes "... while"."""
    try:
        async with asyncio.timeout(bound_s) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise BrokerAwayError(doing, bound_s) from error
        raise
