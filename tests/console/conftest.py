import os
from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel.console import runtime
from signaalwissel.sinks.database_grants import keep_longer

from tests.console.console_support import CommandLine, Installation

_WIDE = "240"


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any setting of ours."""
    for name in list(os.environ):
        if name.upper().startswith("SIGNAALWISSEL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", _WIDE)
    return monkeypatch


@pytest.fixture
def signaalwissel(bare_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The program; its settings are what the test sets."""
    return CommandLine(bare_environment, capsys)


Install = Callable[[str], Installation]


@pytest.fixture
def installed_on(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> Install:
    """Makes an installation on a database, with policies and keys; the environment names them."""

    def install(database_url: str) -> Installation:
        made = Installation(kafka_bootstrap, database_url, topic_prefix, tmp_path)
        for name, value in made.variables.items():
            bare_environment.setenv(f"SIGNAALWISSEL_{name}", value)
        return made

    return install


@pytest.fixture
def unprepared(installed_on: Install, empty_database_url: str) -> Installation:
    """Both servers, policies and keys, without topics and tables."""
    return installed_on(empty_database_url)


@pytest.fixture
def stored(installed_on: Install, database_url: str) -> Installation:
    """An installation with tables, as `database migrate` leaves them, and without topics."""
    made = installed_on(database_url)
    keep_longer(made.engine, runtime.audit_kept_days(made.settings) or 0)
    return made


@pytest.fixture
def installation(stored: Installation) -> Installation:
    """An installation with everything that it needs."""
    stored.make_topics()
    return stored


@pytest.fixture
def named_collector(bare_environment: pytest.MonkeyPatch) -> None:
    """A collector of the processing log is set; nothing is sent to it."""
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_URL", "http://127.0.0.1:9/v1/traces")
