"""`simulate` as a command: how it reads, prints and ends."""

import json
from pathlib import Path

import pytest

from tests.console.console_support import CommandLine
from tests.console.files_support import (
    STARTED,
    answers,
    exited,
    file_with,
    on_topic,
    run,
    simulated,
    text_of,
)
from tests.system.lines import applied, signal


class TestCommand:
    """How the command reads, prints and ends."""

    def test_refused_records_are_shown_and_it_ends_with_0(self, tmp_path: Path) -> None:
        ended = run("simulate", file_with(tmp_path, [signal("s", "2026-02-10", arrears="0.00")]))
        assert ended.exit_code == 0
        assert "Refused: 1" in ended.stdout
        assert "arrears" in ended.stdout

    def test_people_see_a_table_with_the_explanation_and_the_last_answer(self, tmp_path: Path) -> None:
        lines = [signal("s", "2026-02-10"), applied("2026-02-01")]
        file = file_with(tmp_path, lines)
        shown = run("simulate", file).stdout
        explanation = on_topic(simulated(tmp_path, lines), "decisions")[-1]["explanation"]
        assert "Signals: 1" in shown
        assert "Refused" not in shown
        for text in ("0344/woonstichting/s", "COUNSELLOR_FOLLOWUP to T1", "RUNNING_TRAJECTORY", "revision 1"):
            assert text in shown
        assert all(word in shown for word in explanation.split())

    def test_an_id_that_looks_like_markup_is_shown_as_it_is(self, tmp_path: Path) -> None:
        lines = [signal("[/bold]", "2026-02-10"), signal("[red]x", "2026-02-10", arrears="0.00")]
        shown = run("simulate", file_with(tmp_path, lines)).stdout
        assert "[/bold]" in shown
        assert "[red]x" in shown

    def test_a_dash_reads_standard_input(self, tmp_path: Path) -> None:
        lines = [STARTED, signal("s", "2026-02-10")]
        ended = run("simulate", "-", "--json", given=text_of(lines))
        assert ended.exit_code == 0
        topics = [json.loads(line)["topic"] for line in ended.stdout.splitlines()]
        assert topics == [line["topic"] for line in simulated(tmp_path, lines)]

    def test_empty_lines_are_nothing(self, tmp_path: Path) -> None:
        ended = run("simulate", file_with(tmp_path, f"\n{text_of([STARTED])}\n \n"), "--json")
        assert (ended.exit_code, ended.stdout) == (0, "")

    @pytest.mark.parametrize(
        ("broken", "says"),
        [
            ('{"topic": "signalen", "value": {}}', "the topic must be signals"),
            ('{"topic": "signals", "value": ', "is not JSON"),
            ("[1]", "is not an object with a topic and a value"),
            ('{"value": {}}', "is not an object with a topic and a value"),
        ],
    )
    def test_a_line_that_is_none_ends_with_2_and_names_file_and_line(
        self, tmp_path: Path, signaalwissel: CommandLine, broken: str, says: str
    ) -> None:
        file = file_with(tmp_path, text_of([STARTED]) + "\n" + broken + "\n")
        ended = signaalwissel("simulate", file, "--json")
        assert ended.code == 2
        assert f"{file}:3: {says}" in ended.err
        assert "Traceback" not in ended.err

    def test_a_file_that_is_not_there_ends_with_2(self, tmp_path: Path, signaalwissel: CommandLine) -> None:
        ended = signaalwissel("simulate", tmp_path / "none.jsonl")
        assert (ended.code, ended.out) == (2, "")
        assert f"{tmp_path / 'none.jsonl'}: cannot be read" in ended.err

    def test_another_policy_gives_another_answer(self, tmp_path: Path) -> None:
        policies = tmp_path / "policies"
        policies.mkdir()
        default = Path(__file__).parents[2] / "processors" / "default.toml"
        (policies / "default.toml").write_text(
            default.read_text("utf-8").replace("months = 6\nr", "months = 3\nr")
        )
        lines = [STARTED, exited("2025-09-30"), signal("s", "2026-02-10")]
        (decided,) = on_topic(simulated(tmp_path, lines, "--policy", policies), "decisions")
        assert decided["reason"] == "COMPLETED_OUTSIDE_WINDOW"
        assert answers(tmp_path, *lines) == {"s": "COMPLETED_WITHIN_WINDOW"}

    def test_a_publisher_speaks_for_what_its_topic_may(self, tmp_path: Path) -> None:
        allowed = tmp_path / "publishers.toml"
        allowed.write_text('["signals.woonstichting"]\nmunicipalities = ["0363"]\n')
        line = signal("s", "2026-02-10") | {"topic": "signals.woonstichting"}
        (refused,) = on_topic(simulated(tmp_path, [line], "--publishers", allowed), "dead-letters")
        assert (refused["code"], refused["field"]) == ("PUBLISHER_NOT_ALLOWED", "municipality")
