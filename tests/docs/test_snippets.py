"""What pages show to be typed: the program takes every command, and example lines do what the page says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from signaalwissel.console.main import build

from tests.console.files_support import file_with, run
from website import commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), ROOT / "samples" / "README.md"])
FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`(?:\.venv/bin/)?signaalwissel (?P<line>[a-z][^`]*)`")
SHELL = {"", "sh"}
PROGRAM = typer.main.get_command(build())
NAMES = {name for name, _ in commands.every()}
GROUPS = {name.rpartition(" ")[0] for name in NAMES} - {""}
RULES = (ROOT / "docs" / "rules.md").read_text("utf-8")


def typed(page: Path) -> list[str]:
    """The commands in the blocks of a page, each without what stands before and behind it in a shell."""
    found = []
    for fence in FENCE.finditer(page.read_text("utf-8")):
        if fence["kind"] in SHELL:
            for line in fence["text"].replace("\\\n", " ").splitlines():
                parts = re.split(r"\s[|<>&]+\s|\s#\s|; ", line)
                found += [
                    part.strip().removeprefix(".venv/bin/").removeprefix("signaalwissel ")
                    for part in parts
                    if part.strip().removeprefix(".venv/bin/").startswith("signaalwissel ")
                    and not part.strip().startswith("signaalwissel: ")
                ]
    return found


TYPED = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in typed(page)]
SPANS = sorted(
    {
        (page.relative_to(ROOT).as_posix(), span["line"])
        for page in PAGES
        for span in SPAN.finditer(page.read_text("utf-8"))
    }
)


def taken(line: str) -> None:
    """Parse a line as the program does; runs nothing."""
    given = shlex.split(re.sub(r"\.\.\.$", "", line))
    command: Any = PROGRAM
    while (inner := getattr(command, "commands", None)) and given:
        assert given[0] in inner, f"there is no command {given[0]}"
        command = inner[given.pop(0)]
    command.make_context("signaalwissel", given)


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_the_program_takes_the_command_in_a_block(page: str, line: str) -> None:
    taken(line)


@pytest.mark.parametrize(("page", "line"), SPANS)
def test_a_command_in_a_sentence_exists(page: str, line: str) -> None:
    words = line.replace("|", " ").split()
    assert words[0] in NAMES | GROUPS or " ".join(words[:2]) in NAMES or words[0].isupper()


def test_pages_show_many_commands() -> None:
    assert len({page for page, _ in TYPED}) > 8


def sections() -> list[tuple[str, str]]:
    """The examples of docs/rules.md: heading and text of each that has lines."""
    _, _, below = RULES.partition("\n## Write your own lines\n")
    parts = re.split(r"^### (.+)$", below.partition("\n## ")[0], flags=re.MULTILINE)[1:]
    return [(title, text) for title, text in zip(parts[::2], parts[1::2], strict=True) if "```json" in text]


def lines_of(text: str) -> list[list[Any]]:
    """The JSON blocks of an example: what is given, and what the page says comes of it."""
    blocks = [fence["text"] for fence in FENCE.finditer(text) if fence["kind"] == "json"]
    return [[json.loads(line) for line in block.splitlines()] for block in blocks]


def options_in(text: str) -> list[str]:
    """Those of the command that the page shows for its lines."""
    return [option for option in ("--tasks", "--clock") if f"--json {option}" in text]


@pytest.mark.parametrize(("title", "text"), sections(), ids=[title for title, _ in sections()])
def test_the_lines_of_a_rule_give_what_the_page_tells(title: str, text: str, tmp_path: Path) -> None:
    given, *shown = lines_of(text)
    ended = run("simulate", "--json", *options_in(text), file_with(tmp_path, given))
    assert ended.exit_code == 0
    printed = [json.loads(line) for line in ended.stdout.splitlines()]
    for line in (line for block in shown for line in block):
        assert line in printed
    rows = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", row)}
    assert named or shown, title
    assert sorted(name for name in named if name not in ended.stdout) == []


def test_a_late_exit_prints_the_five_lines_of_the_page(tmp_path: Path) -> None:
    text = dict(sections())["A late exit moves a signal"]
    shown = [cells[0] for cells in re.findall(r"^\| `([a-z-]+)` \| (\d) \|", text, re.MULTILINE)]
    ended = run("simulate", "--json", file_with(tmp_path, lines_of(text)[0]))
    assert [json.loads(line)["topic"] for line in ended.stdout.splitlines()] == shown
