"""Files of lines as a new user writes them, and the program in the test's process."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import Result
from signaalwissel.console.lines import dump
from signaalwissel.console.main import build
from typer.testing import CliRunner

from tests.system.lines import applied, event

Line = dict[str, Any]
STARTED = applied("2025-01-10")


def run(*arguments: object, given: str | None = None) -> Result:
    """How a command ends; what it raises, it raises here too."""
    return CliRunner().invoke(build(), [str(one) for one in arguments], input=given, catch_exceptions=False)


def text_of(lines: Iterable[Line]) -> str:
    return "".join(f"{dump(line)}\n" for line in lines)


def file_with(folder: Path, lines: Iterable[Line] | str) -> Path:
    """A file of lines, or of a text that should have been lines."""
    file = folder / "month.jsonl"
    file.write_text(lines if isinstance(lines, str) else text_of(lines), "utf-8")
    return file


def simulated(folder: Path, lines: Iterable[Line], *options: object) -> list[Line]:
    """What `simulate --json` prints, which ends with 0."""
    ended = run("simulate", file_with(folder, lines), "--json", *options)
    assert ended.exit_code == 0
    return [json.loads(line) for line in ended.stdout.splitlines()]


def on_topic(outputs: Iterable[Line], topic: str) -> list[Any]:
    return [line["value"] for line in outputs if line["topic"] == topic]


def fields_of(values: Iterable[Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(value[name] for name in names) for value in values]


def exited(day: str, reason: str = "COMPLETED", sequence: int = 9, **fields: Any) -> Line:
    return event("EXITED", sequence, day, exit_reason=reason, **fields)


def answers(folder: Path, *lines: Line) -> dict[str, str]:
    """The last reason for every signal."""
    decided = on_topic(simulated(folder, lines), "decisions")
    return {value["signal_id"]: value["reason"] for value in decided}
