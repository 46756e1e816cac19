"""Whether the audit trail is what was written: every chain, and every row that a chain covers.

Flows in: the database, and ends of chains that somebody noted elsewhere. Flows out: the ends as they are, and in words
every block or row that was altered, is missing, stands in another place, or was put in past the chain.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from signaalwissel.processors.audit_chain import (
    BEGINNING,
    COVERED,
    KEYS,
    Block,
    BlockKind,
    Head,
    Link,
    as_written,
    links_findings,
    row_digests,
    row_id,
)
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_chains, audit_starts
from signaalwissel.sinks.audit_items import last_words
from sqlalchemy import Connection, Engine, Row, select, text

_WINDOW = 2000
_FINDINGS_MAX = 1000
_BLOCKS = select(audit_blocks).order_by(audit_blocks.c.chain, audit_blocks.c.seq)
_ITEMS = "CREATE TEMPORARY TABLE audit_items ON COMMIT DROP AS " + last_words("true")
_INDEX = text("CREATE INDEX ON audit_items (source, id)")
_MISSING = """
    SELECT i.id, i.chain, i.seq FROM audit_items AS i
    WHERE i.source = '{source}' AND i.kind = 'recorded'
        AND NOT EXISTS (SELECT 1 FROM {source} AS r WHERE {key} = i.id)
    ORDER BY i.chain, i.seq, i.id LIMIT {most}
"""
_ROWS = """
    SELECT i.kind AS item_kind, i.digest AS item_digest, i.chain AS item_chain, i.seq AS item_seq, {columns}
    FROM {source} AS r LEFT JOIN audit_items AS i ON i.source = '{source}' AND i.id = {key}
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        rows: How many rows of each table were looked at.
        blocks: How many blocks of each chain.
        heads: Where each chain ends: note it elsewhere, and a chain that is written anew later shows.
        findings: What is wrong; empty when all is as it was written. At most a thousand.
    """

    rows: Mapping[str, int]
    blocks: Mapping[str, int]
    heads: Mapping[str, Head]
    findings: tuple[str, ...]


def verify(
    engine: Engine, known: Mapping[str, Head] | None = None, step: Callable[[], None] = lambda: None
) -> Verification:
    """Verify everything, as one moment sees it; writers go on meanwhile.

    Args:
        engine: The database.
        known: Ends of chains as they were noted elsewhere.
        step: Is called for each row that was looked at.
    """
    options = engine.execution_options(isolation_level="REPEATABLE READ")
    with options.connect() as connection, connection.begin():
        heads = {
            row.chain: Head(row.seq, bytes(row.hash)) for row in connection.execute(select(audit_chains))
        }
        findings: list[str] = []
        blocks = _verify_chains(connection, heads, known or {}, findings)
        connection.execute(text(_ITEMS))
        connection.execute(_INDEX)
        rows = {source: _verify_rows(connection, source, findings, step) for source in COVERED}
    return Verification(rows, blocks, heads, tuple(findings[:_FINDINGS_MAX]))


def _verify_chains(
    connection: Connection, heads: Mapping[str, Head], known: Mapping[str, Head], findings: list[str]
) -> dict[str, int]:
    counts: dict[str, int] = {}
    links = _Links(connection)
    starts = {row.chain: Head(row.seq, bytes(row.hash)) for row in connection.execute(select(audit_starts))}
    for chain in sorted({*heads, *known, *starts, *links.chains()}):
        found = links_findings(
            chain, links.of(chain), heads.get(chain), known.get(chain), starts.get(chain, Head(0, BEGINNING))
        )
        findings += found[:_FINDINGS_MAX]
        counts[chain] = links.count
    return counts


class _Links:
    """Reads chains block by block; a chain may be longer than memory holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.count = 0

    def chains(self) -> list[str]:
        return list(self._connection.execute(select(audit_blocks.c.chain).distinct()).scalars())

    def of(self, chain: str) -> Iterator[Link]:
        self.count = 0
        rows = self._connection.execute(
            _BLOCKS.where(audit_blocks.c.chain == chain), execution_options={"yield_per": 200}
        )
        for row in rows:
            self.count += 1
            yield _link(row)


def _link(row: Row[tuple[object, ...]]) -> Link:
    block = Block(
        row.block_id,
        row.chain,
        row.seq,
        row.at,
        # What is no kind of ours was put there by hand; its hash tells.
        BlockKind.DESTROYED if row.kind == BlockKind.DESTROYED else BlockKind.RECORDED,
        row.source,
        row.reason,
        tuple(row.ids),
        bytes(row.digests),
        bytes(row.previous),
    )
    return Link(block, bytes(row.hash))


def _verify_rows(connection: Connection, source: str, findings: list[str], step: Callable[[], None]) -> int:
    columns = ", ".join(f'r."{name}"' for name in COVERED[source])
    key = " || '/' || ".join(f"r.{name}::text" for name in KEYS[source])
    # Names of ours, no values.
    read = text(_ROWS.format(columns=columns, source=source, key=key))
    count = 0
    rows = connection.execute(read, execution_options={"yield_per": _WINDOW})
    for window in rows.partitions():
        stored = [as_written(tuple(row)[4:]) for row in window]
        for row, values, digest in zip(window, stored, row_digests(source, stored), strict=True):
            count += 1
            step()
            problem = _problem(row, digest)
            if problem is not None and len(findings) < _FINDINGS_MAX:
                findings.append(f"{source} {row_id(source, values)}: {problem}")
    missing = connection.execute(text(_MISSING.format(source=source, key=key, most=_FINDINGS_MAX)))
    findings += [
        f"{source} {row.id}: missing; block {row.seq} of chain {row.chain} has it and none says that it was destroyed"
        for row in missing
    ]
    return count


def _problem(row: Row[tuple[object, ...]], digest: bytes) -> str | None:
    if row.item_kind is None:
        return "is in no block of any chain; it was put in past the audit trail"
    if row.item_kind == BlockKind.DESTROYED:
        return f"is there, and block {row.item_seq} of chain {row.item_chain} says that it was destroyed"
    if bytes(row.item_digest) != digest:
        return f"altered since block {row.item_seq} of chain {row.item_chain}"
    return None
