"""JSON lines in and out: `{"topic": ..., "value": {...}}`, the form that every command and file speaks."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from signaalwissel.console.failures import UsageFailure


class Line(NamedTuple):
    """A line of a file, by number from 1."""

    number: int
    content: dict[str, Any]


@contextmanager
def reading(file: Path) -> Iterator[Iterator[Line]]:
    """The lines of a file, or of standard input for `-`, one at a time.

    Raises:
        UsageFailure: The file cannot be read, or a line is no JSON object; names file and line.
    """
    if str(file) == "-":
        yield _lines(sys.stdin, "standard input")
        return
    try:
        opened = file.open(encoding="utf-8")
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    with opened:
        yield _lines(opened, str(file))


def dump(line: Any) -> str:
    """A line as text, without the line break."""
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False)


def _lines(opened: TextIO, name: str) -> Iterator[Line]:
    number = 0
    try:
        for number, text in enumerate(opened, start=1):
            if text.strip():
                yield Line(number, _object(text, f"{name}:{number}"))
    except UnicodeDecodeError as error:
        raise UsageFailure(f"{name}:{number + 1}: is not UTF-8") from error
    except OSError as error:
        raise UsageFailure(f"{name}: cannot be read: {error.strerror}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        # A decimal stays exact on its way through JSON.
        content = json.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageFailure(f"{where}: is not JSON; a line is {{'topic': ..., 'value': {{...}}}}") from error
    if not isinstance(content, dict) or not isinstance(content.get("topic"), str):
        raise UsageFailure(f"{where}: is not an object with a topic and a value")
    return content
