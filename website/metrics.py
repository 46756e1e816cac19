"""The reference of metrics, read from the source of the metrics pages: names and words stand beside each other there."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CONSOLE = Path(__file__).parents[1] / "console"
_PREFIX = "signaalwissel_"
_KINDS = {"gauge": "gauge", "counter": "counter", "_count": "counter", "histogram": "histogram"}
_NAMED = "named_"
"""Begins the functions that take a whole name, given by a convention."""


class Told(NamedTuple):
    """A metric."""

    name: str
    kind: str
    about: str


def page(folder: Path = CONSOLE) -> str | None:
    """Every metric; None where the processes tell none."""
    rows = [f"| `{one.name}` | {one.kind} | {one.about} |" for one in sorted(set(metrics(folder)))]
    if not rows:
        return None
    return "\n".join([_HEAD, "| name | kind | what |", "|---|---|---|", *rows]) + "\n"


def metrics(folder: Path) -> Iterator[Told]:
    """The metrics that the files of a folder make."""
    for file in sorted(folder.glob("metrics*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            told = _told(node) if isinstance(node, ast.Call) else None
            if told is not None:
                yield told


def _told(call: ast.Call) -> Told | None:
    made_by = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    kind = _KINDS.get(made_by.removeprefix(_NAMED))
    given = [
        one.value for one in call.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    if kind is None or len(given) != len(Told._fields) - 1:
        return None
    name, about = given
    whole = name if made_by.startswith(_NAMED) else _PREFIX + name
    return Told(f"{whole}_total" if kind == "counter" else whole, kind, about.replace("|", "\\|"))


_HEAD = """# Metrics

Made from the source. Each process tells its own at `/metrics`: [how](../operations.md).
"""
