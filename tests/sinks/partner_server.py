"""A partner's webhook on this machine: it answers as the test says, and remembers what came."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class PartnerServer(ThreadingHTTPServer):
    """Answers with the statuses given, the last of them for ever; `drip_s` is how long each answer takes."""

    daemon_threads = True

    def __init__(self, statuses: Sequence[int], drip_s: float, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.statuses = list(statuses)
        self.drip_s = drip_s
        self.received: list[Received] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/terugkoppeling"

    def next_status(self, received: Received) -> int:
        with self.lock:
            self.received.append(received)
            return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


class _Handler(BaseHTTPRequestHandler):
    server: PartnerServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.next_status(Received(self.path, headers, body))
        end = time.monotonic() + self.server.drip_s
        try:
            self.send_response(status)
            self.end_headers()
            # A byte now and then: each comes in time, all together do not.
            while time.monotonic() < end:
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name in the base class
        pass


@contextmanager
def partner(*statuses: int, drip_s: float = 0.0, port: int = 0) -> Iterator[PartnerServer]:
    """A partner that answers so."""
    server = PartnerServer(statuses or (204,), drip_s, port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
