"""The commands of people under their own role in PostgreSQL: all that they are for works, the rest is refused with help."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from signaalwissel.processors.subject import person_of
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import CorrectionCause
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.database_roles import Role
from signaalwissel.sinks.tables import decisions
from sqlalchemy import select

from tests.console.console_support import MUNICIPALITY, CommandLine, Ended, Installation, source
from tests.console.test_ddas_report import BSN, OPTIONS, allow, sealed
from tests.processors.followup_support import decision, regular
from tests.sinks.clock_support import MONDAY, Office
from tests.sinks.retention_support import ended as completed
from tests.sinks.role_support import as_role, let_in

HOLD = ("--reason", "een procedure loopt")


@dataclass
class Desk:
    """Where somebody of the staff sits: an installation with a resident and dead letters, and their own login."""

    installation: Installation
    run: CommandLine
    environment: pytest.MonkeyPatch
    letters: list[DeadLetter]

    def __call__(self, *command: object, role: Role = Role.STAFF) -> Ended:
        self.environment.setenv("SIGNAALWISSEL_DATABASE_URL", as_role(self.installation.database_url, role))
        return self.run(*command)

    def codes(self, *commands: tuple[object, ...]) -> dict[str, int | str]:
        """How each command ends: its code, and what it says where that is not 0."""
        found: dict[str, int | str] = {}
        for command in commands:
            ended = self(*command)
            found[" ".join(map(str, command[:3]))] = ended.err or ended.code if ended.code else 0
        return found


@pytest.fixture
def desk(
    installation: Installation, signaalwissel: CommandLine, bare_environment: pytest.MonkeyPatch
) -> Desk:
    hashes = installation.keys.pseudonym_keys(MUNICIPALITY)
    key = min(person_of(BSN, hashes).own_keys)
    office = Office(installation.database_url)
    made = [decision("s-1", match_key=key), regular("s-2", match_key=key)]
    office.store(*(sealed(installation, one, BSN) for one in made), states=[completed("T-1", MONDAY)])
    letters = [installation.refuse(source(offset=number)) for number in range(3)]
    allow(installation, "bsn")
    let_in(installation.database_url)
    return Desk(installation, signaalwissel, bare_environment, letters)


def all_done(commands: list[tuple[object, ...]]) -> dict[str, int]:
    return {" ".join(map(str, command[:3])): 0 for command in commands}


def test_staff_looks_at_whatever_commands_show(desk: Desk, tmp_path: Path) -> None:
    looking: list[tuple[object, ...]] = [
        ("audit", "verify"),
        ("signal", "show", "s-1"),
        ("dead-letters", "list"),
        ("dead-letters", "show", desk.letters[0].dead_letter_id),
        ("report", "new-arrears"),
        ("report", "figures", "--municipality", MUNICIPALITY),
        ("report", "ddas", *OPTIONS, tmp_path / "uit"),
        ("retention", "run", "--dry-run"),
        ("subject", "requests"),
        ("subject", "ledger", "export"),
        ("keys", "rotate", MUNICIPALITY, "--status"),
        ("rebuild", "--dry-run"),
        ("database", "show"),
    ]
    assert desk.codes(*looking) == all_done(looking)
    report = desk("retention", "report", "--json")
    assert (report.code, report.err) == (1, ""), "what came in long ago is over"
    rights = {one["check"]: one for one in desk("doctor", "--json").json}["postgresql rights"]
    assert (rights["ok"], rights["detail"]) == (True, "as signaalwissel_staff; it owns no table")


def test_staff_handles_what_a_resident_asks(desk: Desk, tmp_path: Path) -> None:
    who, ledger = tmp_path / "resident.json", tmp_path / "erasures.jsonl"
    who.write_text(json.dumps({"bsn": BSN.bsn}), "utf-8")
    about = (who, "--municipality", MUNICIPALITY, "--by", "po-3")
    asking: list[tuple[object, ...]] = [
        ("subject", "export", *about, "--out", tmp_path),
        ("subject", "object", *about),
        ("subject", "object", *about, "--withdraw"),
        ("subject", "erase", *about),
        ("subject", "requests"),
        ("subject", "ledger", "export", ledger),
        ("subject", "ledger", "apply", ledger),
    ]
    assert [desk(*command).code for command in asking] == [0] * len(asking)
    with desk.installation.engine.connect() as connection:
        left = connection.execute(select(decisions.c.cause, decisions.c.sealed_subject)).all()
    assert left == [(CorrectionCause.ERASED.value, None)] * 2
    assert verify(desk.installation.engine).findings == ()


def test_staff_operates(desk: Desk) -> None:
    first, second, _ = (letter.dead_letter_id for letter in desk.letters)
    held = desk("retention", "hold", "--municipality", MUNICIPALITY, "--until", "2999-01-01", *HOLD, "--json")
    assert held.code == 0, held.err
    operating: list[tuple[object, ...]] = [
        ("dead-letters", "park", first),
        ("dead-letters", "reopen", first),
        ("dead-letters", "replay", second),
        ("retention", "release", held.json["hold_id"], *HOLD),
        ("retention", "run"),
        ("keys", "create", "0363"),
        ("keys", "destroy", MUNICIPALITY, "--again", *HOLD),
        ("access", "end-sessions", "--everybody"),
        ("rebuild",),
    ]
    assert desk.codes(*operating) == all_done(operating)
    assert verify(desk.installation.engine).findings == ()


@pytest.mark.parametrize(
    "command", [("access", "grant-reader"), ("database", "grant"), ("database", "migrate")], ids=" ".join
)
def test_staff_makes_no_roles_and_is_told_who_does(desk: Desk, command: tuple[str, ...]) -> None:
    refused = desk(*command)
    assert (refused.code, "owner of the tables" in refused.err) == (2, True), refused.err


@pytest.mark.parametrize(
    "command", [("retention", "run"), ("audit", "verify"), ("subject", "requests")], ids=" ".join
)
def test_a_command_with_the_login_of_a_program_is_refused_and_says_whose_it_takes(
    desk: Desk, command: tuple[str, ...]
) -> None:
    refused = desk(*command, role=Role.GATEWAY)
    assert (refused.code, "signaalwissel_staff" in refused.err) == (2, True), refused.err
    assert "SELECT" not in refused.err
