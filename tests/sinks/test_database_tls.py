"""PostgreSQL over TLS: `sslmode=verify-full` in the URL lets in one server and no other."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from signaalwissel.deploy.certificates import Authority, Issued, Validity
from signaalwissel.sinks.access import opened
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.settings import ServiceAway
from signaalwissel.streams.clock import now_ms
from sqlalchemy import make_url, text

GSS_REQUEST, TLS_REQUEST = (struct.pack(">II", 8, code) for code in (80877104, 80877103))


def answer(connection: socket.socket, context: ssl.SSLContext, server: tuple[str, int]) -> None:
    """One client: its request for TLS, the handshake, then bytes both ways. A client without TLS gets nothing."""
    with connection:
        while (request := connection.recv(8)) == GSS_REQUEST:
            connection.sendall(b"N")
        if request != TLS_REQUEST:
            return
        connection.sendall(b"S")
        with (
            context.wrap_socket(connection, server_side=True) as client,
            socket.create_connection(server) as backend,
        ):
            back = threading.Thread(target=pump, args=(backend, client), daemon=True)
            back.start()
            pump(client, backend)
            back.join(10)


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(1 << 16):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def front_of(url: str, issued: Issued) -> Iterator[str]:
    """TLS in front of a PostgreSQL that was built without it; gives the URL of the front."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    behind = make_url(url)
    server = (str(behind.host), int(behind.port or 0))

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=handled, args=(connection,), daemon=True).start()

    def handled(connection: socket.socket) -> None:
        with suppress(OSError):
            answer(connection, context, server)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        front = behind.set(port=listener.getsockname()[1])
        yield front.render_as_string(hide_password=False)
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    return Authority(tmp_path_factory.mktemp("authority"), Validity.around(now))


@pytest.fixture
def tls_url(database_url: str, authority: Authority) -> Iterator[str]:
    with front_of(database_url, authority.issue("database", hosts=["127.0.0.1"])) as url:
        yield url


def verified(url: str, ca: Path) -> str:
    return f"{url}?sslmode=verify-full&sslrootcert={ca}"


def test_the_right_server_is_used_over_tls_by_migrations_and_queries(
    tls_url: str, authority: Authority
) -> None:
    url = verified(tls_url, authority.ca)
    migrate(url)
    with opened(url, name="test") as engine, engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.pgconn.ssl_in_use
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


@pytest.mark.parametrize("case", ["authority", "name", "plaintext"])
def test_any_other_server_is_refused_with_a_reason(
    tls_url: str, authority: Authority, database_url: str, tmp_path: Path, case: str
) -> None:
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    other = Authority(tmp_path, Validity.around(now))
    url, reason = {
        "authority": (verified(tls_url, other.ca), "certificate verify failed"),
        "name": (
            verified(tls_url.replace("127.0.0.1", "localhost"), authority.ca),
            "does not match host name",
        ),
        "plaintext": (verified(database_url, authority.ca), "server does not support SSL"),
    }[case]
    with pytest.raises(ServiceAway) as refused:
        migrate(url)
    assert reason in str(refused.value)
