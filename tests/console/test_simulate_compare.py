"""`simulate --compare`: what other policies would change, for people and as JSON, and how it ends."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from signaalwissel import processors
from signaalwissel.console import progress
from signaalwissel.console.failures import UsageFailure

from tests.console.files_support import STARTED, exited, file_with, run, text_of
from tests.system.lines import OTHER_BSN, signal

LINES = [
    STARTED,
    exited("2025-10-20"),
    signal("hit", "2026-02-10"),
    signal("nobody", "2026-02-11", subject={"bsn": OTHER_BSN}),
]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A policy folder in which one municipality has a window of three months."""
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(Path(processors.__file__).parent / "default.toml", folder)
    (folder / "0344.toml").write_text("[window]\nmonths = 3\n", "utf-8")
    return folder


def compared(tmp_path: Path, other: Path, *options: object) -> Any:
    return run("simulate", file_with(tmp_path, LINES), "--compare", other, *options)


def test_what_changes_is_one_json_object_and_ends_with_1(tmp_path: Path, other: Path) -> None:
    ended = compared(tmp_path, other, "--json")
    told = json.loads(ended.stdout)
    assert ended.exit_code == 1
    assert (told["changed"], told["unchanged"]) == (1, 1)
    assert told["totals"] == {
        "route": 1,
        "reason": 1,
        "trajectory": 1,
        "owner": 1,
        "due_on": 1,
        "steps": 1,
        "accepted": 0,
    }
    (one,) = told["signals"]
    assert (one["signal_id"], one["from"]["reason"], one["to"]["reason"]) == (
        "hit",
        "COMPLETED_WITHIN_WINDOW",
        "COMPLETED_OUTSIDE_WINDOW",
    )


def test_people_see_a_row_per_signal_that_changes_and_totals(tmp_path: Path, other: Path) -> None:
    ended = compared(tmp_path, other)
    assert ended.exit_code == 1
    for text in (
        "Signals that change: 1 of 2",
        "0344/woonstichting/hit",
        "COUNSELLOR_FOLLOWUP to T1",
        "COMPLETED_OUTSIDE_WINDOW",
        "due 2026-03-10",
        "OFFERED_TO_REGULAR 2026-03-06",
        "another route: 1",
        "1 signals change, 1 do not",
    ):
        assert text in ended.stdout
    assert "nobody\n" not in ended.stdout


def test_where_nothing_changes_it_ends_with_0(tmp_path: Path, other: Path) -> None:
    ended = compared(tmp_path, other, "--policy", other)
    assert (ended.exit_code, ended.stdout) == (0, "0 signals change, 2 do not\n")
    told = json.loads(compared(tmp_path, other, "--policy", other, "--json").stdout)
    assert (told["changed"], told["signals"]) == (0, [])


def test_the_other_way_round_it_tells_the_opposite(tmp_path: Path, other: Path) -> None:
    packaged = Path(processors.__file__).parent
    there = json.loads(compared(tmp_path, other, "--json").stdout)["signals"][0]
    back = json.loads(compared(tmp_path, packaged, "--policy", other, "--json").stdout)["signals"][0]
    assert (there["from"], there["to"]) == (back["to"], back["from"])


def test_standard_input_is_read_once_for_both(other: Path) -> None:
    ended = run("simulate", "-", "--compare", other, "--json", given=text_of(LINES))
    assert (ended.exit_code, json.loads(ended.stdout)["changed"]) == (1, 1)


def test_a_folder_that_holds_no_policies_is_a_usage_failure(tmp_path: Path) -> None:
    with pytest.raises(UsageFailure, match=r"default\.toml: missing"):
        compared(tmp_path, tmp_path)


def test_tasks_are_not_printed_in_a_comparison(tmp_path: Path, other: Path) -> None:
    with pytest.raises(UsageFailure, match="--tasks"):
        compared(tmp_path, other, "--tasks")


class Terminal(io.StringIO):
    """Standard error as somebody sees it."""

    def isatty(self) -> bool:
        return True


def test_progress_is_told_on_a_terminal(tmp_path: Path, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(tmp_path, other, "--json").stderr == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress_of(file_with(tmp_path, LINES), quiet=False) as advance:
        advance()
    assert "lines" in terminal.getvalue()
    silent = Terminal()
    monkeypatch.setattr(sys, "stderr", silent)
    with progress.progress_of(tmp_path / "month.jsonl", quiet=True) as advance:
        advance()
    assert silent.getvalue() == ""
