"""The small HTTP server beside a process: probes and metrics, on an address that is not for everybody.

Flows in: GET requests. Flows out: what the given answers say. It runs in threads of its own, because what is to be found
out is that the others hang.
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings

log = logging.getLogger(__name__)

_JSON = "application/json"
_REQUEST_S = 5.0


class Told(NamedTuple):
    """An answer."""

    status: HTTPStatus
    body: bytes
    content_type: str = _JSON


Paths = Mapping[str, Callable[[str], Told]]
"""By path what answers; each is given the request's Accept header."""


def told(status: HTTPStatus, content: Mapping[str, object]) -> Told:
    """An answer in JSON."""
    return Told(status, dump(content).encode())


@contextmanager
def answering(settings: Settings, stage: str, number: int, paths: Paths) -> Iterator[None]:
    """Answer for the length of the block, where a port is set.

    Args:
        settings: Address and first port.
        stage: Who answers, for errors.
        number: Of the process on this machine; its port is so many behind the first.
        paths: What is answered.

    Raises:
        UsageFailure: The port cannot be had.
    """
    if settings.health_port is None:
        yield
        return
    server = _server(settings.health_host, settings.health_port + number, stage, paths)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log it as everything else is logged; whoever hung up is no error."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log.error("a request about health or metrics was not answered", exc_info=error)


def _server(host: str, port: int, stage: str, paths: Paths) -> _Server:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_S
        server_version = "signaalwissel"
        sys_version = ""

        def do_GET(self) -> None:
            answers = paths.get(self.path.partition("?")[0])
            if answers is None:
                found = told(HTTPStatus.NOT_FOUND, {"paths": [*paths]})
            else:
                found = answers(self.headers.get("accept", ""))
            self.send_response(found.status)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - its name in http.server
            """Say nothing: probes come every few seconds."""

    try:
        return _Server((host, port), Handler)
    except (OSError, OverflowError) as error:
        raise UsageFailure(
            f"{stage} cannot answer about its health on {host}:{port}: {error}; give another"
            " SIGNAALWISSEL_HEALTH_PORT or SIGNAALWISSEL_HEALTH_HOST"
        ) from error
