"""What commands end with when what they need is not set, or not there."""

from pathlib import Path

import pytest
from signaalwissel.security.local_keys import LocalKeys

from tests.console.console_support import MUNICIPALITY, CommandLine

USAGE, AWAY = 2, 3
NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"
READS_THE_DATABASE = {
    "dead-letters list": (),
    "dead-letters show": ("0b6e7f20c3d94f0c8f6a1e2d3c4b5a69",),
    "dead-letters park": ("0b6e7f20c3d94f0c8f6a1e2d3c4b5a69",),
    "signal show": ("W-1",),
    "audit verify": (),
    "retention report": (),
    "retention run": (),
    "retention release": ("4f0c8f6a1e2d3c4b", "--reason", "Bezwaar 12 is afgedaan"),
    "report new-arrears": (),
    "subject requests": (),
    "keys destroy": (MUNICIPALITY, "--again", "--reason", "Sleutels teruggezet"),
    "export": ("vps", "antwoord.csv"),
    "access grant-reader": (),
    "database migrate": ("--dry-run",),
    "database show": (),
    "report figures": ("--municipality", MUNICIPALITY),
    "access end-sessions": ("--everybody",),
}
EVERY = pytest.mark.parametrize("name", READS_THE_DATABASE)


@pytest.fixture
def keys(tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> None:
    """Everything but the database is set, and the working folder is the test's own."""
    LocalKeys(tmp_path / "keys").create(MUNICIPALITY)
    bare_environment.setenv("SIGNAALWISSEL_KEY_DIR", str(tmp_path / "keys"))
    bare_environment.setenv("SIGNAALWISSEL_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    bare_environment.chdir(tmp_path)


@EVERY
@pytest.mark.usefixtures("keys")
def test_without_its_setting_a_command_was_asked_wrongly(name: str, signaalwissel: CommandLine) -> None:
    ended = signaalwissel(*name.split(), *READS_THE_DATABASE[name])
    assert ended.code == USAGE
    assert ended.err.startswith("signaalwissel: SIGNAALWISSEL_DATABASE_URL")
    assert ended.out == ""


@EVERY
@pytest.mark.usefixtures("keys")
def test_without_its_database_a_service_is_away(
    name: str, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", NOBODY_LISTENS)
    ended = signaalwissel(*name.split(), *READS_THE_DATABASE[name])
    assert ended.code == AWAY
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.mark.usefixtures("bare_environment")
def test_an_option_that_is_none_was_asked_wrongly(signaalwissel: CommandLine) -> None:
    assert signaalwissel("topics", "plan", "--no-such-option").code == USAGE
    assert signaalwissel("no-such-command").code == USAGE
