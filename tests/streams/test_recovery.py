"""The recovery starts again after whatever interrupts it, and ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

from signaalwissel.streams.recovery import ChunkRecovery


def recovery(attempts: list[int], interrupted: int) -> ChunkRecovery:
    """A recovery whose first attempts end in a cancellation that nobody asked for."""
    app: Any = SimpleNamespace(conf=SimpleNamespace(stream_recovery_delay=0.0))
    made = ChunkRecovery(app, SimpleNamespace())

    async def recover(_epoch: int) -> None:
        attempts.append(len(attempts))
        if len(attempts) <= interrupted:
            waiting = asyncio.get_running_loop().create_future()
            waiting.cancel()
            await waiting

    made._recover = recover
    return made


def test_a_request_that_a_lost_connection_cancels_does_not_end_the_recovery() -> None:
    async def run() -> None:
        attempts: list[int] = []
        made = recovery(attempts, interrupted=2)
        task = asyncio.create_task(made._restart_recovery(made))
        made.signal_recovery_start.set()
        async with asyncio.timeout(10):
            while len(attempts) < 3:
                assert not task.done()
                await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_a_recovery_that_is_told_to_end_ends() -> None:
    async def run() -> None:
        attempts: list[int] = []
        made = recovery(attempts, interrupted=0)
        task = asyncio.create_task(made._restart_recovery(made))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(run())
