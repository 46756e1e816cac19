"""The reference of what `doctor` finds, read from its source: each finding stands beside what to do about it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CONSOLE = Path(__file__).parents[1] / "console"
_FOUND = {"wrong", "away"}


class Told(NamedTuple):
    """A finding as the source has it; parts that are known only then stand as `...`.

    Attributes:
        place: File and line.
        fix: Empty where the source gives none that can be read.
    """

    place: str
    check: str
    away: bool
    detail: str
    fix: str


def page() -> str:
    """Every finding and its fix."""
    rows = [
        f"| {one.check} | {'AWAY' if one.away else 'WRONG'} | {_cell(one.detail)} | {_cell(one.fix)} |"
        for one in sorted(findings(), key=lambda one: (one.check, one.detail))
    ]
    return "\n".join([_HEAD, "| check | | found | what to do |", "|---|---|---|---|", *rows]) + "\n"


def findings() -> Iterator[Told]:
    """Every finding that is not fine."""
    for file in sorted(CONSOLE.glob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        texts = _assigned(tree)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _FOUND:
                given = [_text(one, texts) for one in call.args]
                given += [_text(one.value, texts) for one in call.keywords]
                check, detail, fix = (*given, "", "", "")[:3]
                yield Told(f"{file.name}:{call.lineno}", check, call.func.id == "away", detail, fix)


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """What names stand for in a file, the last assignment of each."""
    return {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _text(node: ast.expr, texts: dict[str, ast.expr], depth: int = 2) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, texts, depth) for part in node.values)
    if isinstance(node, ast.Name) and node.id in texts and depth:
        return _text(texts[node.id], texts, depth - 1)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, texts, depth)
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body, texts, depth)}, or: {_text(node.orelse, texts, depth)}"
    return "..."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


_HEAD = """# What doctor finds

Made from the source of `signaalwissel doctor`. `...` stands for what is known only then. WRONG ends with 1, AWAY with 3.
"""
