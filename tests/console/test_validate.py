"""`validate` tells per line what would be refused, and decides nothing."""

import json
from pathlib import Path

import pytest

from tests.console.console_support import CommandLine
from tests.console.files_support import file_with, run, text_of
from tests.system.lines import applied, event, signal

GOOD = [applied("2026-01-01"), signal("good", "2026-02-10")]
BAD = [
    signal("nothing", "2026-02-10", arrears="0.00"),
    signal("words", "2026-02-10", arrears="veel"),
    event("EXITED", 2, "2026-02-10"),
    {"topic": "signals", "value": None},
]


def test_a_good_file_ends_with_0(tmp_path: Path) -> None:
    ended = run("validate", file_with(tmp_path, GOOD))
    assert (ended.exit_code, ended.stdout) == (0, "2 records checked, 0 would be refused\n")


def test_a_good_file_is_silent_in_json(tmp_path: Path) -> None:
    ended = run("validate", file_with(tmp_path, GOOD), "--json")
    assert (ended.exit_code, ended.stdout) == (0, "")


def test_every_finding_names_its_line_record_code_and_field(tmp_path: Path) -> None:
    ended = run("validate", file_with(tmp_path, [*GOOD, *BAD]), "--json")
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.exit_code == 1
    assert [(one["line"], one["topic"], one["record_id"], one["code"], one["field"]) for one in found] == [
        (3, "signals", "nothing", "INVALID_FIELD", "arrears"),
        (4, "signals", "words", "UNREADABLE", "arrears"),
        (5, "trajectories", "e2", "MISSING_FIELD", "exit_reason"),
        (6, "signals", None, "NULL_VALUE", None),
    ]
    assert all(one["rule"] for one in found)
    assert "veel" not in ended.stdout


def test_people_read_a_sentence_per_finding_and_a_sum(tmp_path: Path) -> None:
    ended = run("validate", file_with(tmp_path, [*GOOD, *BAD]))
    *findings, total = ended.stdout.splitlines()
    assert ended.exit_code == 1
    assert findings[0].startswith("line 3: signals nothing: arrears: ")
    assert findings[3].startswith("line 6: signals record without id: record: ")
    assert total == "6 records checked, 4 would be refused"


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    ended = run("validate", file_with(tmp_path, "\n\n" + text_of(BAD[:1])), "--json")
    assert json.loads(ended.stdout)["line"] == 3


def test_what_depends_on_other_records_is_no_finding(tmp_path: Path) -> None:
    orphan = event("ADMITTED", 2, "2026-01-01")
    again = [signal("s", "2026-02-10"), signal("s", "2026-02-10", arrears="300.00")]
    assert run("validate", file_with(tmp_path, [orphan, *again])).exit_code == 0


def test_a_dash_reads_standard_input() -> None:
    ended = run("validate", "-", given=text_of(BAD))
    assert ended.exit_code == 1
    assert "4 records checked, 4 would be refused" in ended.stdout


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ('{"topic": "decisions", "value": {}}', "the topic must be signals"),
        ("signals,s1,250", "is not JSON"),
    ],
)
def test_a_line_that_is_none_ends_with_2_and_names_file_and_line(
    tmp_path: Path, signaalwissel: CommandLine, broken: str, says: str
) -> None:
    file = file_with(tmp_path, text_of(GOOD) + broken + "\n")
    ended = signaalwissel("validate", file)
    assert ended.code == 2
    assert f"{file}:3: {says}" in ended.err
