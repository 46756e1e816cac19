"""The proxy of the fault runs does to a connection what its temper says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import DEAF, LOOPBACK, Proxy, Temper, slow


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that sends everything back."""
    with socket.create_server((LOOPBACK, 0)) as server, Proxy(1, server.getsockname()[1]).running() as proxy:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        yield proxy


def _echo(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(100):
                connection.sendall(data)
        except OSError:
            return


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), timeout=0.5)


def test_a_calm_proxy_passes_everything_in_order(proxy: Proxy) -> None:
    with connected(proxy) as client:
        for number in range(100):
            client.sendall(b"%02d" % number)
        received = b""
        while len(received) < 200:
            received += client.recv(200)
    assert received == b"".join(b"%02d" % number for number in range(100))


@pytest.mark.parametrize("temper", [DEAF, Temper(up=False), Temper(down=False)])
def test_what_is_held_up_comes_when_the_proxy_is_calm_again(proxy: Proxy, temper: Temper) -> None:
    with connected(proxy) as client:
        with proxy.being(temper):
            client.sendall(b"late")
            with pytest.raises(TimeoutError):
                client.recv(10)
        client.settimeout(5)
        assert client.recv(10) == b"late"


def test_a_slow_proxy_takes_its_time_in_both_directions(proxy: Proxy) -> None:
    with connected(proxy) as client, proxy.being(slow(0.1)):
        began = time.monotonic()
        client.sendall(b"x")
        assert client.recv(10) == b"x"
        assert time.monotonic() - began >= 0.2


def test_a_reset_breaks_the_connection_and_a_new_one_works(proxy: Proxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"x")
        assert client.recv(10) == b"x"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(10)
    with connected(proxy) as client:
        client.sendall(b"y")
        assert client.recv(10) == b"y"
