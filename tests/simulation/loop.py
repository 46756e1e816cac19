"""An event loop with a clock of its own and a known order of steps. In: coroutines. Out: the same run for the same seed.

Nothing waits: when no callback is due, the clock jumps to the next timer. Tasks and futures hash by number, so that a
set of them has the same order in each run.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections.abc import Callable
from contextvars import ContextVar
from itertools import count
from typing import Any

owner: ContextVar[Any] = ContextVar("owner", default=None)
"""The simulated process that the running code belongs to."""


class Standstill(AssertionError):
    """Nothing is due any more, although the run is not over."""


class _Numbered:
    number = 0

    def __hash__(self) -> int:
        return self.number


class NumberedFuture(_Numbered, asyncio.Future):
    """A future with a reproducible place in sets."""


class NumberedTask(_Numbered, asyncio.Task):
    """A task with a reproducible place in sets."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs callbacks one by one.

    Attributes:
        steps: Callbacks run so far; between two of them lies every await point.
        after_step: Called after each with the number of steps: where crashes come from.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.after_step: Callable[[int], None] = lambda _steps: None
        self._seconds = 0.0
        self._numbers = count(1)
        self.set_task_factory(self._new_task)

    def time(self) -> float:
        return self._seconds

    def create_future(self) -> asyncio.Future[Any]:
        future = NumberedFuture(loop=self)
        future.number = next(self._numbers)
        return future

    def _new_task(self, _loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = NumberedTask(coroutine, loop=self, **options)
        task.number = next(self._numbers)
        process = owner.get()
        if process is not None:
            process.tasks.append(task)
        return task

    def _run_once(self) -> None:
        if not self._ready:
            self._ready.append(self._next_timer())
        handle = self._ready.popleft()
        if not handle._cancelled:
            handle._run()
            self.steps += 1
            self.after_step(self.steps)

    def _next_timer(self) -> events.TimerHandle:
        while self._scheduled:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self._seconds = max(self._seconds, timer._when)
                return timer
        raise Standstill("nothing is due any more")

    def _timer_handle_cancelled(self, handle: events.TimerHandle) -> None:
        """Do nothing: cancelled timers are skipped when their turn comes."""

    def _write_to_self(self) -> None:
        """Do nothing: no other thread wakes this loop."""

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there is no network."""
