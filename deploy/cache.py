"""Folders that are filled once per machine. Flows in: a way to fill. Flows out: a folder that is whole.

Two processes may want the same folder at once: one fills it, the other waits and finds it filled. A process
that is killed while it fills leaves a staging folder, never half a result, and the next one removes it.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.progress import PlatformProgress

CACHE_VARIABLE = "SIGNAALWISSEL_CACHE"
READABLE_BY_ALL = 0o755


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where downloads are kept: SIGNAALWISSEL_CACHE, else a folder in the user's own cache."""
    if given := environ.get(CACHE_VARIABLE):
        return Path(given).expanduser().absolute()
    if base := environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "signaalwissel"
    try:
        home = Path.home()
    except (
        RuntimeError
    ):  # an account without a home, as in some containers; only who needs the cache must mind
        home = Path("/")
    return home / ".cache" / "signaalwissel"


def filled(
    folder: Path,
    fill: Callable[[Path], None],
    whole: Callable[[Path], bool],
    progress: PlatformProgress,
) -> Path:
    """Return `folder` after making sure that it is whole.

    `fill` gets an empty staging folder, which takes the place of `folder` in one rename when `fill` returns;
    what `fill` raises passes through. `whole` tells, cheaply, whether an existing folder is good.
    """
    if whole(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(folder.name + ".lock").open("a")
    except OSError as refused:
        raise PlatformError(
            f"{folder.parent} cannot be written ({refused.strerror}): "
            f"set {CACHE_VARIABLE} to a folder that can."
        ) from refused
    with lock:  # closing the file gives the lock back, and so does the end of this process
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note(f"Another process is filling {folder}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole(folder):
            _replace(folder, fill)
    return folder


def _replace(folder: Path, fill: Callable[[Path], None]) -> None:
    # Only the holder of the lock makes staging folders: what lies there was left by one that was killed.
    prefix = f"{folder.name}.staging-"
    for stale in folder.parent.glob(prefix + "*"):
        shutil.rmtree(stale, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        fill(staging)
        staging.chmod(READABLE_BY_ALL)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
            folder.rename(old / "old")
            staging.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
