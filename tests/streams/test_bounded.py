"""A bound ends a step with an error that names it, and leaves other timeouts alone."""

from __future__ import annotations

import asyncio

import pytest
from signaalwissel.streams.bounded import bounded
from signaalwissel.streams.errors import BrokerAwayError


def test_a_step_that_takes_too_long_is_named() -> None:
    async def run() -> None:
        async with bounded("reading", 0.01):
            await asyncio.Event().wait()

    with pytest.raises(BrokerAwayError, match=r"did not answer for 0.01 s while reading"):
        asyncio.run(run())


def test_a_timeout_inside_the_step_is_not_the_bound() -> None:
    async def run() -> None:
        async with bounded("reading", 10):
            raise TimeoutError("another one")

    with pytest.raises(TimeoutError, match="another one"):
        asyncio.run(run())
