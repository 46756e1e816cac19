"""The audit trail and the processing log themselves: what is older than the longest period of any policy goes.

Flows in: the longest period, and the database's clock. Flows out: events, the oldest blocks of all chains, and pages of
lines that nobody collects. What a block says of rows that still stand is said again at the end of the trail; the start
of each chain moves to after its last block that went, so that the trail verifies as before.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.audit_chain import COVERED, KEYS, as_written, row_digests, row_id
from signaalwissel.processors.retention import DataKind, last_day_over
from signaalwissel.sinks.accounting_tables import audit_blocks, audit_events, audit_starts, processing_log
from signaalwissel.sinks.audit_items import last_words
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.retention_scope import NOBODY, Scope, Step, Tally, tallied
from signaalwissel.sinks.tables import METADATA
from sqlalchemy import BigInteger, Connection, any_, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_BLOCKS_MAX = 50
"""In one transaction: a block names as many rows as its transaction wrote."""
_NUMBERS = bindparam("ids", type_=ARRAY(BigInteger))
_KEPT = text("SELECT transaction_timestamp() - make_interval(days => coalesce(max(days), 0)) FROM audit_kept")
_EVENTS = text("SELECT event_id FROM audit_events WHERE at < :before ORDER BY event_id LIMIT :most")
_EVENTS_TALLY = text("SELECT count(*), count(*) FILTER (WHERE at < :before), 0 FROM audit_events")
# By number over all chains: what was said of a row first goes first, and no chain gets a gap.
_BLOCKS = text(
    """
    SELECT block_id FROM audit_blocks
    WHERE at < :before AND block_id < coalesce(
        (SELECT min(block_id) FROM audit_blocks WHERE at >= :before), 9223372036854775807
    )
    ORDER BY block_id LIMIT :most
    """
)
_BLOCKS_TALLY = text("SELECT count(*), count(*) FILTER (WHERE at < :before), 0 FROM audit_blocks")
_ENDS = text(
    """
    SELECT DISTINCT ON (chain) chain, seq, hash FROM audit_blocks
    WHERE block_id = ANY(:ids) ORDER BY chain, seq DESC
    """
).bindparams(_NUMBERS)
_WORDS = text(last_words("block_id = ANY(:ids)")).bindparams(_NUMBERS)
_NO_BLOCKS = audit_blocks.delete().where(audit_blocks.c.block_id == any_(_NUMBERS))
_PAGES = text("SELECT id FROM processing_log WHERE created_at < :before ORDER BY id LIMIT :most")
_PAGES_TALLY = text("SELECT count(*), count(*) FILTER (WHERE created_at < :before), 0 FROM processing_log")
_NO_PAGES = processing_log.delete().where(processing_log.c.id == any_(_NUMBERS))


def _before(connection: Connection, scope: Scope, kind: DataKind) -> datetime:
    """Until when everything is over; never what this round itself wrote, nor what the database lets nobody take away."""
    over = moment_of(start_of_day(last_day_over(scope.today, scope.longest_months)) + 86_400_000)
    ends = [over, scope.began]
    if kind is not DataKind.PROCESSING_LOG:
        ends.append(connection.execute(_KEPT).scalar_one())
    return min(ends)


def _by(kind: DataKind, choose: Any, tally: Any, destroy: Any, most: int | None = None) -> Step:
    def chosen(connection: Connection, scope: Scope) -> Sequence[Any]:
        if scope.municipality != NOBODY:
            return []
        about = {"before": _before(connection, scope, kind), "most": most or scope.settings.retention_batch}
        return list(connection.execute(choose, about).scalars())

    def counted(connection: Connection, scope: Scope) -> Tally:
        if scope.municipality != NOBODY:
            return Tally()
        return tallied(connection, tally, {"before": _before(connection, scope, kind)})

    return Step(kind, chosen, destroy, counted)


def _destroy_events(destruction: Destruction, _scope: Scope, ids: Sequence[Any]) -> int:
    where = audit_events.c.event_id == any_(bindparam("ids", list(ids), ARRAY(BigInteger)))
    return len(destruction.delete(audit_events, where))


def _destroy_pages(destruction: Destruction, _scope: Scope, ids: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_PAGES, {"ids": list(ids)})
    return len(ids)


def _destroy_blocks(destruction: Destruction, _scope: Scope, ids: Sequence[Any]) -> int:
    connection = destruction.connection
    _carry(destruction, ids)
    for row in connection.execute(_ENDS, {"ids": list(ids)}).all():
        start = (row.chain, row.seq, bytes(row.hash))
        moved = destruction.change(
            audit_starts, audit_starts.c.chain == row.chain, {"seq": row.seq, "hash": start[2]}
        )
        if not moved:
            connection.execute(audit_starts.insert(), dict(zip(COVERED["audit_starts"], start, strict=True)))
            destruction.ledger.recorded(audit_starts.name, [start])
    connection.execute(_NO_BLOCKS, {"ids": list(ids)})
    return len(ids)


class _Word(NamedTuple):
    id: str
    digest: bytes


def _carry(destruction: Destruction, ids: Sequence[int]) -> None:
    """Say again of each row that still stands as these blocks have it; of an altered one nothing, so that it shows."""
    words: defaultdict[str, list[_Word]] = defaultdict(list)
    for row in destruction.connection.execute(_WORDS, {"ids": list(ids)}):
        if row.kind == "recorded":
            words[row.source].append(_Word(row.id, bytes(row.digest)))
    for source in sorted(words.keys() & COVERED.keys()):
        digests = dict(words[source])
        rows = [
            row for row in _rows(destruction.connection, source, digests) if row_id(source, row) in digests
        ]
        found = zip(rows, row_digests(source, rows), strict=True)
        same = [row for row, digest in found if digests[row_id(source, row)] == digest]
        destruction.ledger.carried(source, same)


def _rows(connection: Connection, source: str, ids: dict[str, bytes]) -> list[tuple[Any, ...]]:
    """The rows of a source that these ids may name, as they were written."""
    table, keys = METADATA.tables[source], KEYS[source]
    key = table.c[keys[0]]
    kind = int if isinstance(key.type, BigInteger) else str
    first = sorted({kind(one.rsplit("/", len(keys) - 1)[0] if len(keys) > 1 else one) for one in ids})
    wanted = bindparam("first", first, ARRAY(key.type))
    columns = [table.c[name] for name in COVERED[source]]
    found = connection.execute(table.select().with_only_columns(*columns).where(key == any_(wanted)))
    return [as_written(row) for row in found]


AUDIT_EVENTS = _by(DataKind.AUDIT_EVENT, _EVENTS, _EVENTS_TALLY, _destroy_events)
AUDIT_BLOCKS = _by(DataKind.AUDIT_BLOCK, _BLOCKS, _BLOCKS_TALLY, _destroy_blocks, _BLOCKS_MAX)
PROCESSING_LOG = _by(DataKind.PROCESSING_LOG, _PAGES, _PAGES_TALLY, _destroy_pages)
