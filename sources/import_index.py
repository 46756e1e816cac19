"""What was imported before, as a file on disk that is made anew for every run: memory stays bounded.

Flows in: records of the ledger and of the states. Flows out: whether a row is known, what was told of a trajectory.
It holds keyed digests and pseudonyms only, and is gone with the process.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.imports import ImportedState

_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE rows (digest BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE files (file TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE states (
        municipality TEXT, trajectory_id TEXT, withdrawn INTEGER NOT NULL, seen INTEGER NOT NULL, state BLOB NOT NULL,
        PRIMARY KEY (municipality, trajectory_id)
    ) WITHOUT ROWID;
    CREATE TABLE erased (municipality TEXT, trajectory_id TEXT, PRIMARY KEY (municipality, trajectory_id)) WITHOUT ROWID;
"""
_NOT_SEEN = 0


class ImportIndex:
    """The index; a context manager that closes it.

    Args:
        file: Where it lies; empty for one in memory, for tests and small things.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._db = sqlite3.connect(":memory:" if file is None else file)
        self._db.executescript(_TABLES)
        self._codec = codec("ImportedState")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add_rows(self, digests: tuple[bytes, ...]) -> None:
        """Rows that were published."""
        self._db.executemany("INSERT OR IGNORE INTO rows VALUES (?)", ((digest,) for digest in digests))

    def knows_row(self, digest: bytes) -> bool:
        """Whether a row was published."""
        return self._db.execute("SELECT 1 FROM rows WHERE digest = ?", (digest,)).fetchone() is not None

    def add_file(self, file: str, at: int) -> None:
        """A file that was read to its end; `at` orders files."""
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (file, at))

    def outdated(self, file: str) -> bool:
        """Whether a file was read to its end before another one was: told again it would turn back time."""
        found = self._db.execute(
            "SELECT at < (SELECT max(at) FROM files) FROM files WHERE file = ?", (file,)
        ).fetchone()
        return found is not None and bool(found[0])

    def put(self, state: ImportedState, seen: int = _NOT_SEEN) -> None:
        """What was told of a trajectory; `seen` is the number of the file that tells it."""
        key = (state.municipality, state.trajectory_id)
        body = self._codec.encode(state)
        self._db.execute(
            "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?)", (*key, state.withdrawn, seen, body)
        )

    def get(self, municipality: str, trajectory_id: str) -> tuple[ImportedState, int] | None:
        """What was told of a trajectory, and the file in which it was last seen."""
        row = self._db.execute(
            "SELECT state, seen FROM states WHERE municipality = ? AND trajectory_id = ?",
            (municipality, trajectory_id),
        ).fetchone()
        return None if row is None else (self._codec.decode(row[0]), row[1])

    def see(self, municipality: str, trajectory_id: str, seen: int) -> None:
        """A trajectory stands in this file, whatever else is wrong with its row."""
        self._db.execute(
            "UPDATE states SET seen = ? WHERE municipality = ? AND trajectory_id = ?",
            (seen, municipality, trajectory_id),
        )

    def forget(self, municipality: str, trajectory_id: str) -> bool:
        """A trajectory is erased for good; gives whether anything was told of it."""
        key = (municipality, trajectory_id)
        self._db.execute("INSERT OR IGNORE INTO erased VALUES (?, ?)", key)
        gone = self._db.execute("DELETE FROM states WHERE municipality = ? AND trajectory_id = ?", key)
        return gone.rowcount > 0

    def is_erased(self, municipality: str, trajectory_id: str) -> bool:
        """Whether a trajectory is erased: whatever an export still says of it, nothing goes out."""
        found = self._db.execute(
            "SELECT 1 FROM erased WHERE municipality = ? AND trajectory_id = ?", (municipality, trajectory_id)
        )
        return found.fetchone() is not None

    def count_standing(self, municipality: str) -> int:
        """How many trajectories of a municipality were told and not withdrawn."""
        row = self._db.execute(
            "SELECT count(*) FROM states WHERE municipality = ? AND NOT withdrawn", (municipality,)
        ).fetchone()
        return int(row[0])

    def unseen(self, municipality: str, seen: int) -> Iterator[ImportedState]:
        """The standing trajectories of a municipality that a file does not hold."""
        rows = self._db.execute(
            "SELECT state FROM states WHERE municipality = ? AND NOT withdrawn AND seen <> ?",
            (municipality, seen),
        ).fetchall()
        for (body,) in rows:
            yield self._codec.decode(body)
