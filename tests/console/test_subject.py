"""The command line of a resident's rights: who is meant, what is refused, and what the record says."""

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.console import erasure_ledger as ledger_file
from signaalwissel.console import runtime
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.subject_tables import erasure_ledger, objections, subject_requests
from signaalwissel.sinks.tables import trajectories
from sqlalchemy import select

from tests.console.console_support import MUNICIPALITY, CommandLine, Installation
from tests.processors.followup_support import at_noon
from tests.sinks.clock_support import MONDAY, Office, state

BSN = "999990019"
ABOUT = ("--municipality", MUNICIPALITY, "--by", "po-3")


def named(folder: Path, content: Any) -> Path:
    file = folder / "resident.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


def test_an_objection_may_not_lie_in_the_future(
    stored: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    ended = signaalwissel("subject", "object", named(tmp_path, {"bsn": BSN}), *ABOUT, "--on", "2999-01-01")
    assert (ended.code, "--on" in ended.err) == (2, True), ended.err


def test_who_is_not_named_well_is_refused_and_nothing_is_recorded(
    stored: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    ended = signaalwissel("subject", "erase", named(tmp_path, {"bsn": "123456789"}), *ABOUT)
    assert (ended.code, "11-proof" in ended.err) == (2, True), ended.err
    assert "123456789" not in ended.err
    with stored.engine.connect() as connection:
        assert connection.execute(select(subject_requests)).all() == []


def test_erasing_who_is_not_there_ends_with_1_and_is_recorded_all_the_same(
    stored: Installation,
    signaalwissel: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "erasures.jsonl"
    monkeypatch.setenv("SIGNAALWISSEL_ERASURE_LEDGER", str(ledger))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"bsn": BSN})))
    ended = signaalwissel("subject", "erase", "-", *ABOUT, "--json")
    assert ended.code == 1, ended.err
    with stored.engine.connect() as connection:
        (row,) = connection.execute(select(subject_requests)).all()
        entries = connection.execute(select(erasure_ledger)).all()
    assert (row.kind, row.asked_by, row.found["signals"]) == ("ERASE", "po-3", 0)
    assert ended.json["request_id"] == row.request_id
    # What was erased before its key was known stays known by the key.
    assert [entry.kind for entry in entries] == ["MATCH_KEY"]
    assert len(ledger.read_text("utf-8").splitlines()) == 1
    assert BSN not in ledger.read_text("utf-8")


def test_without_a_ledger_that_can_be_written_nothing_is_erased(
    stored: Installation, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_ERASURE_LEDGER", str(tmp_path / "no" / "folder"))
    ended = signaalwissel("subject", "erase", named(tmp_path, {"bsn": BSN}), *ABOUT)
    assert (ended.code, "cannot be written" in ended.err) == (2, True), ended.err
    with stored.engine.connect() as connection:
        assert connection.execute(select(erasure_ledger)).all() == []
        assert connection.execute(select(subject_requests)).all() == []


@pytest.mark.parametrize("command", [("erase",), ("object",), ("object", "--withdraw")])
def test_a_dry_run_changes_and_records_nothing(
    stored: Installation, signaalwissel: CommandLine, tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *options = command
    ended = signaalwissel(
        "subject", name, named(tmp_path, {"bsn": BSN}), *ABOUT, *options, "--dry-run", "--json"
    )
    assert (ended.code, ended.json["dry_run"]) == (0, True), ended.err
    with stored.engine.connect() as connection:
        for table in (subject_requests, objections, erasure_ledger):
            assert connection.execute(select(table)).all() == []


def test_the_same_objection_again_stays_one_until_it_is_withdrawn(
    stored: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    who = named(tmp_path, {"bsn": BSN})
    assert [signaalwissel("subject", "object", who, *ABOUT).code for _ in range(2)] == [0, 0]
    with stored.engine.connect() as connection:
        assert len(connection.execute(select(objections)).all()) == 1
    codes = [signaalwissel("subject", "object", who, *ABOUT, "--withdraw").code for _ in range(2)]
    assert codes == [0, 1]
    assert [one["kind"] for one in signaalwissel("subject", "requests", "--json").lines] == [
        "WITHDRAW_OBJECTION",
        "OBJECT",
        "OBJECT",
    ]


def test_a_ledger_goes_out_whole_and_grows_by_what_it_lacks(
    installation: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    signaalwissel("subject", "erase", named(tmp_path, {"bsn": BSN}), *ABOUT)
    file = tmp_path / "ledger.jsonl"
    added = [signaalwissel("subject", "ledger", "export", file, "--json").json["added"] for _ in range(2)]
    assert added == [1, 0]
    assert signaalwissel("subject", "ledger", "export").out == file.read_text("utf-8")
    with installation.engine.begin() as connection:
        connection.execute(erasure_ledger.delete())
    assert signaalwissel("subject", "ledger", "apply", file, "--dry-run").code == 1
    assert signaalwissel("subject", "ledger", "apply", file, "--json").json["erasures"] == 1
    assert signaalwissel("subject", "ledger", "apply", file, "--dry-run").code == 0


def test_a_line_of_a_ledger_that_a_crash_cut_off_is_left_out_and_a_bad_one_is_named(
    stored: Installation, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    file.write_text('{"erasure_id": "er', "utf-8")
    assert signaalwissel("subject", "ledger", "apply", file, "--json").json["erasures"] == 0
    file.write_text('{"erasure_id": "er\n', "utf-8")
    ended = signaalwissel("subject", "ledger", "apply", file)
    assert (ended.code, f"{file}:1" in ended.err) == (2, True), ended.err


LEFT = "0999"
"""Without policy and keys, and named as one that left."""


@pytest.fixture
def behind(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with an erasure in each of two municipalities, of which one left; the database lacks both."""
    monkeypatch.setenv("SIGNAALWISSEL_DEPARTED", LEFT)
    ids = LedgerIds(installation.keys.pseudonym_keys(MUNICIPALITY).hashed)
    opaque = {MUNICIPALITY: ids.client("T-1", 0), LEFT: b"x" * 16}
    at = at_noon(date(2026, 3, 9))
    told = state((TrajectoryEventKind.APPLIED, MONDAY))
    Office(installation.database_url).store(states=[told._replace(municipality=code) for code in opaque])
    file = tmp_path / "erasures.jsonl"
    entries = [LedgerEntry(f"e-{code}", LedgerKind.CLIENT, opaque[code], code, at) for code in opaque]
    ledger_file.append(file, entries)
    return file


def erased(installation: Installation) -> dict[str, bool]:
    with installation.engine.connect() as connection:
        rows = connection.execute(select(trajectories.c.municipality, trajectories.c.erased))
        return {row.municipality: row.erased for row in rows}


def test_the_ledger_s_command_does_what_it_can_beside_a_municipality_that_left_and_ends_with_1(
    installation: Installation, behind: Path, signaalwissel: CommandLine
) -> None:
    ended = signaalwissel("subject", "ledger", "apply", behind, "--json")
    assert ended.code == 1, ended.err
    assert (ended.json["erasures"], ended.json["out_of_reach"]) == (1, {LEFT: 1})
    assert f"municipality {LEFT} left and has no keys" in ended.err
    assert erased(installation) == {MUNICIPALITY: True, LEFT: False}


def test_a_sink_starts_beside_a_municipality_that_left_and_warns_of_it(
    installation: Installation, behind: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = installation.settings.model_copy(update={"erasure_ledger": behind, "departed": LEFT})
    for _ in range(2):
        caplog.clear()
        ledger_file.forget_again(settings, runtime.sink_settings(settings), installation.keys)
        assert f"municipality {LEFT} left and has no keys" in caplog.text
    # Told as it was done, and not again.
    assert "erasures done again" not in caplog.text
    assert erased(installation) == {MUNICIPALITY: True, LEFT: False}


def test_keys_that_are_not_there_stop_the_command_and_the_sink_until_somebody_says_that_the_municipality_left(
    installation: Installation,
    behind: Path,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
) -> None:
    bare_environment.delenv("SIGNAALWISSEL_DEPARTED")
    ended = signaalwissel("subject", "ledger", "apply", behind)
    assert (ended.code, LEFT in ended.err, "SIGNAALWISSEL_DEPARTED" in ended.err) == (3, True, True), (
        ended.err
    )
    settings = installation.settings.model_copy(update={"erasure_ledger": behind})
    with pytest.raises(KeyUnavailable, match="SIGNAALWISSEL_DEPARTED"):
        ledger_file.forget_again(settings, runtime.sink_settings(settings), installation.keys)
    assert erased(installation) == {MUNICIPALITY: False, LEFT: False}


def test_who_has_a_policy_cannot_be_said_to_have_left(
    installation: Installation,
    behind: Path,
    signaalwissel: CommandLine,
    bare_environment: pytest.MonkeyPatch,
) -> None:
    bare_environment.setenv("SIGNAALWISSEL_DEPARTED", f"{LEFT}, {MUNICIPALITY}")
    ended = signaalwissel("subject", "ledger", "apply", behind)
    assert (ended.code, f"SIGNAALWISSEL_DEPARTED names {MUNICIPALITY}" in ended.err) == (2, True), ended.err
