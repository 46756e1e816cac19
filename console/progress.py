"""How far long work is: a bar or a count on a terminal, nothing at all elsewhere.

Flows in: what is gone through. Flows out: the same, one at a time, and on standard error how many there were. Results on
standard output stay as they are, wherever they go.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

_Item = TypeVar("_Item")


@contextmanager
def counting(what: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Gives what is called after each one.

    Args:
        what: What is counted, in the plural.
        total: How many there are, where that is known.
        quiet: Show nothing, whoever looks.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # A result that goes into a file must not be drawn above the bar instead.
    shared = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=shared) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def counted(
    items: Iterable[_Item], what: str, total: int | None = None, *, quiet: bool = False
) -> Iterator[_Item]:
    """The same items, counted as they are taken."""
    with counting(what, total, quiet=quiet) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def progress_of(file: Path, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Lines done; of how many, where that can be counted."""
    shown = not quiet and sys.stderr.isatty()
    with counting("lines", _lines_of(file) if shown else None, quiet=quiet) as advance:
        yield advance


def _lines_of(file: Path) -> int | None:
    if not file.is_file():
        return None
    with file.open("rb") as lines:
        return sum(1 for _ in lines)
