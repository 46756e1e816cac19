"""The stub of Open Klant as a real HTTP server.

It can be slow, fail, drop connections before or after it has done what was asked, and refuse a token.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.sinks.open_klant_stub import BASE, Fault, Json, OpenKlantStub, Refusal


@contextmanager
def running_stub() -> Iterator[OpenKlantStub]:
    """The stub on a port of its own."""
    stub = OpenKlantStub()

    class Handler(_Handler):
        server_stub = stub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    server_stub: OpenKlantStub
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        stub = self.server_stub
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not parts.path.startswith(f"{BASE}/"):
            self._answer(404, {"detail": "no such page"})
            return
        path = parts.path.removeprefix(f"{BASE}/")
        request = f"{self.command} {path}"
        with stub.lock:
            stub.requests.append(request)
        fault = stub.fault(request)
        if fault is not None and self._spoiled(fault):
            return
        try:
            if self.headers.get("Authorization") != f"Token {stub.token}":
                raise Refusal(401, "not_authenticated")
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = stub.handle(self.command, path, query, json.loads(content or b"{}"))
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        if fault is not None and fault.kind == "late":
            with stub.lock:
                stub.finished_late += 1
        if fault is not None and fault.kind == "drop_after":
            self._drop()
        elif fault is not None and fault.kind == "drip":
            self._drip(json.dumps(body).encode(), fault.seconds)
        else:
            self._answer(status, body)

    def _spoiled(self, fault: Fault) -> bool:
        if fault.kind == "late":
            time.sleep(fault.seconds)
        elif fault.kind == "drop_before":
            self._drop()
            return True
        elif fault.kind == "status":
            self._answer(fault.status, {"detail": "Internal <b>error</b>"}, fault.headers)
            return True
        elif fault.kind == "nonsense":
            self._send(200, b"<html>log in</html>", {})
            return True
        return False

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _drip(self, content: bytes, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(seconds)
        except OSError:
            self.close_connection = True

    def _answer(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # The other end has given up.
            self.close_connection = True
