"""Ends that nobody asked for: a cancelled task that was not told to end is a failure of the worker.

Flows in: the tasks of the engine's services, and blocks that must not end half done. Flows out: the same; a cancellation
that nobody asked for is CancelledByNobody.

Why Faust's services do not do: a client that loses its connection may cancel what waits for it. A service takes every
cancellation for its own stop, so one task of it ends without a word and the rest goes on: it reads, and commits nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

from mode import Service
from signaalwissel.streams.errors import CancelledByNobody


def asked_to_end() -> bool:
    """Whether this task was itself told to end: then a cancellation is meant for it."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


@contextmanager
def unasked_is_failure(doing: str) -> Iterator[None]:
    """Let a cancellation of this task through; one of what it waits for is an error. `doing` completes "... while".

    Raises:
        CancelledByNobody: the block was cancelled, and the task was not.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if asked_to_end():
            raise
        raise CancelledByNobody(doing) from error


class NoSilentEnd(Service):
    """A service whose tasks crash the app when they are cancelled and nobody asked for it."""

    mundane_level = "debug"

    async def _execute_task(self, task: Awaitable[Any]) -> None:
        await super()._execute_task(_guarded(task))


async def _guarded(task: Awaitable[Any]) -> None:
    with unasked_is_failure(f"running {getattr(task, '__qualname__', type(task).__name__)}"):
        await task
