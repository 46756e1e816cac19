"""The erasure ledger in the database.

Flows in: entries. Flows out: the same entries, once each.
"""

from collections.abc import Sequence

from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerKind
from signaalwissel.sinks.copying import millis_of, moment_of
from signaalwissel.sinks.subject_tables import erasure_ledger
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert


def record(connection: Connection, entries: Sequence[LedgerEntry]) -> None:
    """Add entries; one that is there already stays as it is."""
    if entries:
        rows = [
            entry._asdict() | {"kind": entry.kind.value, "erased_at": moment_of(entry.erased_at)}
            for entry in entries
        ]
        connection.execute(insert(erasure_ledger).on_conflict_do_nothing(), rows)


def stored(connection: Connection) -> list[LedgerEntry]:
    """Every entry, oldest erasure first."""
    c = erasure_ledger.c
    rows = connection.execute(select(erasure_ledger).order_by(c.erased_at, c.erasure_id, c.kind, c.opaque))
    return [
        LedgerEntry(
            row.erasure_id,
            LedgerKind(row.kind),
            bytes(row.opaque),
            row.municipality,
            millis_of(row.erased_at),
        )
        for row in rows
    ]


def all_stored(engine: Engine) -> list[LedgerEntry]:
    """The whole ledger of a database."""
    with engine.connect() as connection:
        return stored(connection)
