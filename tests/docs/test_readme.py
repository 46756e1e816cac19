"""README's example, copied literally, prints what README says."""

import json
import re
from pathlib import Path
from typing import Any

from tests.console.files_support import run

README = Path(__file__).parents[2] / "README.md"
CUT = "..."


def examples() -> list[str]:
    return re.findall(r"```json\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def printed(file: Path, text: str) -> list[dict[str, Any]]:
    file.write_text(text, "utf-8")
    ended = run("simulate", "--json", file)
    assert ended.exit_code == 0
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    given, shown = examples()
    first, second = printed(tmp_path / "three.jsonl", given)
    expected = json.loads(shown)
    seal = expected["value"].pop("sealed_subject")
    assert seal.endswith(CUT)
    assert first["value"].pop("sealed_subject").startswith(seal.removesuffix(CUT))
    assert first == expected
    assert second["topic"] == "decisions"


def test_a_day_later_the_example_goes_where_the_page_says(tmp_path: Path) -> None:
    given, _ = examples()
    later = given.replace("2026-02-28T10", "2026-03-01T10")
    first, second = printed(tmp_path / "later.jsonl", later)
    assert (first["topic"], first["value"]["reason"]) == ("regular-flow", "NO_HIT")
    assert second["value"]["reason"] == "COMPLETED_OUTSIDE_WINDOW"
