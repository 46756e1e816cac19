"""Settings of the login that contradict each other, or files that cannot be used, are refused before anything is sent."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.kafka_security import connection
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.certificates import Authority, Issued, Validity
from signaalwissel.streams.clock import now_ms


class Files:
    """A folder with an authority, a certificate and a password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, Validity.around(datetime.fromtimestamp(now_ms() / 1000, UTC)))
        self.issued: Issued = self.authority.issue("client")
        self.password = self.new("password", b"secret\n")

    def new(self, name: str, content: bytes, mode: int = 0o600) -> Path:
        file = self.folder / name
        file.write_bytes(content)
        file.chmod(mode)
        return file


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def settings(**given: object) -> Settings:
    return Settings(**{f"kafka_security_{name}": value for name, value in given.items()})  # type: ignore[arg-type]


def login(**others: object) -> dict[str, object]:
    return {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512", "username": "u", **others}


def test_without_settings_the_connection_is_plain() -> None:
    assert connection(settings()) == {"security_protocol": "PLAINTEXT"}


def test_a_password_goes_over_tls_with_the_host_name_checked(files: Files) -> None:
    options = connection(settings(**login(password_file=files.password, ca_file=files.authority.ca)))
    context = options.pop("ssl_context")
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "secret",
    }
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_certificate_logs_in_alone_or_beside_a_password(files: Files) -> None:
    certified = {
        "certificate_file": files.issued.certificate,
        "key_file": files.issued.key,
        "ca_file": files.authority.ca,
    }
    alone = connection(settings(protocol="SSL", **certified))
    both = connection(settings(**login(password="secret", **certified)))
    assert alone.keys() == {"security_protocol", "ssl_context"}
    assert both["sasl_plain_password"] == "secret"


def test_key_and_certificate_may_lie_in_one_file(files: Files) -> None:
    options = connection(settings(protocol="SSL", certificate_file=files.issued.bundled()))
    assert isinstance(options["ssl_context"], ssl.SSLContext)


Broken = Callable[[Files], dict[str, object]]
REFUSED: list[tuple[str, Broken, str]] = [
    ("password on PLAINTEXT", lambda f: {"username": "u", "password": "p"}, "which does not use it"),
    ("CA on PLAINTEXT", lambda f: {"ca_file": f.authority.ca}, "CA_FILE: set, but"),
    (
        "password on SSL",
        lambda f: login(protocol="SSL", password="p"),
        "SIGNAALWISSEL_KAFKA_SECURITY_PROTOCOL is SSL",
    ),
    (
        "certificate without TLS",
        lambda f: login(protocol="SASL_PLAINTEXT", password="p", certificate_file=f.issued.certificate),
        "CERTIFICATE_FILE: set, but",
    ),
    (
        "PLAIN in the clear",
        lambda f: login(protocol="SASL_PLAINTEXT", mechanism="PLAIN", password="p"),
        "sends the password as it is",
    ),
    ("no password", lambda f: login(), "PASSWORD_FILE or"),
    ("no user", lambda f: {"protocol": "SASL_SSL", "password": "p"}, "MECHANISM, SIGNAALWISSEL"),
    ("two passwords", lambda f: login(password="p", password_file=f.password), "are both set"),
    ("no such password", lambda f: login(password_file=f.folder / "none"), "cannot be read"),
    (
        "password open to all",
        lambda f: login(password_file=f.new("open", b"p", 0o644)),
        "everyone can read",
    ),
    (
        "no text",
        lambda f: login(password_file=f.new("bytes", b"\xff\xfe\xff")),
        "PASSWORD_FILE",
    ),
    ("no such CA", lambda f: login(password="p", ca_file=f.folder / "none"), "CA_FILE"),
    ("CA is no PEM", lambda f: login(password="p", ca_file=f.password), "must hold PEM certificates"),
    ("key alone", lambda f: {"protocol": "SSL", "key_file": f.issued.key}, "CERTIFICATE_FILE is not"),
    (
        "key of another",
        lambda f: {
            "protocol": "SSL",
            "certificate_file": f.issued.certificate,
            "key_file": f.authority.issue("other").key,
        },
        "belong together",
    ),
    (
        "key open to all",
        lambda f: {
            "protocol": "SSL",
            "certificate_file": f.issued.certificate,
            "key_file": f.new("key.pem", f.issued.key.read_bytes(), 0o644),
        },
        "everyone can read",
    ),
]


@pytest.mark.parametrize(("broken", "message"), [pytest.param(b, m, id=name) for name, b, m in REFUSED])
def test_a_login_that_cannot_be_meant_is_refused(files: Files, broken: Broken, message: str) -> None:
    with pytest.raises(UsageFailure) as refused:
        connection(settings(**broken(files)))
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("field", "value"), [("protocol", "TLS"), ("mechanism", "SCRAM-SHA-1")])
def test_an_unknown_protocol_or_mechanism_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"kafka_security_{field}"):
        settings(**{field: value})
