from pathlib import Path

import pytest
from pydantic import ValidationError
from signaalwissel.console.config import url_without_password
from signaalwissel.console.settings import Settings
from signaalwissel.streams.settings import EngineSettings

from tests.console.console_support import CommandLine

HIDDEN = "********"


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('TOPIC_PREFIX = "file-"\nPARTITIONS = 3\n')
    bare_environment.setenv("SIGNAALWISSEL_CONFIG", str(file))
    bare_environment.setenv("SIGNAALWISSEL_TOPIC_PREFIX", "env-")
    ended = signaalwissel("config", "show", "--json")
    shown = {setting["name"]: (setting["value"], setting["source"]) for setting in ended.json}
    assert ended.code == 0
    assert shown["SIGNAALWISSEL_TOPIC_PREFIX"] == ("env-", "env")
    assert shown["SIGNAALWISSEL_PARTITIONS"] == ("3", "file")
    assert shown["SIGNAALWISSEL_COMMIT_INTERVAL_MS"] == ("100", "default")
    assert shown["SIGNAALWISSEL_KEY_DIR"] == (None, "default")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_password_is_shown(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", "postgresql://app:s3cret@db:5432/app")
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_SECURITY_PASSWORD", "s3cret")
    ended = signaalwissel("config", "show", *form)
    assert "s3cret" not in ended.out + ended.err
    assert f"postgresql://app:{HIDDEN}@db:5432/app" in ended.out


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "postgresql+psycopg://app@db/app?sslmode=require",
            "postgresql+psycopg://app@db/app?sslmode=require",
        ),
        ("postgresql://app:s3cret@[::1]:5432/app", f"postgresql://app:{HIDDEN}@[::1]:5432/app"),
        ("postgresql://app:@/app?host=/run/db", f"postgresql://app:{HIDDEN}@/app?host=/run/db"),
        ("postgresql:///app?user=a&password=s3cret", f"postgresql:///app?user=a&password={HIDDEN}"),
        ("postgresql:///app?sslpassword=s3cret&user=a", f"postgresql:///app?sslpassword={HIDDEN}&user=a"),
    ],
)
def test_a_database_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert url_without_password(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s3/cret@db/app",
        "postgresql://app:s3#cret@db/app",
        "postgresql://app:s3?cret@db/app",
        "postgresql://app:s3@cret@db/app",
        "postgresql://app:s3 cret@db/app",
        "postgresql://app:s3cret",
        "host=db user=app password=s3cret",
    ],
)
def test_a_url_of_an_unusual_form_is_hidden_whole(url: str) -> None:
    assert url_without_password(url) == HIDDEN


def test_a_wrong_setting_ends_with_usage_and_its_name(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_PARTITIONS", "none")
    ended = signaalwissel("config", "show")
    assert ended.code == 2
    assert "SIGNAALWISSEL_PARTITIONS" in ended.err


def test_the_broker_waits_for_the_longest_commit_interval_that_is_allowed() -> None:
    longest_ms = 5000
    assert EngineSettings(app_id="app", bootstrap="nowhere:1", commit_interval_s=longest_ms / 1000)
    assert Settings(commit_interval_ms=longest_ms)
    with pytest.raises(ValidationError, match="commit_interval_ms"):
        Settings(commit_interval_ms=longest_ms + 1)
