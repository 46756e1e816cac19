"""`access`: who is recognised, and the reader's role."""

from pathlib import Path

import pytest
from signaalwissel.processors.access import Principal
from signaalwissel.security.sessions import Sessions
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.ended_sessions import EndedSessions
from signaalwissel.sinks.row_security import check_reader
from sqlalchemy import text

from tests.console.console_support import CommandLine
from tests.security.test_access_settings import GOOD


def test_check_shows_who_is_recognised(signaalwissel: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text(GOOD)
    ended = signaalwissel("access", "check", file)
    assert ended.code == 0
    assert "program water-west of https://login.example.nl: integrator for 0344 water-west\n" in ended.out
    assert "certificate CN=energie-noord: integrator for 0363 energie-noord" in ended.out
    assert len(signaalwissel("access", "check", file, "--json").json["recognised"]) == 3


def test_check_ends_with_1_where_the_file_cannot_be_used(signaalwissel: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "access.toml"
    file.write_text("[proxy]\naddresses = []\n")
    ended = signaalwissel("access", "check", file, "--json")
    assert (ended.code, ended.json["usable"]) == (1, False)
    assert signaalwissel("access", "check").code == 2


def test_grant_reader_makes_a_role_that_is_below_the_policies(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    assert signaalwissel("access", "grant-reader").code == 2
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", empty_database_url)
    assert signaalwissel("access", "grant-reader").code == 3
    migrate(empty_database_url)
    assert signaalwissel("access", "grant-reader", "--dry-run", "--json").json["granted"] is False
    assert signaalwissel("access", "grant-reader", "--json").json["granted"] is True
    check_reader(open_engine(empty_database_url, name="test"))


def test_sessions_of_somebody_are_ended_for_every_process_and_on_record(
    signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    whose = ("access", "end-sessions", "--subject", "https://login.example.nl#3f2a")
    assert signaalwissel("access", "end-sessions").code == 2
    assert signaalwissel(*whose, "--everybody").code == 2
    bare_environment.setenv("SIGNAALWISSEL_DATABASE_URL", empty_database_url)
    assert signaalwissel(*whose).code == 3
    migrate(empty_database_url)
    engine = open_engine(empty_database_url, name="test")
    sessions = Sessions(["x" * 32], EndedSessions(engine))
    theirs, another = (
        sessions.seal(sessions.begin(Principal(subject, frozenset())))
        for subject in ("https://login.example.nl#3f2a", "https://login.example.nl#77")
    )
    assert signaalwissel(*whose, "--dry-run", "--json").json["ended"] is False
    assert sessions.open(theirs) is not None
    assert signaalwissel(*whose, "--json").json["ended"] is True
    assert sessions.open(theirs) is None
    assert sessions.open(another) is not None
    assert signaalwissel("access", "end-sessions", "--everybody").code == 0
    assert sessions.open(another) is None
    with engine.connect() as connection:
        kinds = connection.execute(text("SELECT kind FROM audit_events")).scalars().all()
    assert kinds == ["SESSIONS_ENDED"] * 2
