"""A login that must not work is refused by worker, sink and console: a helpful message, soon, exit code 3."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka.admin import ScramMechanism, UserScramCredentialDeletion
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.certificates import Authority, Issued, Validity
from signaalwissel.deploy.kafka_cluster import ADMIN, Login
from signaalwissel.streams.clock import now_ms

from tests.console.console_support import CommandLine
from tests.console.import_support import SAMPLES
from tests.secured.secured_support import REVOKED, WHOLE, Secured
from tests.security.provider import access_text

# The bound on every one of these commands.
pytestmark = pytest.mark.timeout(60)

SHORT = [
    pytest.param(("worker", "--only", "matcher"), id="matcher"),
    pytest.param(("sink",), id="sink"),
    pytest.param(("topics", "plan"), id="topics"),
    pytest.param(("gateway",), id="gateway"),
]
COMMANDS = (
    SHORT
    if not WHOLE
    else [
        *SHORT,
        pytest.param(("worker",), id="worker"),
        pytest.param(("rebuild", "--dry-run"), id="rebuild"),
        pytest.param(("publish", "-"), id="publish"),
        pytest.param(("doctor", "--json"), id="doctor"),
        pytest.param(("web",), id="web"),
        pytest.param(("import", "vps", str(SAMPLES / "vps.csv")), id="import"),
    ]
)
Variables = dict[str, str]
Case = Callable[["Cases"], Variables]


class Cases:
    """The ways in which a login can be wrong, as settings."""

    def __init__(self, secured: Secured, folder: Path) -> None:
        self._secured = secured
        self._folder = folder

    def _now(self) -> datetime:
        return datetime.fromtimestamp(now_ms() / 1000, UTC)

    def _user(self, **others: str) -> Variables:
        return {**self._secured.variables("signaalwissel-sink"), **others}

    def _certified(self, issued: Issued | None) -> Variables:
        given = self._secured.variables("signaalwissel-sink", Login.MTLS)
        for variable in ("KAFKA_SECURITY_CERTIFICATE_FILE", "KAFKA_SECURITY_KEY_FILE"):
            del given[variable]
        if issued is None:
            return given
        return {
            **given,
            "KAFKA_SECURITY_CERTIFICATE_FILE": str(issued.certificate),
            "KAFKA_SECURITY_KEY_FILE": str(issued.key),
        }

    def plaintext(self) -> Variables:
        return {"KAFKA_BOOTSTRAP": self._secured.cluster.bootstrap(Login.SCRAM)}

    def wrong_ca(self) -> Variables:
        other = Authority(self._folder / "other", Validity.around(self._now()))
        return self._user(KAFKA_SECURITY_CA_FILE=str(other.ca))

    def no_ca(self) -> Variables:
        given = self._user()
        del given["KAFKA_SECURITY_CA_FILE"]
        return given

    def wrong_host(self) -> Variables:
        return self._user(
            KAFKA_BOOTSTRAP=self._secured.cluster.bootstrap(Login.SCRAM).replace("localhost", "127.0.0.1")
        )

    def wrong_password(self) -> Variables:
        given = self._user(KAFKA_SECURITY_PASSWORD="not it")
        del given["KAFKA_SECURITY_PASSWORD_FILE"]
        return given

    def revoked_user(self) -> Variables:
        return self._secured.variables(REVOKED)

    def other_mechanism(self) -> Variables:
        return self._user(KAFKA_SECURITY_MECHANISM="PLAIN")

    def no_password(self) -> Variables:
        given = self._certified(self._secured.people.certificates["signaalwissel-sink"])
        return {**given, "KAFKA_BOOTSTRAP": self._secured.cluster.bootstrap(Login.BOTH)}

    def no_certificate(self) -> Variables:
        return self._certified(None)

    def certificate_beside_a_password_missing(self) -> Variables:
        return self._user(KAFKA_BOOTSTRAP=self._secured.cluster.bootstrap(Login.BOTH))

    def expired_certificate(self) -> Variables:
        return self._certified(self._secured.people.expired)

    def certificate_of_another_authority(self) -> Variables:
        other = Authority(self._folder / "stranger", Validity.around(self._now()))
        return self._certified(other.issue("signaalwissel-sink"))


REFUSED = [
    (Cases.plaintext, "speaks TLS there and PROTOCOL is PLAINTEXT"),
    (Cases.wrong_ca, "CA_FILE does not hold who signed the broker's certificate"),
    (Cases.no_ca, "CA_FILE does not hold who signed the broker's certificate"),
    (Cases.wrong_host, "the broker's certificate is not for 127.0.0.1"),
    (Cases.wrong_password, "USERNAME or its password is not accepted"),
    (Cases.revoked_user, "USERNAME or its password is not accepted"),
    (Cases.other_mechanism, "does not take MECHANISM=PLAIN"),
    (Cases.no_password, "wants a password"),
    (Cases.no_certificate, "wants a client certificate"),
    (Cases.certificate_beside_a_password_missing, "wants a client certificate"),
    (Cases.expired_certificate, "does not accept the client certificate of CERTIFICATE_FILE: it has expired"),
    (Cases.certificate_of_another_authority, "does not trust who signed it"),
]


@pytest.fixture(scope="module", autouse=True)
def _revoked(secured: Secured) -> None:
    """A user who could log in, until he was taken away."""
    settings = secured.settings(REVOKED)
    check_login(settings)
    with secured.client(ADMIN) as client:
        deletion = UserScramCredentialDeletion(REVOKED, ScramMechanism.SCRAM_SHA_512)
        assert client.alter_user_scram_credentials([deletion]) == {REVOKED: None}
    # Until every broker has heard of it.
    for server in secured.cluster.bootstrap(Login.SCRAM).split(","):
        for _ in range(100):
            if _shut_out(settings.model_copy(update={"kafka_bootstrap": server})):
                break


def _shut_out(settings: Settings) -> bool:
    try:
        check_login(settings)
    except ServiceAway:
        return True
    return False


@pytest.fixture
def refused(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Callable[[Variables, tuple[str, ...]], str]:
    """Runs a command with a login; gives what it says, and fails where it does not end with 3."""
    common = {
        "DATABASE_URL": database_url,
        "KEY_DIR": str(tmp_path / "keys"),
        "EVERY_MUNICIPALITY": "true",
        "TOPIC_PREFIX": "refused-",
        "ACCESS_FILE": str(tmp_path / "access.toml"),
        "SESSION_SECRET_FILE": str(tmp_path / "session-secret"),
    }
    # Nobody asks it anything: the login on Kafka comes first.
    (tmp_path / "access.toml").write_text(access_text("provider", "https://login.example.nl", ["0344"], []))
    (tmp_path / "session-secret").write_text("s" * 48)
    (tmp_path / "session-secret").chmod(0o600)

    def run(variables: Variables, command: tuple[str, ...]) -> str:
        for name, value in {**common, **variables}.items():
            bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
        ended = signaalwissel(*command)
        assert ended.code == 3, ended
        return ended.out + ended.err

    return run


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("case", "message"), [pytest.param(*row, id=row[0].__name__) for row in REFUSED])
def test_a_wrong_login_is_refused_with_a_reason(
    secured: Secured,
    refused: Callable[[Variables, tuple[str, ...]], str],
    tmp_path: Path,
    case: Case,
    message: str,
    command: tuple[str, ...],
) -> None:
    variables = case(Cases(secured, tmp_path))
    said = refused(variables, command)
    assert message in said
    assert all(password not in said for password in secured.people.passwords.values())


@contextmanager
def serving(issued: Issued | None) -> Iterator[str]:
    """Somebody at 127.0.0.1 who takes connections, with TLS or, without a certificate, as they are; gives his address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if issued is not None:
        context.load_cert_chain(issued.certificate, issued.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with suppress(OSError), connection:
                        if issued is None:
                            connection.recv(1 << 10)
                            connection.sendall(b"no TLS here, whatever you sent\r\n")
                        else:
                            context.wrap_socket(connection, server_side=True).recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_broker_whose_certificate_has_expired_is_refused(
    secured: Secured,
    refused: Callable[[Variables, tuple[str, ...]], str],
    command: tuple[str, ...],
    tmp_path: Path,
) -> None:
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    authority = Authority(tmp_path / "authority", Validity.around(now))
    past = Validity(now - timedelta(days=9), now - timedelta(seconds=2))
    with serving(authority.issue("old-broker", validity=past)) as address:
        variables = secured.variables("signaalwissel-sink")
        said = refused(
            {**variables, "KAFKA_BOOTSTRAP": address, "KAFKA_SECURITY_CA_FILE": str(authority.ca)}, command
        )
    assert "the broker's certificate has expired" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_listener_without_tls_gets_nothing_from_us(
    secured: Secured, refused: Callable[[Variables, tuple[str, ...]], str], command: tuple[str, ...]
) -> None:
    with serving(None) as address:
        said = refused({**secured.variables("signaalwissel-sink"), "KAFKA_BOOTSTRAP": address}, command)
    assert "does not speak TLS there" in said
