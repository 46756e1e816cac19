"""What a transaction must account for: its lines of the processing log and its blocks of the audit trail.

Flows in: what was recorded, destroyed and done with whose data, while the transaction works. Flows out: all of it in
the same transaction, so that there is no row without its line and no line without its row. Each writer has a chain of
its own; transactions of one writer follow each other, those of several do not wait for each other.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

from signaalwissel.processors.audit_chain import (
    BEGINNING,
    COVERED,
    Block,
    BlockKind,
    Head,
    block_hash,
    row_digests,
    row_id,
)
from signaalwissel.processors.processing_lines import Line, page_of
from signaalwissel.processors.processing_register import Register
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_chains, audit_events, processing_log
from signaalwissel.sinks.audit_items import CARRIED
from signaalwissel.sinks.copying import Added, add_rows, millis_of
from sqlalchemy import Connection, text

CONSOLE = "console"
"""Chain of the command line."""
GATEWAY = "gateway"
"""Chain of checks that are asked over HTTP."""
CLOCK = "clock"
"""Chain of the deadlines."""
RETENTION = "retention"
"""Chain of what is over."""

_BLOCK_COLUMNS = tuple(column.name for column in audit_blocks.columns)
_EVENT_COLUMNS = COVERED["audit_events"]
_PAGE_COLUMNS = ("created_at", "writer", "lines", "content", "sent_at")
_FIRST = text("INSERT INTO audit_chains VALUES (:chain, 0, :hash) ON CONFLICT DO NOTHING")
_HEAD = text("SELECT seq, hash, transaction_timestamp() FROM audit_chains WHERE chain = :chain FOR UPDATE")
_NUMBERS = text(
    "SELECT source, nextval(pg_get_serial_sequence(source, key))"
    " FROM (VALUES ('audit_events', 'event_id', CAST(:events AS int)), ('audit_blocks', 'block_id', :blocks))"
    " AS wanted (source, key, count), generate_series(1, count)"
)
_MOVE = audit_chains.update()


class EventKind(StrEnum):
    """What can stand in the audit trail that no other table tells."""

    SEALED_OPENED = "SEALED_OPENED"
    DEAD_LETTER_REPLAYED = "DEAD_LETTER_REPLAYED"
    DEAD_LETTER_PARKED = "DEAD_LETTER_PARKED"
    DEAD_LETTER_REOPENED = "DEAD_LETTER_REOPENED"
    RECORD_CONSULTED = "RECORD_CONSULTED"
    RESIDENTS_CHECKED = "RESIDENTS_CHECKED"
    POLICIES_IN_FORCE = "POLICIES_IN_FORCE"
    COMMANDS_GIVEN_AGAIN = "COMMANDS_GIVEN_AGAIN"
    KEYS_CREATED = "KEYS_CREATED"
    KEYS_ROTATED = "KEYS_ROTATED"
    KEY_DESTROYED = "KEY_DESTROYED"
    DATA_EXPORTED = "DATA_EXPORTED"
    DATA_ERASED = "DATA_ERASED"
    OBJECTION_KEPT = "OBJECTION_KEPT"
    RETENTION_RAN = "RETENTION_RAN"
    SESSIONS_ENDED = "SESSIONS_ENDED"


class Event(NamedTuple):
    """Something that somebody did.

    Attributes:
        actor: Who: a user of the system, or a process of ours.
        about: What it was done to: ids, never a person's data.
        trace_id: That of the lines in the processing log.
        details: What else there is to say: values of JSON, no person's data.
    """

    kind: EventKind
    actor: str
    about: str
    municipality: str | None = None
    trace_id: bytes | None = None
    details: Mapping[str, Any] | None = None


class _Entry(NamedTuple):
    kind: BlockKind
    source: str
    reason: str | None
    ids: tuple[str, ...]
    digests: bytes


class Ledger:
    """Collects what one transaction must account for, and stores it.

    Args:
        chain: The writer's chain.
        register_of: The register of processing activities of a municipality.
    """

    def __init__(self, chain: str, register_of: Callable[[str], Register]) -> None:
        self._chain = chain
        self._register_of = register_of
        self._entries: list[_Entry] = []
        self._events: list[Event] = []
        self._lines: list[Line] = []
        self._acknowledged = False

    def recorded(self, source: str, rows: Sequence[Sequence[Any]]) -> None:
        """These rows are written: every column that the chain covers, in order."""
        self._record(source, rows, None)

    def carried(self, source: str, rows: Sequence[Sequence[Any]]) -> None:
        """These rows stand as a block has them that goes: it is said again, and counts for less than any other word."""
        self._record(source, rows, CARRIED)

    def destroyed(self, source: str, ids: Iterable[str], reason: str) -> None:
        """These rows are lawfully deleted, or emptied and then `recorded` again; the database refuses it otherwise."""
        gone = tuple(ids)
        if gone:
            self._entries.append(_Entry(BlockKind.DESTROYED, source, reason, gone, b""))

    def event(self, event: Event) -> None:
        """Somebody did this."""
        self._events.append(event)

    def lines(self, lines: Iterable[Line]) -> None:
        """This was done with whose data."""
        self._lines.extend(lines)

    def acknowledged(self) -> None:
        """The lines were sent and acknowledged already: they are counted, not sent again."""
        self._acknowledged = True

    def store(self, connection: Connection) -> None:
        """Store all of it in the caller's transaction, which must end soon: other writers of the chain wait.

        Raises:
            UnknownPurpose: A purpose is not in the municipality's register.
        """
        if not (self._entries or self._events or self._lines):
            return
        head, at = self._take(connection)
        numbers = self._numbers(connection)
        events = self._event_rows(numbers[audit_events.name], at)
        page = self._page_rows(at)
        blocks, moved = self._block_rows(numbers[audit_blocks.name], head, at)
        add_rows(connection, [one for one in (events, page, blocks) if one.rows])
        if moved != head:
            where = _MOVE.where(audit_chains.c.chain == self._chain)
            connection.execute(where.values(seq=moved.seq, hash=moved.hash))

    def _record(self, source: str, rows: Sequence[Sequence[Any]], reason: str | None) -> None:
        if rows:
            ids = tuple(row_id(source, row) for row in rows)
            digests = b"".join(row_digests(source, rows))
            self._entries.append(_Entry(BlockKind.RECORDED, source, reason, ids, digests))

    def _take(self, connection: Connection) -> tuple[Head, datetime]:
        row = connection.execute(_HEAD, {"chain": self._chain}).first()
        if row is None:
            connection.execute(_FIRST, {"chain": self._chain, "hash": BEGINNING})
            row = connection.execute(_HEAD, {"chain": self._chain}).one()
        return Head(row.seq, bytes(row.hash)), row[2].astimezone(UTC)

    def _numbers(self, connection: Connection) -> Mapping[str, list[int]]:
        """The keys that events and blocks get, rising. The events are one block more."""
        wanted = {"events": len(self._events), "blocks": len(self._entries) + bool(self._events)}
        found: dict[str, list[int]] = {audit_events.name: [], audit_blocks.name: []}
        if any(wanted.values()):
            for source, number in connection.execute(_NUMBERS, wanted):
                found[source].append(number)
        return {source: sorted(numbers) for source, numbers in found.items()}

    def _event_rows(self, numbers: Sequence[int], at: datetime) -> Added:
        rows = [
            (
                number,
                at,
                event.kind.value,
                event.municipality,
                event.actor,
                event.about,
                event.trace_id,
                details,
            )
            for number, event in zip(numbers, self._events, strict=True)
            for details in (
                None if event.details is None else json.dumps(dict(event.details), sort_keys=True),
            )
        ]
        self.recorded(audit_events.name, rows)
        return Added(audit_events, _EVENT_COLUMNS, rows)

    def _page_rows(self, at: datetime) -> Added:
        if not self._lines:
            return Added(processing_log, _PAGE_COLUMNS, [])
        content = page_of(self._lines, self._register_of, millis_of(at), _version())
        kept, sent_at = (None, at) if self._acknowledged else (content, None)
        return Added(processing_log, _PAGE_COLUMNS, [(at, self._chain, len(self._lines), kept, sent_at)])

    def _block_rows(self, numbers: Sequence[int], head: Head, at: datetime) -> tuple[Added, Head]:
        """The blocks, and where they leave the chain."""
        rows = []
        for number, entry in zip(numbers, self._entries, strict=True):
            block = Block(number, self._chain, head.seq + 1, at, *entry, head.hash)
            head = Head(block.seq, block_hash(block))
            rows.append((*block._replace(ids=list(block.ids)), head.hash))  # type: ignore[arg-type] # as COPY takes it
        return Added(audit_blocks, _BLOCK_COLUMNS, rows), head


@cache
def _version() -> str:
    # Each time it is asked the package's metadata are parsed, which costs as much as all else for a line.
    return version("signaalwissel")


def chain_of_sink(instance: int) -> str:
    """The chain of one of several sinks."""
    return f"sink/{instance}"
