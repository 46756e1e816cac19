"""What `doctor` says of erasures that the database lacks."""

from datetime import date
from pathlib import Path

import pytest
from signaalwissel.console import erasure_ledger
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerKind
from signaalwissel.sinks import subject_ledger_store

from tests.console.console_support import MUNICIPALITY, CommandLine, Installation
from tests.console.test_doctor import wrong
from tests.processors.followup_support import at_noon

pytestmark = pytest.mark.usefixtures("named_collector")


@pytest.mark.parametrize(
    ("municipality", "departed", "fix"),
    [
        pytest.param(MUNICIPALITY, None, "start the sink anew", id="of one that is here"),
        pytest.param("0999", None, "put the keys back from their own backup, then", id="of one without keys"),
        pytest.param("0999", "0999", "put its keys back", id="of one that left"),
    ],
)
def test_an_erasure_of_the_ledger_that_the_database_lacks_is_a_finding(
    installation: Installation,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
    tmp_path: Path,
    municipality: str,
    departed: str | None,
    fix: str,
) -> None:
    if departed is not None:
        bare_environment.setenv("SIGNAALWISSEL_DEPARTED", departed)
    file = tmp_path / "erasures.jsonl"
    bare_environment.setenv("SIGNAALWISSEL_ERASURE_LEDGER", str(file))
    erased_at = at_noon(date(2026, 3, 9))
    entry = LedgerEntry("erase-1", LedgerKind.CLIENT, b"x" * 16, municipality, erased_at)
    erasure_ledger.append(file, [entry])
    found = wrong(signaalwissel("doctor", "--json"))
    assert found["erasures"]["fix"].startswith(fix)
    with installation.engine.begin() as connection:
        subject_ledger_store.record(connection, [entry])
    ended = signaalwissel("doctor", "--json")
    assert "erasures" not in wrong(ended)
    assert "erasures" in [finding["check"] for finding in ended.json]


def test_a_ledger_of_erasures_that_cannot_be_read_is_a_finding(
    installation: Installation,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "erasures.jsonl"
    file.write_text("geen JSON\n", "utf-8")
    bare_environment.setenv("SIGNAALWISSEL_ERASURE_LEDGER", str(file))
    found = wrong(signaalwissel("doctor", "--json"))
    assert f"{file}:1: is not JSON" in found["erasures"]["detail"]
