"""Rejects: what a file's rows were refused for, as a file beside it and as values for whoever shows them.

Flows in: row, field and rule. Flows out: `<file>.rejects.csv`, whole or not at all. A value never.
"""

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

SUFFIX = ".rejects.csv"
_SHOWN_MAX = 50


class Reject(NamedTuple):
    """A row that was refused, or the place from which on a file could not be read (`row` None: the whole file)."""

    row: int | None
    columns: tuple[str, ...]
    field: str | None
    code: str
    rule: str


class RejectFile:
    """Writes rejects beside a file; a context manager. Without any there is no such file afterwards.

    Args:
        file: The imported file.
        write: Whether to write at all.
    """

    def __init__(self, file: Path, *, write: bool) -> None:
        self.path = file.with_name(file.name + SUFFIX)
        self.count = 0
        self.shown: list[Reject] = []
        self._write = write
        self._unfinished = self.path.with_name(f".{self.path.name}.part")

    def __enter__(self) -> Self:
        if self._write:
            # Whoever writes into the folder could have put a link there, to a file that only we may write.
            self._unfinished.unlink(missing_ok=True)
            self._opened = self._unfinished.open("x", encoding="utf-8", newline="")
            self._writer = csv.writer(self._opened, delimiter=";", lineterminator="\n")
            self._writer.writerow(("row", "column", "field", "code", "rule"))
        return self

    def add(self, reject: Reject) -> None:
        """Write a reject."""
        self.count += 1
        if len(self.shown) < _SHOWN_MAX:
            self.shown.append(reject)
        if self._write:
            row = "" if reject.row is None else reject.row
            self._writer.writerow(
                (row, ", ".join(reject.columns), reject.field or "", reject.code, reject.rule)
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._write:
            return
        self._opened.flush()
        os.fsync(self._opened.fileno())
        self._opened.close()
        if kind is not None:
            self._unfinished.unlink()
        elif self.count:
            self._unfinished.replace(self.path)
        else:
            self._unfinished.unlink()
            self.path.unlink(missing_ok=True)
