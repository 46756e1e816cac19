"""A stand-in for the transit engine and the logins of Vault and OpenBao, after their public HTTP API, over real HTTP.

It keeps versions of keys as they do: HMAC under a version, rotation, the two bounds of use, trimming for good,
deletion only where it is allowed. It can be sealed, a standby, slow, or gone.
"""

import base64
import hashlib
import hmac
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Json = dict[str, Any]

ROLE, SECRET_ID, JWT = "signaalwissel-worker", "secret-id", "header.payload.signature"
ROOT = "root-token"


class Refusal(Exception):
    """An answer that is no success: status and Vault's own words."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status)
        self.status, self.errors = status, list(errors)


class Fault(NamedTuple):
    """What goes wrong with one request: an answer, `drop` or `slow`."""

    kind: str
    status: int = 500
    content: bytes = b'{"errors":["internal error"]}'


@dataclass
class TransitKey:
    """A key with its versions, from 1."""

    versions: dict[int, bytes] = field(default_factory=lambda: {1: os.urandom(32)})
    latest: int = 1
    min_decryption: int = 1
    min_encryption: int = 0
    min_available: int = 0
    deletion_allowed: bool = False

    def shown(self) -> Json:
        return {
            "latest_version": self.latest,
            "min_available_version": self.min_available,
            "min_decryption_version": self.min_decryption,
            "min_encryption_version": self.min_encryption,
            "deletion_allowed": self.deletion_allowed,
            "exportable": False,
        }


class VaultStub:
    """One transit engine at `signaalwissel`."""

    def __init__(self) -> None:
        self.port = 0
        self.scheme = "http"
        self.lock = threading.Lock()
        self.keys: dict[str, TransitKey] = {}
        self.tokens = {ROOT}
        self.lease_s = 0
        self.logins = 0
        self.sealed = False
        self.namespace: str | None = None
        self.denied: set[str] = set()
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.slow_s = 1.0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def handle(self, method: str, path: str, headers: Any, body: Json) -> Json | None:
        if self.sealed:
            raise Refusal(503, "Vault is sealed")
        if headers.get("X-Vault-Namespace") != self.namespace:
            raise Refusal(404, f"no handler for route {path!r}. route entry not found.")
        parts = path.split("/")
        if parts[0] == "auth":
            return self._log_in(parts[1], body)
        if headers.get("X-Vault-Token") not in self.tokens or f"{method} {path}" in self.denied:
            raise Refusal(403, "permission denied")
        if parts[0] != "signaalwissel":
            raise Refusal(404, f"no handler for route {path!r}. route entry not found.")
        return self._transit(method, parts[1:], body)

    def _log_in(self, kind: str, body: Json) -> Json:
        wanted = {
            "approle": {"role_id": ROLE, "secret_id": SECRET_ID},
            "kubernetes": {"role": ROLE, "jwt": JWT},
        }
        if wanted.get(kind) != body:
            raise Refusal(400, "invalid role or secret ID")
        self.logins += 1
        token = f"hvs.{self.logins}"
        self.tokens.add(token)
        return {"auth": {"client_token": token, "lease_duration": self.lease_s, "renewable": True}}

    def _transit(self, method: str, parts: list[str], body: Json) -> Json | None:
        kind, name, action = (*parts, "", "")[:3]
        key = self.keys.get(name)
        if kind == "hmac":
            if key is None:
                raise Refusal(400, "encryption key not found")
            return {"data": {"hmac": self._hmac(key, body)}}
        if action:
            if key is None:
                raise Refusal(400, f"no existing key named {name} could be found")
            {"rotate": self._rotate, "config": self._configure, "trim": self._trim}[action](key, body)
            return {"data": key.shown()}
        if method == "POST":
            made = self.keys.setdefault(name, TransitKey())
            return {
                "data": made.shown(),
                "warnings": None if key is None else [f"key {name} already existed"],
            }
        if method == "DELETE":
            if key is None:
                raise Refusal(400, "could not delete key; not found")
            if not key.deletion_allowed:
                raise Refusal(400, f"error deleting policy {name}: deletion is not allowed for this key")
            del self.keys[name]
            return None
        if key is None:
            raise Refusal(404)
        return {"data": key.shown()}

    @staticmethod
    def _hmac(key: TransitKey, body: Json) -> str:
        version = body.get("key_version") or key.latest
        if key.min_encryption > 0 and version < key.min_encryption and version != key.latest:
            raise Refusal(400, "cannot generate HMAC: version is too old (disallowed by policy)")
        if version not in key.versions:
            raise Refusal(400, "no such key version")
        made = hmac.new(key.versions[version], base64.b64decode(body["input"]), hashlib.sha256).digest()
        return f"vault:v{version}:{base64.b64encode(made).decode()}"

    @staticmethod
    def _rotate(key: TransitKey, _: Json) -> None:
        key.latest += 1
        key.versions[key.latest] = os.urandom(32)

    @staticmethod
    def _configure(key: TransitKey, body: Json) -> None:
        for name in ("min_decryption_version", "min_encryption_version"):
            if body.get(name, 0) > key.latest:
                raise Refusal(400, f"cannot set {name} of {body[name]}, latest key version is {key.latest}")
        key.min_decryption = body.get("min_decryption_version", key.min_decryption)
        key.min_encryption = body.get("min_encryption_version", key.min_encryption)
        key.deletion_allowed = body.get("deletion_allowed", key.deletion_allowed)

    @staticmethod
    def _trim(key: TransitKey, body: Json) -> None:
        wanted = body["min_available_version"]
        if wanted > min(key.min_decryption, key.min_encryption):
            raise Refusal(400, "minimum available version cannot be greater than minimum encryption version")
        key.min_available = wanted
        key.versions = {version: secret for version, secret in key.versions.items() if version >= wanted}


@contextmanager
def serving(stub: VaultStub, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[VaultStub]:
    """The stub on a port of its own, or on the one that is named."""

    class Handler(_Handler):
        server_stub = stub

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        stub.scheme = "https"
    stub.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    server_stub: VaultStub
    # One request a connection: a server that stops leaves no connection that still answers.
    protocol_version = "HTTP/1.0"
    timeout = 30

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        stub = self.server_stub
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.removeprefix("/v1/")
        with stub.lock:
            stub.requests.append(f"{self.command} {path}")
            fault = stub.faults.pop(0) if stub.faults else None
        if fault is not None and fault.kind == "drop":
            self.connection.close()
            return
        if fault is not None and fault.kind == "slow":
            time.sleep(stub.slow_s)
        if fault is not None and fault.kind == "answer":
            self._answer(fault.status, fault.content)
            return
        try:
            with stub.lock:
                found = stub.handle(self.command, path, self.headers, json.loads(content or b"{}"))
        except Refusal as refusal:
            self._answer(refusal.status, json.dumps({"errors": refusal.errors}).encode())
            return
        self._answer(204 if found is None else 200, b"" if found is None else json.dumps(found).encode())

    def _answer(self, status: int, content: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
