"""Figures in pages of the documentation: a table that a command makes stands between two marks.

In: a page, the name of a table, its lines. Out: the page with these lines between `<!-- NAME -->` and
`<!-- end of NAME -->`. So what a page shows is what one run told, and nobody copies figures by hand.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path


class NoPlace(ValueError):
    """A page has no place for a table."""


def table_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [_row(header), "|" + "---|" * len(header), *map(_row, rows)]


def filled(page: str, name: str, lines: Iterable[str]) -> str:
    """The page with the lines at its place of that name, instead of what stood there.

    Raises:
        NoPlace: The page has no such place.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise NoPlace(f"the page has no lines {begin.strip()} and {end}: put them where the table must be")
    return f"{head}{begin}\n" + "".join(f"{line}\n" for line in lines) + f"\n{end}{tail}"


def fill(file: Path, name: str, lines: Iterable[str]) -> None:
    """Write the lines into a page.

    Raises:
        NoPlace: The page has no such place.
        OSError: It cannot be read or written.
    """
    file.write_text(filled(file.read_text("utf-8"), name, lines), "utf-8")


def check_place(file: Path | None, name: str) -> None:
    """Look before a long run whether there is a place for its table.

    Raises:
        NoPlace: There is none.
        OSError: The page cannot be read.
    """
    if file is not None:
        filled(file.read_text("utf-8"), name, ())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
