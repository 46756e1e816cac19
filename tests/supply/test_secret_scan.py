import base64
import hashlib

import pytest

from tests.supply.locked import ROOT
from tests.supply.secret_scan import Finding, findings, tracked

# Put together here, so that this file holds none itself.
HEX = hashlib.sha256(b"planted").hexdigest()
BASE64 = base64.b64encode(hashlib.sha256(b"planted").digest()).decode()
PLANTED = [
    pytest.param("-----BEGIN " + "PRIVATE KEY-----", "private key", id="PEM"),
    pytest.param("-----BEGIN RSA " + "PRIVATE KEY-----", "private key", id="PEM of RSA"),
    pytest.param("token: gh" + "p_" + "a1B2" * 9, "token of a service", id="token by its prefix"),
    pytest.param("hv" + "s." + "CAESIJ4x9" * 4, "token of a service", id="token of a vault"),
    pytest.param(
        "Bearer ey" + "JhbGciOiJIUzI1.ey" + "JzdWIiOiIxMjM0.c2lnbmF0dXJl", "signed token", id="signed token"
    ),
    pytest.param("url = postgresql://app:" + "Kd82nx@db/app", "password in a URL", id="password in a URL"),
    pytest.param("redis://:" + "Kd82nx@db", "password in a URL", id="password without a user"),
    pytest.param('PASSWORD = "' + 'Kd82nxQ7_pz1"', "secret as a constant", id="constant"),
    pytest.param('"client_secret": \'' + "Kd82nxQ7_pz1'", "secret as a constant", id="value in JSON"),
    pytest.param('token: str = "' + 'Kd82nxQ7_pz1"', "secret as a constant", id="typed constant"),
    pytest.param(f"{HEX}\n", "key of 32 bytes", id="hexadecimal"),
    pytest.param(f"key={BASE64}", "key of 32 bytes", id="base64"),
]
DUMPS = [
    pytest.param(b"--\n-- PostgreSQL" + b" database dump\n--\n", id="as SQL"),
    pytest.param(b"PG" + b"DMP\x01\x0e\x00", id="packed"),
]
HARMLESS = [
    'TOKEN_HEADER = "Authorization"',
    "postgresql+psycopg://signaalwissel@db/signaalwissel",
    "postgresql://app:********@db:5432/app",
    'name = "SIGNAALWISSEL_KAFKA_SECURITY_PASSWORD"',
    "0" * 64,
    "password: SecretStr | None = None",
]


def test_no_file_of_the_repository_holds_a_secret() -> None:
    names = tracked(ROOT)
    assert len(names) > 500
    found = [one for name in names for one in findings(name, (ROOT / name).read_bytes())]
    assert found == [], "remove it, and replace it wherever it is used: whoever has the history has it"


@pytest.mark.parametrize(("text", "kind"), PLANTED)
@pytest.mark.parametrize("path", ["docs/page.md", "sinks/module.py", "tests/sinks/test_module.py"])
def test_a_planted_secret_is_found_with_its_place(path: str, text: str, kind: str) -> None:
    content = f"first line\nbefore {text} after\n".encode()
    assert findings(path, content) == [Finding(path, 2, kind)]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "deploy/broker.pem",
            "keys/server.key",
            "keys/0344/match-1.secret",
            "a/b.p12",
            "home/.ssh/id_ed25519",
        ),
        *(".env", "deploy/.env.production", "conf/production.env", "sinks/pgpass", ".git-credentials"),
    ],
)
def test_a_file_of_keys_is_found_by_its_name(path: str) -> None:
    assert findings(path, b"") == [Finding(path, 0, "file of keys")]


@pytest.mark.parametrize("path", [".git/objects/ab/cd", "deploy/secrets/settings.toml"])
def test_what_lies_in_the_history_or_among_secrets_is_found_by_its_folder(path: str) -> None:
    assert findings(path, b"") == [Finding(path, 0, "folder of secrets")]


@pytest.mark.parametrize("content", DUMPS)
def test_a_dump_of_a_database_is_found(content: bytes) -> None:
    assert [one.kind for one in findings("docs/page.md", content)] == ["database dump"]


def test_a_secret_in_a_binary_file_is_found() -> None:
    content = b"\xff\xfe\x00" + b"-----BEGIN EC " + b"PRIVATE KEY-----"
    assert [one.kind for one in findings("tests/golden/x.bin", content)] == ["private key"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_none_is_no_finding(text: str) -> None:
    assert findings("docs/page.md", text.encode()) == []


def test_digests_are_allowed_where_digests_are_listed() -> None:
    assert findings("requirements.lock", f"--hash=sha256:{HEX}".encode()) == []


def test_ignored_files_are_not_looked_at() -> None:
    names = tracked(ROOT)
    assert "pyproject.toml" in names
    assert not [name for name in names if name.startswith((".venv/", ".cache/"))]
