"""Where the key service is, and as whom it is asked."""

from pathlib import Path

import pytest
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.vault_settings import AppRole, Kubernetes, TokenFile, VaultSettings, VaultUnusable


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("vault:8200", "not a URL"),
        ("", "not a URL"),
        ("https://[::1", "not a URL"),
        ("ftp://vault.example.nl", "not a URL"),
        ("http://vault.example.nl:8200", "must begin with https"),
        ("https://root:s3cret@vault.example.nl", "more than an address"),
        ("https://vault.example.nl/?token=s3cret", "more than an address"),
    ],
)
def test_an_address_that_would_give_keys_away_is_refused(url: str, why: str) -> None:
    with pytest.raises(VaultUnusable, match=why) as refused:
        VaultSettings(url, TokenFile(Path("token")))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://vault.example.nl:8200", "http://127.0.0.1:8200", "http://localhost"]
)
def test_https_is_needed_only_to_leave_this_machine(url: str) -> None:
    assert VaultSettings(url, TokenFile(Path("token"))).url == url


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"token\n", 0o604, "everyone can read it"),
        (b"", 0o600, "holds no login"),
        (b"one\ntwo", 0o600, "more than one line"),
        ("é".encode(), 0o600, "not ASCII"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes, mode: int, why: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(mode)
    for login in (TokenFile(file), AppRole("role", file)):
        with pytest.raises(KeyUnavailable, match=why):
            login.credentials()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match=r"jwt: the login cannot be read: No such file"):
        Kubernetes("role", tmp_path / "jwt").credentials()


def test_the_token_that_a_pod_gets_may_be_readable_in_the_pod(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text("header.payload.signature")
    file.chmod(0o644)
    assert Kubernetes("role", file).credentials() == {"role": "role", "jwt": "header.payload.signature"}
