"""Health of a running process: ends it when it is stuck, and answers `/livez` and `/readyz`.

Flows in: looks at the process, each a `Standing`. Flows out: HTTP answers, and the end of a process that does nothing.
All of it runs in threads of its own, because what is to be found out is that the others hang.
"""

import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

from prometheus_client.registry import Collector
from signaalwissel.console.failures import Exit
from signaalwissel.console.metrics import MetricsPage
from signaalwissel.console.metrics_process import ProgressMetrics
from signaalwissel.console.probes import Paths, answering, told
from signaalwissel.console.settings import Settings
from signaalwissel.processors.progress import Idle, Standing

log = logging.getLogger(__name__)

FIRST_SINK = 2
"""The number of the first sink among the processes of one machine: intake is 0, the matcher 1."""

LOOK_S = 1.0
GRACE_S = 5.0
"""How long `/livez` fails before the process ends itself: whoever supervises it may come first."""
_TELL_S = 5.0
_COMMITS = 3


class Watched(NamedTuple):
    """A process under watch.

    Attributes:
        stage: Its name.
        number: Its number on this machine.
        look: How to look at it.
        metrics: What it counts, for its metrics page.
    """

    stage: str
    number: int
    look: Callable[[], Standing]
    metrics: tuple[Collector, ...] = ()


class Progress:
    """Looks at a process once a second.

    Args:
        watched: The process.
        bound_s: Without progress for so long it is not live, however well it answers.
        end: Ends the process; called once, with the reason.
    """

    def __init__(self, watched: Watched, bound_s: float, end: Callable[[str], None]) -> None:
        self._watched = watched
        self._bound_s = bound_s
        self._end = end
        self._stopped = threading.Event()
        self._idle: Idle | None = None
        self.found = watched.look()

    @property
    def idle_s(self) -> float:
        """For how long nothing was done although something is due."""
        return 0.0 if self._idle is None else self._idle.idle_s

    @property
    def due(self) -> str | None:
        """What is waiting to be done; of several things the one that has waited longest."""
        return self.found.due if self._idle is None else self._idle.due

    @property
    def live(self) -> bool:
        """Whether the process gets on with its work, or has none."""
        return self._idle is None or not self._idle.stuck(self._bound_s)

    def look(self, now_s: float) -> None:
        """Look once, at `now_s` of a clock that never goes back."""
        self.found = self._watched.look()
        self._idle = (self._idle or Idle(now_s, self.found.moved)).after(now_s, self.found)
        if self._idle.stuck(self._bound_s + GRACE_S):
            self._end(
                f"{self._watched.stage} is stuck: {self.due}, and nothing was committed for "
                f"{self._idle.idle_s:.0f} s. The process ends; what it had not committed is read again. If this comes "
                "back, keep the stacks below and report them"
            )

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopped.wait(LOOK_S):
            self.look(time.monotonic())

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()


@contextmanager
def watched(settings: Settings, process: Watched) -> Iterator[Progress]:
    """Watch a process for the length of the block, and answer about it where a port is set.

    Raises:
        UsageFailure: The port cannot be had.
    """
    # A service that is away has a bound of its own, which tells more; and what was handled waits for its commit.
    commits_s = _COMMITS * settings.commit_interval_ms / 1000
    bound_s = max(settings.progress_timeout_s, settings.broker_timeout_s, commits_s)
    progress = Progress(process, bound_s, _end_stuck)
    with answering(settings, process.stage, process.number, _paths(process, progress)):
        threading.Thread(target=progress.run, name="progress", daemon=True).start()
        try:
            yield progress
        finally:
            progress.stop()


def _paths(process: Watched, progress: Progress) -> Paths:
    page = MetricsPage(process.stage, (ProgressMetrics(process.stage, progress), *process.metrics))
    return {
        "/livez": lambda _: told(*answer("/livez", progress)),
        "/readyz": lambda _: told(*answer("/readyz", progress)),
        "/metrics": page.told,
    }


def answer(path: str, progress: Progress) -> tuple[HTTPStatus, dict[str, object]]:
    """What a probe's path answers: whether the process is live, or ready, and why not."""
    found = progress.found
    if path == "/livez":
        status = HTTPStatus.OK if progress.live else HTTPStatus.SERVICE_UNAVAILABLE
        return status, {"live": progress.live, "due": progress.due, "idle_s": round(progress.idle_s, 1)}
    if path == "/readyz":
        reasons = [*found.unready] if progress.live else [*found.unready, "no progress: see /livez"]
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return status, {"ready": not reasons, "reasons": reasons}
    raise ValueError(f"{path} is no probe")


def _end_stuck(reason: str) -> None:
    def tell() -> None:
        log.critical(reason)
        faulthandler.dump_traceback(sys.stderr, all_threads=True)

    # What hangs may be the log itself.
    telling = threading.Thread(target=tell, name="last-words", daemon=True)
    telling.start()
    telling.join(_TELL_S)
    os._exit(Exit.STUCK)
