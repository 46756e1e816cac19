"""A watched folder, such as one that a system drops its exports into by SFTP.

Flows in: files that nobody writes to any more. Flows out: imported files in `done/`, unreadable ones in `quarantine/`,
each with its rejects beside it. A process that dies between import and move imports the file again, which adds
nothing, and moves it then.
"""

import errno
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from signaalwissel.sources.file_import import Report, fingerprint_of
from signaalwissel.sources.rejects import SUFFIX

DONE = "done"
QUARANTINE = "quarantine"
_UNFINISHED = (".part", ".filepart", ".tmp", ".partial", ".crdownload")
_NAME_DIGITS = 12


class _Look(NamedTuple):
    """A file as it was seen: when it was first seen so."""

    size: int
    changed_ns: int
    since_s: float


class WatchedFolder:
    """Finds files that have settled, and puts them away.

    Args:
        folder: The folder.
        settle_s: Seconds in which a file must not have changed.
        clock: Seconds that only rise.
    """

    def __init__(self, folder: Path, settle_s: float, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, _Look] = {}

    def settled(self) -> list[Path]:
        """The files that nobody has written to for a while, oldest first."""
        now = self._clock()
        ready = []
        seen: dict[Path, _Look] = {}
        for file in files_in(self._folder):
            try:
                found = file.lstat()
            except FileNotFoundError:
                continue
            before = self._seen.get(file)
            look = _Look(found.st_size, found.st_mtime_ns, now)
            if before is not None and before[:2] == look[:2]:
                look = before
                if now - before.since_s >= self._settle_s:
                    ready.append(file)
            seen[file] = look
        self._seen = seen
        return ready

    def put_away(self, file: Path, report: Report) -> Path:
        """Move an imported file, and its rejects, where it belongs; gives its new place."""
        target = self._folder / (QUARANTINE if report.broken is not None else DONE)
        target.mkdir(exist_ok=True)
        if target.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "is a link; put a folder in its place", str(target))
        # Two exports may bear one name; the same file twice is the same.
        place = target / f"{fingerprint_of(file)[:_NAME_DIGITS]}-{file.name}"
        rejects = file.with_name(file.name + SUFFIX)
        if rejects.exists():
            rejects.replace(place.with_name(place.name + SUFFIX))
        file.replace(place)
        return place


def files_in(folder: Path) -> list[Path]:
    """The exports in a folder, oldest first: no hidden or unfinished files, no rejects, no links."""
    return [file for _, _, file in sorted(_exports(folder))]


def _exports(folder: Path) -> Iterator[tuple[int, str, Path]]:
    for file in folder.iterdir():
        name = file.name
        if name.startswith(".") or name.endswith((SUFFIX, *_UNFINISHED)):
            continue
        try:
            found = file.lstat()
        except FileNotFoundError:
            continue
        # Through a link somebody who may only drop files could have others read.
        if stat.S_ISREG(found.st_mode):
            yield found.st_mtime_ns, name, file
