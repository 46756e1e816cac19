"""Access over HTTP from the settings: what is missing is named, and the development login stays away from real ones."""

from pathlib import Path
from typing import Any

import pytest
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.http_access import http_access, place, web_sessions
from signaalwissel.console.settings import Settings
from signaalwissel.security.http_server import Place
from signaalwissel.security.sessions import EndedHere

TRYING: dict[str, Any] = {"development_login": True, "every_municipality": True}
BASE = "http://127.0.0.1:8090"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNAALWISSEL_EVERY_MUNICIPALITY", raising=False)


def test_without_an_access_file_nobody_is_recognised() -> None:
    with pytest.raises(UsageFailure, match="ACCESS_FILE is not set"):
        http_access(Settings(), BASE)


def test_the_development_login_serves_on_this_machine() -> None:
    known = http_access(Settings(**TRYING), BASE, ["0344"])
    assert known.development is not None
    assert known.access.issuers[0].municipalities == {"0344"}
    assert web_sessions(Settings(**TRYING), known, BASE, EndedHere()).cookie == "signaalwissel"


@pytest.mark.parametrize(
    ("real", "told"),
    [
        ({"access_file": Path("a.toml")}, "ACCESS_FILE is set"),
        ({"key_provider": "vault"}, "KEY_PROVIDER is vault"),
        ({"kafka_security_protocol": "SASL_SSL"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"http_host": "10.0.0.7"}, "HTTP_HOST"),
        ({"http_certificate_file": Path("c.pem")}, "HTTP_CERTIFICATE_FILE"),
        ({"http_behind_proxy": True}, "HTTP_BEHIND_PROXY"),
        ({"every_municipality": False}, "EVERY_MUNICIPALITY"),
    ],
)
def test_any_sign_of_a_real_installation_refuses_the_development_login(
    real: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageFailure, match=told):
        http_access(Settings(**{**TRYING, **real}), BASE)


def test_an_access_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageFailure, match="SIGNAALWISSEL_ACCESS_FILE"):
        http_access(Settings(access_file=tmp_path / "none.toml"), BASE)


def test_pages_need_a_login_and_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text("")
    settings = Settings(access_file=file)
    with pytest.raises(UsageFailure, match=r"\[login\]"):
        web_sessions(settings, http_access(settings, BASE), BASE, EndedHere())
    known = http_access(Settings(**TRYING), BASE, ["0344"])
    with pytest.raises(UsageFailure, match="SESSION_SECRET_FILE is not set"):
        web_sessions(settings, known, BASE, EndedHere())
    short = tmp_path / "secret"
    short.write_text("x" * 40)
    short.chmod(0o644)
    with pytest.raises(UsageFailure, match="SESSION_SECRET_FILE: everyone can read"):
        web_sessions(Settings(session_secret_file=short), known, BASE, EndedHere())
    short.chmod(0o600)
    short.write_text("short\n")
    with pytest.raises(UsageFailure, match="SESSION_SECRET_FILE"):
        web_sessions(Settings(session_secret_file=short), known, BASE, EndedHere())
    short.write_text("x" * 40 + "\n" + "y" * 40 + "\n")
    assert web_sessions(
        Settings(session_secret_file=short), known, "https://x.nl", EndedHere()
    ).cookie.startswith("__Host-")


def test_a_place_is_as_the_settings_say() -> None:
    assert place(Settings(http_stop_s=5), 8080) == Place(port=8080, stop_s=5)
    with pytest.raises(UsageFailure, match="SIGNAALWISSEL_HTTP_HOST"):
        place(Settings(http_host="0.0.0.0"), 8080)  # noqa: S104 what is refused
