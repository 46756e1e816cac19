"""Progress of downloads and starts. Flows in: steps, amounts. Flows out: bars on a terminal, else lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

Advance = Callable[[float, str], None]
"""Adds an amount, in the unit of the step's total, and says what it was spent on."""

LINE_INTERVAL_S = 5.0


class PlatformProgress(Protocol):
    """What a person sees while the platform is made ready; methods may be called from several threads."""

    def note(self, text: str) -> None:
        """Tell one fact."""

    def step(self, title: str, total: float | None) -> AbstractContextManager[Advance]:
        """Show one long step; `total` is None where its length is unknown beforehand."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Drop the text."""

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Advance]:
        """Drop the amounts."""
        yield lambda _amount, _detail: None


class Lines:
    """Plain lines, for a log file or a CI run: begin, now and then how far, end."""

    def __init__(self, stream: TextIO, interval_s: float = LINE_INTERVAL_S) -> None:
        self._stream = stream
        self._interval_s = interval_s

    def note(self, text: str) -> None:
        """Write one line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Advance]:
        """Write a line at the beginning, one each interval, and one at the end."""
        began = last = time.monotonic()
        done = 0.0
        self.note(f"{title} ...")

        def advance(amount: float, detail: str) -> None:
            nonlocal done, last
            done += amount
            now = time.monotonic()
            if now - last >= self._interval_s:
                last = now
                share = f"{done / total:4.0%} " if total else ""
                self.note(f"  {share}{detail}")

        yield advance
        self.note(f"{title}: done in {time.monotonic() - began:.1f} s")


class Bars:
    """A bar per step on a terminal; it disappears when the step is over."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(text, highlight=False, markup=False)

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Advance]:
        """Show a bar, or a spinner where the total is unknown."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(title, total=total, detail="")
            yield lambda amount, detail: bars.update(task, advance=amount, detail=detail)


def progress_on(stream: TextIO) -> PlatformProgress:
    """Choose bars where `stream` is a terminal and lines where it is not."""
    console = Console(file=stream)
    return Bars(console) if console.is_terminal else Lines(stream)
