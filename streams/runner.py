"""Runs an app in this process until it is told to stop or fails.

Flows in: a built app, and SIGTERM or SIGINT. Flows out: the exit status.

Why not Faust's worker: it sets every logger to DEBUG and filters in the handler, which costs 10% of the time
of a busy worker (engine notes A); its shutdown waits for seconds in fixed sleeps; and it commits on the way
out of a crash.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from signaalwissel.streams.app import ChunkApp
from signaalwissel.streams.bounded import bounded
from signaalwissel.streams.loops import new_event_loop
from signaalwissel.streams.unasked import unasked_is_failure

log = logging.getLogger(__name__)

LIBRARIES = ("faust", "mode", "aiokafka", "asyncio")
LOOK_S = 0.5
"""Pause between two looks whether the app crashed; a crash in the consumer's thread wakes nobody."""

CRASH_STOP_S = 5.0
"""How long leaving the group may take after a failure; others take the partitions over at once then."""

DONE = 0
FAILED = 1


def run_app(app: ChunkApp) -> int:
    """Run `app` until SIGTERM or SIGINT, or until it fails.

    Returns:
        0 after an orderly stop (the chunk under way finished and committed, the group left), 1 otherwise; the
        reason is logged.
    """
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_run(app))
    finally:
        _cancel_rest(loop)
        asyncio.set_event_loop(None)
        loop.close()


async def _run(app: ChunkApp) -> int:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    log.info("%s starts", app.settings.app_id)
    starting = asyncio.ensure_future(_start(app))
    waiting = asyncio.ensure_future(told_to_stop.wait())
    while not (app.should_stop or told_to_stop.is_set()):
        pending = {task for task in (starting, waiting) if not task.done()}
        await asyncio.wait(pending, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and (error := starting.exception()) is not None:
            app.failure = app.failure or error
            break
    await _stop(app)
    for task in (starting, waiting):
        task.cancel()
    if app.failure is None:
        return DONE
    log.critical("%s ends: %s: %s", app.settings.app_id, type(app.failure).__name__, app.failure)
    return FAILED


async def _start(app: ChunkApp) -> None:
    with unasked_is_failure("starting"):
        await app.start()


async def _stop(app: ChunkApp) -> None:
    bound_s = (
        app.settings.stop_timeout_s if app.failure is None else min(CRASH_STOP_S, app.settings.stop_timeout_s)
    )
    stopping = asyncio.ensure_future(_bounded_stop(app, bound_s))
    await asyncio.wait({stopping})
    # Whatever stops the stopping is reported and decides the status.
    app.failure = app.failure or stopping.exception()


async def _bounded_stop(app: ChunkApp, bound_s: float) -> None:
    with unasked_is_failure("stopping"):
        async with bounded("stopping", bound_s):
            await app.stop()


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
