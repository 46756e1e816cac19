"""Tables of hand-written pages, as values: what only a person can say about a name stands once, and is checked to be there."""

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_NAME = re.compile(r"`([^`]+)`")
_ABBREVIATED = "..."


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """The cells of the tables below a heading, up to the next heading of any level; the heads of tables left out."""
    _, _, below = (DOCS / page).read_text("utf-8").partition(f"\n{heading}\n")
    section = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    lines = section.splitlines()
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not line.startswith("|--") and not after.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names_in(cell: str, known: list[str]) -> list[str]:
    """The names of a cell; `..._KEY_FILE` is the known one with this end that begins most like the first."""
    found: list[str] = []
    for name in _NAME.findall(cell):
        if name.startswith(_ABBREVIATED):
            ends = [one for one in known if one.endswith(name.removeprefix(_ABBREVIATED))]
            found.append(max(ends, key=lambda one: _shared(one, found[0])))
        else:
            found.append(name)
    return found


def linked_from(page: str, text: str) -> str:
    """Words of one page for a page in `reference`: links to a heading of its own lead back to it."""
    text = re.sub(r"\]\(#", f"](../{page}#", text)
    return re.sub(r"\]\((?!\.\./|[a-z]+:)", "](../", text)


def _shared(one: str, other: str) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
