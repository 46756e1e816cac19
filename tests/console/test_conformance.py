"""`conformance`: the cases, played on a real topic, end in a report for people, programs and builds."""

import json
from pathlib import Path

import pytest
from defusedxml import ElementTree as DefusedET
from signaalwissel.processors.simulation_lines import RECORDS

from tests.console.console_support import CommandLine, Installation

LIST = ("conformance", "--list", "--json", "--as")


def played(signaalwissel: CommandLine, file: Path, topic: str, **wrong: object) -> None:
    """Publish what `--list` says, each as often as it must be there; `wrong` goes into the first one."""
    lines = signaalwissel(*LIST, topic).lines
    lines[0]["value"] |= wrong
    file.write_text("".join(f"{json.dumps(line)}\n" * line["times"] for line in lines), "utf-8")
    assert signaalwissel("publish", file).code == 0


@pytest.mark.parametrize("topic", RECORDS)
def test_a_system_that_publishes_what_the_list_says_passes(
    signaalwissel: CommandLine, installation: Installation, tmp_path: Path, topic: str
) -> None:
    played(signaalwissel, tmp_path / "lines.jsonl", topic)
    ended = signaalwissel("conformance", topic)
    assert ended.code == 0, ended.out
    count = len(ended.out.splitlines()) - 1
    assert f"{count} of {count} passed" in ended.out.splitlines()[-1]


def test_a_wrong_case_fails_with_its_reason_in_every_form(
    signaalwissel: CommandLine, installation: Installation, tmp_path: Path
) -> None:
    played(signaalwissel, tmp_path / "lines.jsonl", "signals", arrears="4711.00")
    name, junit = f"{installation.prefix}signals", tmp_path / "report.xml"
    ended = signaalwissel("conformance", name, "--as", "signals", "--json", "--junit", junit)
    assert ended.code == 1
    wrong = [one for one in ended.lines if one["status"] != "passed"]
    assert [(one["case"], one["status"]) for one in wrong] == [("signal-bsn", "failed")]
    assert wrong[0]["failures"][0].endswith("arrears: must be '182.40' here")

    suite = DefusedET.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(ended.lines)), "1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == wrong[0]["failures"][0]
    assert [case.get("name") for case in suite.iter("testcase")] == [one["case"] for one in ended.lines]

    text = signaalwissel("conformance", "signals").out
    assert "FAIL  signal-bsn" in text
    assert "4711" not in text + ended.out + junit.read_text("utf-8")


def test_on_an_empty_topic_every_case_is_missing(
    signaalwissel: CommandLine, installation: Installation
) -> None:
    ended = signaalwissel("conformance", "task-updates", "--wait", "1")
    assert ended.code == 1
    assert "MISS  update-contact" in ended.out
    assert "nothing with update_id CONF-U-01 among 0 records" in ended.out


def test_one_case_can_be_played_by_itself(
    signaalwissel: CommandLine, installation: Installation, tmp_path: Path
) -> None:
    lines = [line for line in signaalwissel(*LIST, "signals").lines if line["case"] == "signal-crisis"]
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(lines[0]), "utf-8")
    assert signaalwissel("publish", file).code == 0
    ended = signaalwissel("conformance", "signals", "--only", "signal-crisis", "--json")
    assert (ended.code, [one["case"] for one in ended.lines]) == (0, ["signal-crisis", "every-record"])


def test_a_municipality_may_bring_cases_of_its_own(signaalwissel: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[[case]]\nid = "own"\ntopic = "task-updates"\ntitle = "Ours"\nsituation = "Somebody accepts."\n[case.record]\n'
        'update_id = "u"\ntask_id = "k"\noccurred_at = "2026-02-12T10:00:00Z"\nkind = "ACCEPTED"\nby = "c"\n',
        "utf-8",
    )
    ended = signaalwissel("conformance", "--list", "--cases", file)
    assert ended.code == 0
    assert ended.out.startswith("own: Ours\n  Somebody accepts.\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give the topic"),
        (("water-west-test",), "say what is on the topic"),
        (("signals", "--only", "no-such"), "no such case: no-such"),
        (("signals", "--cases", "no-such.toml"), "no-such.toml: cannot be read"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_says_what_to_do(
    signaalwissel: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    ended = signaalwissel("conformance", *arguments)
    assert (ended.code, says in ended.err) == (2, True), ended.err
