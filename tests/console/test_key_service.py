"""The key provider that the settings name, and what commands do when it is away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from signaalwissel import processors

from tests.console.console_support import CommandLine, Ended
from tests.security.vault_stub import JWT, ROLE, ROOT, SECRET_ID, VaultStub, serving
from tests.security.vault_support import secret_file


@pytest.fixture
def vault(tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Iterator[VaultStub]:
    """A key service that the environment names."""
    with serving(VaultStub()) as stub:
        for name, value in (
            ("KEY_PROVIDER", "vault"),
            ("VAULT_URL", stub.url),
            ("VAULT_TOKEN_FILE", str(secret_file(tmp_path, "token", ROOT))),
            ("VAULT_PATIENCE_S", "0"),
        ):
            bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
        yield stub


def keys_found(ended: Ended) -> dict[str, Any]:
    (found,) = [finding for finding in ended.json if finding["check"] == "keys"]
    return dict(found)


def test_keys_create_makes_them_in_the_key_service(vault: VaultStub, signaalwissel: CommandLine) -> None:
    assert signaalwissel("keys", "create", "0344").code == 0
    assert sorted(vault.keys) == ["0344-identity", "0344-match-1", "system"]


@pytest.mark.parametrize("auth", ["approle", "kubernetes"])
def test_a_role_logs_in(
    vault: VaultStub, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, auth: str
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_VAULT_AUTH", auth)
    monkeypatch.setenv("SIGNAALWISSEL_VAULT_ROLE", ROLE)
    monkeypatch.setenv("SIGNAALWISSEL_VAULT_SECRET_ID_FILE", str(secret_file(tmp_path, "secret", SECRET_ID)))
    monkeypatch.setenv("SIGNAALWISSEL_VAULT_JWT_FILE", str(secret_file(tmp_path, "jwt", JWT)))
    assert signaalwissel("keys", "create", "0344").code == 0
    assert vault.logins == 1


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"VAULT_URL": None}, "SIGNAALWISSEL_VAULT_URL is not set"),
        ({"VAULT_TOKEN_FILE": None}, "SIGNAALWISSEL_VAULT_TOKEN_FILE is not set"),
        ({"VAULT_AUTH": "approle"}, "SIGNAALWISSEL_VAULT_ROLE is not set"),
        ({"VAULT_AUTH": "kubernetes"}, "SIGNAALWISSEL_VAULT_ROLE is not set"),
        ({"VAULT_AUTH": "userpass"}, "SIGNAALWISSEL_VAULT_AUTH"),
        ({"VAULT_URL": "http://vault.example.nl"}, "SIGNAALWISSEL_VAULT_URL must begin with https"),
        ({"VAULT_CA_FILE": "/missing.pem"}, "SIGNAALWISSEL_VAULT_CA_FILE"),
        ({"VAULT_MOUNT": "../sys"}, "SIGNAALWISSEL_VAULT_MOUNT"),
        ({"EVERY_MUNICIPALITY": "true"}, "SIGNAALWISSEL_EVERY_MUNICIPALITY is for trying out"),
        ({"KEY_PROVIDER": "cloud"}, "SIGNAALWISSEL_KEY_PROVIDER"),
    ],
)
def test_a_setting_that_is_wrong_or_missing_is_named(
    vault: VaultStub,
    signaalwissel: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, str | None],
    named: str,
) -> None:
    for name, value in changed.items():
        if value is None:
            monkeypatch.delenv(f"SIGNAALWISSEL_{name}")
        else:
            monkeypatch.setenv(f"SIGNAALWISSEL_{name}", value)
    ended = signaalwissel("keys", "create", "0344")
    assert (ended.code, vault.requests) == (2, [])
    assert named in ended.err


@pytest.mark.parametrize(
    "command", [("worker",), ("worker", "--only", "intake"), ("sink",), ("keys", "create", "0344")]
)
def test_nothing_starts_without_the_key_service(
    vault: VaultStub, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql+psycopg://app@127.0.0.1:1/app")
    vault.sealed = True
    ended = signaalwissel(*command)
    assert ended.code == 3
    assert "HTTP 503: it is sealed" in ended.err
    assert "Traceback" not in ended.err


class TestDoctor:
    """What `doctor` says of the key service."""

    @pytest.fixture(autouse=True)
    def policies(self, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "policies"
        folder.mkdir()
        (folder / "default.toml").write_text((Path(processors.__path__[0]) / "default.toml").read_text())
        (folder / "0344.toml").touch()
        bare_environment.setenv("SIGNAALWISSEL_POLICY_DIR", str(folder))

    def test_one_that_is_away_is_told(self, vault: VaultStub, signaalwissel: CommandLine) -> None:
        vault.sealed = True
        ended = signaalwissel("doctor", "--json")
        assert ended.code == 3
        assert "HTTP 503: it is sealed" in keys_found(ended)["detail"]

    def test_a_municipality_without_keys_is_told(self, vault: VaultStub, signaalwissel: CommandLine) -> None:
        assert "a policy but no keys: 0344" in keys_found(signaalwissel("doctor", "--json"))["detail"]
        signaalwissel("keys", "create", "0344")
        found = keys_found(signaalwissel("doctor", "--json"))
        assert (found["ok"], found["detail"]) == (True, "1 municipalities have keys and policy")
        assert vault.keys

    def test_a_setting_that_is_missing_is_told(
        self, vault: VaultStub, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SIGNAALWISSEL_VAULT_URL")
        ended = signaalwissel("doctor", "--json")
        assert vault.requests == []
        assert "SIGNAALWISSEL_VAULT_URL" in keys_found(ended)["detail"]
        assert "SIGNAALWISSEL_VAULT_URL" in next(f for f in ended.json if f["check"] == "settings")["detail"]
