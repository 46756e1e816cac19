"""Looks for canaries in anything that can be read as bytes, and tells where they are, never what they are.

In: a place in words, and its bytes. Out: findings with place, offset, canary and spelling.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick

from tests.privacy.needles import Canary, Needle, needles

_PIECE = 16 << 20


class Finding(NamedTuple):
    """A canary in a place: file, topic with partition and offset, or table with column and row."""

    place: str
    at: int
    needle: Needle

    def __str__(self) -> str:
        return f"{self.place}, byte {self.at}: {self.needle.canary} ({self.needle.spelling})"


class Hay(NamedTuple):
    """Something to look through."""

    place: str
    data: bytes


class Detector:
    """Finds canaries.

    Args:
        canaries: What is looked for, in every spelling of `needles`.
    """

    def __init__(self, canaries: Iterable[Canary]) -> None:
        found = needles(canaries)
        self._needles = list(found.values())
        self._longest = max(map(len, found))
        self._search = BytesAhoCorasick(list(found))

    def search(self, hay: Iterable[Hay]) -> list[Finding]:
        """Every canary in every place."""
        return [finding for one in hay for finding in self._in(one.place, one.data, 0)]

    def in_files(self, files: Iterable[Path], place: Callable[[Path], str]) -> list[Finding]:
        """Every canary in files of any size; what a file system keeps as a hole is not read.

        A finding on the border of two pieces may be told twice.
        """
        return [
            finding
            for file in files
            for start, data in _pieces(file, overlap=self._longest - 1)
            for finding in self._in(place(file), data, start)
        ]

    def _in(self, place: str, data: bytes, start: int) -> Iterator[Finding]:
        for number, at, _ in self._search.find_matches_as_indexes(data, overlapping=True):
            yield Finding(place, start + at, self._needles[number])


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, in order."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def report(findings: Iterable[Finding], most: int = 40) -> str:
    """Findings as lines, for a failing assertion."""
    lines = sorted({str(finding) for finding in findings})
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(lines[:most] + more)


def _pieces(file: Path, overlap: int) -> Iterator[tuple[int, bytes]]:
    with file.open("rb", buffering=0) as opened:
        for start, end in _extents(opened.fileno()):
            at = start
            while at < end:
                opened.seek(at)
                data = opened.read(min(_PIECE, end - at)) or b""
                if not data:
                    break
                yield at, data
                if at + len(data) >= end:
                    break
                at += max(len(data) - overlap, 1)


def _extents(descriptor: int) -> Iterator[tuple[int, int]]:
    size = os.fstat(descriptor).st_size
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
