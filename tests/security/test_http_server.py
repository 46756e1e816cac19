"""The server itself: TLS, client certificates, refusals at the start, and an orderly stop."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from signaalwissel.security.access_settings import Access, Rights
from signaalwissel.security.http_server import Place, ServerUnusable, config

from tests.security.certificate_support import Certified, certified
from tests.security.token_support import ACCESS, app

RIGHTS = Rights(municipalities=frozenset({"0344"}), partners=frozenset({"energie-noord"}))


@contextmanager
def served(place: Place, access: Access = ACCESS) -> Iterator[int]:
    server = uvicorn.Server(config(app(access), place))
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


@pytest.fixture
def authority(tmp_path: Path) -> Certified:
    return certified(tmp_path, "ca")


@pytest.fixture
def place(tmp_path: Path, authority: Certified) -> Place:
    server = certified(tmp_path, "server", authority)
    return Place(
        port=0, certificate_file=server.file, key_file=server.key_file, client_ca_file=authority.file
    )


def context(authority: Certified, client: Certified | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.file))
    if client is not None:
        made.load_cert_chain(client.file, client.key_file)
    return made


def test_a_client_certificate_says_who_it_is(tmp_path: Path, authority: Certified, place: Place) -> None:
    client = certified(tmp_path, "energie-noord", authority)
    access = Access(issuers=ACCESS.issuers, certificates={"CN=energie-noord": RIGHTS})
    with served(place, access) as port:
        answer = httpx.get(f"https://127.0.0.1:{port}/me", verify=context(authority, client))
        without = httpx.get(f"https://127.0.0.1:{port}/me", verify=context(authority))
    assert answer.json() == {"subject": "certificate#CN=energie-noord", "roles": ["integrator"]}
    assert "server" not in answer.headers
    assert without.status_code == 401


@pytest.mark.parametrize("kind", ["of another authority", "expired"])
def test_a_bad_client_certificate_gets_no_connection(
    tmp_path: Path, authority: Certified, place: Place, kind: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    bad = (
        certified(other, "energie-noord", authority, days=-1)
        if kind == "expired"
        else certified(other, "energie-noord", certified(other, "ca"))
    )
    with served(place) as port, pytest.raises((httpx.HTTPError, ssl.SSLError)):
        httpx.get(f"https://127.0.0.1:{port}/me", verify=context(authority, bad))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_tls_and_plain_text_get_no_answer(authority: Certified, place: Place) -> None:
    old = context(authority)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with served(place) as port:
        with pytest.raises((httpx.HTTPError, ssl.SSLError)):
            httpx.get(f"https://127.0.0.1:{port}/me", verify=old)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/me")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (Place(host="0.0.0.0"), "HTTP_HOST"),  # noqa: S104 what is refused
        (Place(certificate_file=Path("c.pem")), "HTTP_KEY_FILE"),
        (Place(client_ca_file=Path("c.pem")), "HTTP_CLIENT_CA_FILE"),
    ],
)
def test_a_place_where_secrets_would_be_readable_is_refused(place: Place, told: str) -> None:
    with pytest.raises(ServerUnusable, match=told):
        place.check()


def test_files_that_cannot_be_read_are_named_by_their_setting(tmp_path: Path) -> None:
    missing = Place(certificate_file=tmp_path / "c.pem", key_file=tmp_path / "k.pem")
    with pytest.raises(ServerUnusable, match="HTTP_CERTIFICATE_FILE"):
        config(app(), missing)


def test_a_proxy_may_speak_plain_where_that_is_meant() -> None:
    Place(host="10.0.0.7", plain_behind_proxy=True).check()


SCRIPT = """
import asyncio, sys
from signaalwissel.security.http_server import Place, serve

async def slow(scope, receive, send):
    if scope["type"] != "http":
        return
    print("asked", flush=True)
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})

serve(slow, Place(port=0), lambda port: print(port, flush=True))
print("stopped", flush=True)
"""


def test_a_stop_lets_the_running_request_end_and_ends_with_0() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(httpx.get(f"http://127.0.0.1:{port}/", timeout=30).status_code)
        )
        asking.start()
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGTERM)
        asking.join()
        assert process.stdout.read() == "stopped\n"
        assert process.wait() == 0
    assert answers == [204]


SMUGGLED = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
AMBIGUOUS = {
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks that are not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("rest", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_whose_end_is_not_certain_is_refused_and_nothing_behind_it_is_answered(rest: bytes) -> None:
    with (
        served(Place(port=0)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + rest)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
