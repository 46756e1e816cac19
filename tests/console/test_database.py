"""`database migrate`, `database show` and `database grant`, on a real database."""

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.database_grants import login_rights
from signaalwissel.sinks.database_roles import RIGHTS, Role
from signaalwissel.sinks.schema_upgrade import MIGRATIONS

from tests.sinks.role_support import as_role, let_in

NEWEST = max(script.stem.split("_")[0] for script in (MIGRATIONS / "versions").glob("[0-9]*.py"))
Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def program(empty_database_url: str) -> "Program":
    return Program(empty_database_url)


class Program:
    """The program on a database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *words: str, **settings: str) -> Ended:
        return subprocess.run(
            [sys.executable, "-m", "signaalwissel.console", "database", *words],
            env={**os.environ, **settings, "SIGNAALWISSEL_DATABASE_URL": self.url},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def execute(self, statement: str) -> None:
        with open_engine(self.url, name="test").begin() as connection:
            connection.exec_driver_sql(statement)


def packaged_policies(folder: Path) -> str:
    """A folder with the policy that comes with the program."""
    packaged = files("signaalwissel.processors").joinpath("default.toml").read_text("utf-8")
    (folder / "default.toml").write_text(packaged, "utf-8")
    return str(folder)


def test_an_empty_database_is_brought_up_to_date_and_then_left_alone(program: Program) -> None:
    assert program("show").returncode == 1
    assert json.loads(program("migrate", "--json").stdout) == {
        "before": None,
        "now": NEWEST,
        "newer": False,
        "audit_kept_days": None,
    }
    again = program("migrate")
    assert (again.returncode, again.stdout) == (0, f"version {NEWEST} already\n")
    shown = program("show", "--json")
    assert (shown.returncode, json.loads(shown.stdout)) == (0, {"present": NEWEST, "newest": NEWEST})


def test_a_database_of_a_newer_program_is_left_as_it_is_and_shown(program: Program) -> None:
    program("migrate")
    program.execute("UPDATE alembic_version SET version_num = '9999'")
    done = program("migrate")
    assert (done.returncode, done.stdout) == (0, "version 9999, of a newer program: left as it is\n")
    assert program("show").returncode == 1


def test_a_database_that_takes_newer_programs_only_is_refused_with_what_to_do(program: Program) -> None:
    program("migrate")
    program.execute(
        "CREATE OR REPLACE FUNCTION signaalwissel_oldest_program() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '9999' $$"
    )
    program.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = program("migrate")
    assert refused.returncode == 2
    assert "Start the newer program, or restore the backup" in refused.stderr


def test_a_database_that_is_away_is_told_as_such() -> None:
    away = Program("postgresql://nobody@127.0.0.1:9/none")("migrate")
    assert away.returncode == 3
    assert "Traceback" not in away.stderr


def test_grant_shows_every_right_first_and_then_gives_it(program: Program) -> None:
    program("migrate")
    dry = [json.loads(line) for line in program("grant", "--dry-run", "--json").stdout.splitlines()]
    done = [json.loads(line) for line in program("grant", "--json").stdout.splitlines()]
    assert [one["granted"] for one in dry] == [False] * len(Role)
    assert [one | {"granted": False} for one in done] == dry
    assert {one["role"]: set(one["rights"]) for one in done} == {
        role.value: set(rights) for role, rights in RIGHTS.items()
    }


def test_grant_keeps_the_audit_trail_for_the_longest_period_of_the_policies_that_are_named(
    program: Program, tmp_path: Path
) -> None:
    program("migrate")
    assert "the audit trail" not in program("grant").stdout
    told = program("grant", SIGNAALWISSEL_POLICY_DIR=packaged_policies(tmp_path)).stdout
    assert "the audit trail is kept from everybody for 2352 days" in told, "84 months, that of entrepreneurs"
    assert kept_days(program) == 2352


def kept_days(program: Program) -> int:
    with open_engine(program.url, name="test").connect() as connection:
        days: int = connection.exec_driver_sql("SELECT days FROM audit_kept").scalar_one()
    return days


def test_migrate_keeps_the_audit_trail_for_the_longest_period_of_the_policies_that_are_named(
    program: Program, tmp_path: Path
) -> None:
    program("migrate")
    assert kept_days(program) == 0, "without policies of theirs nobody knows for how long"
    policies = packaged_policies(tmp_path)
    told = program("migrate", SIGNAALWISSEL_POLICY_DIR=policies).stdout
    assert told == f"version {NEWEST} already\nthe audit trail is kept from everybody for 2352 days\n"
    assert kept_days(program) == 2352
    assert program("migrate", SIGNAALWISSEL_POLICY_DIR=policies).stdout == f"version {NEWEST} already\n"


def test_migrate_makes_the_schema_before_it_reads_the_policies_and_then_ends_with_their_error(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "default.toml").write_text("geen = TOML =", "utf-8")
    ended = program("migrate", SIGNAALWISSEL_POLICY_DIR=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (2, f"from nothing to version {NEWEST}\n")
    assert "default.toml" in ended.stderr
    assert program("show").returncode == 0


def test_migrate_tells_a_program_for_how_long_the_policies_have_the_audit_trail_kept(
    program: Program, tmp_path: Path
) -> None:
    told = program("migrate", "--json", SIGNAALWISSEL_POLICY_DIR=packaged_policies(tmp_path)).stdout
    assert json.loads(told)["audit_kept_days"] == 2352


def test_migrate_never_keeps_the_audit_trail_for_less(program: Program, tmp_path: Path) -> None:
    program("migrate")
    program.execute("UPDATE audit_kept SET days = 9999")
    program("migrate", SIGNAALWISSEL_POLICY_DIR=packaged_policies(tmp_path))
    assert kept_days(program) == 9999


def test_grant_changes_nothing_where_the_tables_of_this_version_are_not_there(
    program: Program, tmp_path: Path
) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with open_engine(program.url, name="test").connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0018")
    refused = program("grant", SIGNAALWISSEL_POLICY_DIR=packaged_policies(tmp_path))
    assert refused.returncode == 2
    assert "run `signaalwissel database migrate` first" in refused.stderr
    assert "Traceback" not in refused.stderr
    with open_engine(program.url, name="test").connect() as connection:
        given = (
            "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee LIKE 'signaalwissel_%%'"
        )
        assert connection.exec_driver_sql(given).scalar_one() == 0


def test_migrate_gives_roles_that_are_there_what_they_lack(program: Program) -> None:
    program("migrate")
    let_in(program.url)
    program.execute("REVOKE ALL ON outbox FROM signaalwissel_sink")
    assert program("migrate").returncode == 0
    sink = login_rights(open_engine(as_role(program.url, Role.SINK), name="test"))
    assert (sink.owns, sink.lacking) == (False, ())


def test_who_is_not_the_owner_is_told_that_they_may_not_grant(program: Program) -> None:
    program("migrate")
    let_in(program.url)
    refused = Program(as_role(program.url, Role.SINK))("grant")
    assert refused.returncode == 2
    assert "use that of the owner" in refused.stderr
    assert "Traceback" not in refused.stderr
