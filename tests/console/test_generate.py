"""`generate` prints a month that the other commands take, the same for the same seed."""

import json
from pathlib import Path

import pytest

from tests.console.console_support import CommandLine
from tests.console.files_support import run

FEW = ("--residents", 60, "--signals", 40)


def generated(*options: object) -> bytes:
    ended = run("generate", *FEW, *options)
    assert ended.exit_code == 0
    return ended.stdout_bytes


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert generated("--seed", 7) == generated("--seed", 7)
    assert generated("--seed", 7) != generated("--seed", 8)


def test_a_file_holds_what_would_be_printed(tmp_path: Path) -> None:
    file = tmp_path / "month.jsonl"
    assert generated("--seed", 7, "--out", file) == b""
    assert file.read_bytes() == generated("--seed", 7)


def test_it_has_as_many_signals_as_were_asked_for_in_the_month_that_was_asked_for() -> None:
    lines = [json.loads(line) for line in generated("--month", "2026-03").splitlines()]
    signals = [line["value"] for line in lines if line["topic"] == "signals"]
    assert len(signals) == 40
    # The rest lies before it: what was sent earlier is part of what a month finds.
    assert sum(value["received_at"].startswith("2026-03") for value in signals) > 30
    assert max(value["received_at"] for value in signals) < "2026-04"


def test_a_year_of_one_municipality_goes_on_month_after_month() -> None:
    options = ("--month", "2026-01", "--months", 12, "--municipality", "0344", "--history", 0.2)
    lines = [json.loads(line) for line in generated(*options).splitlines()]
    signals = [line["value"] for line in lines if line["topic"] == "signals"]
    assert {value["municipality"] for value in signals} == {"0344"}
    assert {value["received_at"][:7] for value in signals} >= {f"2026-{month:02d}" for month in range(1, 13)}


def test_what_it_prints_simulate_takes() -> None:
    month = generated("--seed", 3).decode()
    ended = run("simulate", "-", "--json", given=month)
    assert ended.exit_code == 0
    assert {json.loads(line)["topic"] for line in ended.stdout.splitlines()} >= {"regular-flow", "decisions"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--residents", 0), "residents must be 1 to"),
        (("--signals", -1), "signals must be 0 or more"),
        (("--month", "februari"), "--month februari: must look like 2026-02"),
        (("--month", "2026-13"), "--month 2026-13: must look like 2026-02"),
        (("--out", "/nowhere/at/all.jsonl"), "/nowhere/at/all.jsonl: cannot be written"),
    ],
)
def test_what_cannot_be_ends_with_2_and_says_why(
    signaalwissel: CommandLine, options: tuple[object, ...], says: str
) -> None:
    ended = signaalwissel("generate", *options)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
