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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.processors.progress import Idle, Standing

log = logging.getLogger(__name__)

FIRST_SINK = 2
"""The number of the first sink among the processes of one machine: intake is 0, the matcher 1."""

LOOK_S = 1.0
GRACE_S = 5.0
"""How long `/livez` fails before the process ends itself: whoever supervises it may come first."""
_TELL_S = 5.0
_REQUEST_S = 5.0


class Watched(NamedTuple):
    """A process under watch: its name, its number on this machine, and how to look at it."""

    stage: str
    number: int
    look: Callable[[], Standing]


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
    def live(self) -> bool:
        """Whether the process gets on with its work, or has none."""
        return self._idle is None or not self._idle.stuck(self._bound_s)

    def look(self, now_s: float) -> None:
        """Look once, at `now_s` of a clock that never goes back."""
        self.found = self._watched.look()
        self._idle = (self._idle or Idle(now_s, self.found.moved)).after(now_s, self.found)
        if self._idle.stuck(self._bound_s + GRACE_S):
            self._end(
                f"{self._watched.stage} is stuck: {self.found.due}, and nothing was committed for "
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
    # A service that is away has a bound of its own, which tells more.
    bound_s = max(settings.progress_timeout_s, settings.broker_timeout_s)
    progress = Progress(process, bound_s, _end_stuck)
    server = (
        None if settings.health_port is None else _server(settings, settings.health_port, process, progress)
    )
    threading.Thread(target=progress.run, name="progress", daemon=True).start()
    if server is not None:
        threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield progress
    finally:
        progress.stop()
        if server is not None:
            server.shutdown()
            server.server_close()


def answer(path: str, progress: Progress) -> tuple[HTTPStatus, dict[str, object]]:
    """What a path answers: whether the process is live, or ready, and why not."""
    found = progress.found
    if path == "/livez":
        status = HTTPStatus.OK if progress.live else HTTPStatus.SERVICE_UNAVAILABLE
        return status, {"live": progress.live, "due": found.due, "idle_s": round(progress.idle_s, 1)}
    if path == "/readyz":
        reasons = [*found.unready] if progress.live else [*found.unready, "no progress: see /livez"]
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return status, {"ready": not reasons, "reasons": reasons}
    return HTTPStatus.NOT_FOUND, {"paths": ["/livez", "/readyz"]}


def _server(settings: Settings, first: int, process: Watched, progress: Progress) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_S
        server_version = "signaalwissel"
        sys_version = ""

        def do_GET(self) -> None:
            status, told = answer(self.path, progress)
            body = dump(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - its name in http.server
            """Say nothing: probes come every few seconds."""

    port = first + process.number
    try:
        server = ThreadingHTTPServer((settings.health_host, port), Handler)
    except (OSError, OverflowError) as error:
        raise UsageFailure(
            f"{process.stage} cannot answer about its health on {settings.health_host}:{port}: {error}; give another"
            " SIGNAALWISSEL_HEALTH_PORT or SIGNAALWISSEL_HEALTH_HOST"
        ) from error
    server.daemon_threads = True
    return server


def _end_stuck(reason: str) -> None:
    def tell() -> None:
        log.critical(reason)
        faulthandler.dump_traceback(sys.stderr, all_threads=True)

    # What hangs may be the log itself.
    telling = threading.Thread(target=tell, name="last-words", daemon=True)
    telling.start()
    telling.join(_TELL_S)
    os._exit(Exit.STUCK)
