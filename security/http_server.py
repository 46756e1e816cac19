"""The HTTP server: uvicorn with TLS, client certificates and a stop that lets running requests end.

In: an ASGI app and where to serve it. Out: answers until SIGTERM; then the server closes its door, finishes what runs
within a bound, and returns.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from signaalwissel.security.access_settings import LOOPBACK
from signaalwissel.security.http_auth import PEER_CERTIFICATE
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than the minute that balancers keep a connection: none is closed under a request that is on its way."""


class ServerUnusable(ValueError):
    """A setting of the server cannot be used; the text begins with the setting's name."""


@dataclass(frozen=True)
class Place:
    """Where an app is served.

    Attributes:
        host: Address to listen on.
        port: 0 takes a free one.
        certificate_file: TLS, with `key_file`; None: plain, which only this machine or a proxy in front may use.
        key_file: Of the certificate.
        client_ca_file: Who issues client certificates; None: none are asked for.
        plain_behind_proxy: Whether plain HTTP on another address than loopback is meant: a proxy ends TLS.
        stop_s: How long running requests may take at a stop.
        connections_max: At the same time; beyond it the answer is 503.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate_file: Path | None = None
    key_file: Path | None = None
    client_ca_file: Path | None = None
    plain_behind_proxy: bool = False
    stop_s: int = 30
    connections_max: int = 2000

    @property
    def secure(self) -> bool:
        """Whether clients speak TLS with us or with our proxy."""
        return self.certificate_file is not None or self.plain_behind_proxy

    def check(self) -> None:
        """Raise ServerUnusable where people or programs would send secrets in the clear."""
        if self.certificate_file is not None and self.key_file is None:
            raise ServerUnusable("HTTP_KEY_FILE is not set and HTTP_CERTIFICATE_FILE is: give both")
        if self.client_ca_file is not None and self.certificate_file is None:
            raise ServerUnusable(
                "HTTP_CLIENT_CA_FILE needs HTTP_CERTIFICATE_FILE: without TLS there are no certificates"
            )
        if self.certificate_file is None and self.host not in LOOPBACK and not self.plain_behind_proxy:
            raise ServerUnusable(
                "HTTP_HOST is an address of the network and there is no HTTP_CERTIFICATE_FILE: give one, or set"
                " HTTP_BEHIND_PROXY where a proxy ends TLS"
            )


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also hands the client's certificate to the app."""

    _certificate: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        if connection is not None:
            self._certificate = connection.getpeercert(binary_form=True)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {PEER_CERTIFICATE: self._certificate}
        self.scope["extensions"] = extensions


def serve(app: ASGIApp, place: Place, ready: Callable[[int], None] | None = None) -> None:
    """Serve an app until SIGTERM or SIGINT.

    Args:
        app: What answers.
        place: Where.
        ready: Is told the port once it is bound.

    Raises:
        ServerUnusable: A setting cannot be used, or the port is taken.
    """
    listening = bound(place)
    if ready is not None:
        ready(listening.getsockname()[1])
    serve_on(listening, app, place)


def serve_on(listening: socket.socket, app: ASGIApp, place: Place) -> None:
    """Serve an app on a socket that is bound, until SIGTERM or SIGINT; several processes may, on one.

    Raises:
        ServerUnusable: A setting cannot be used.
    """
    # uvicorn raises the signal again once it has stopped: an orderly stop ends with 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(config(app, place)).run(sockets=[listening])
    finally:
        listening.close()


def config(app: ASGIApp, place: Place) -> uvicorn.Config:
    """Uvicorn's configuration for an app at a place; raises ServerUnusable."""
    tls: dict[str, Any] = {}
    if place.certificate_file is not None:
        tls = {"ssl_certfile": place.certificate_file, "ssl_keyfile": place.key_file}
        if place.client_ca_file is not None:
            # Optional: a bearer token will do as well. A certificate that is shown must be good.
            tls |= {"ssl_ca_certs": str(place.client_ca_file), "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    try:
        made = uvicorn.Config(
            app,
            host=place.host,
            port=place.port,
            http=_Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            # Whom a proxy speaks for is decided by the access file, never by a header that anybody can send.
            proxy_headers=False,
            headers=[("x-content-type-options", "nosniff")],
            limit_concurrency=place.connections_max,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=place.stop_s,
            backlog=_BACKLOG,
            **tls,
        )
        made.load()
    except (OSError, ssl.SSLError) as error:
        raise ServerUnusable(f"HTTP_CERTIFICATE_FILE or its companions cannot be used: {error}") from error
    if made.ssl is not None:
        made.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def bound(place: Place) -> socket.socket:
    """The socket of a place; raises ServerUnusable where a setting cannot be used, or the port is taken."""
    place.check()
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
        # Whoever is told the port may come at once, and waits until somebody answers.
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ServerUnusable(f"HTTP_HOST and HTTP_PORT cannot be used: {error.strerror}") from error
    listening.set_inheritable(True)
    return listening
