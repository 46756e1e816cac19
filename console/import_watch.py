"""`import --watch`: a folder that a system drops its exports into, until SIGTERM."""

import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Protocol

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.import_shown import show
from signaalwissel.sources.file_import import Report
from signaalwissel.sources.watching import WatchedFolder

_LOOK_EVERY_S = 1.0


class Run(Protocol):
    """Imports one file."""

    def __call__(self, file: Path) -> Report:
        """Import it."""


def watch(folder: Path, settle_s: float, run: Run, *, as_json: bool) -> None:
    """Import what settles in a folder and put it away, until SIGTERM or SIGINT; the file at hand is finished first.

    Args:
        folder: The folder.
        settle_s: Seconds in which a file must not have changed.
        run: Imports one file.
        as_json: Whether reports are JSON lines.
    """
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    watched = WatchedFolder(folder, settle_s, time.monotonic)
    try:
        while not ended.is_set():
            for file in _settled(watched, folder):
                report = run(file)
                _put_away(watched, file, report)
                show(report, dry_run=False, as_json=as_json)
                if ended.is_set():
                    break
            ended.wait(_LOOK_EVERY_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settled(watched: WatchedFolder, folder: Path) -> list[Path]:
    try:
        return watched.settled()
    except OSError as error:
        raise UsageFailure(f"{folder}: cannot be looked into: {error.strerror}") from error


def _put_away(watched: WatchedFolder, file: Path, report: Report) -> None:
    try:
        watched.put_away(file, report)
    except OSError as error:
        where = error.filename or file
        raise UsageFailure(f"{where}: {file.name} cannot be put away there: {error.strerror}") from error
