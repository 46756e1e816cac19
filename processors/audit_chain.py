"""The audit trail as a chain: what makes an altered, missing or reordered row show.

In: rows as they are stored. Out: their digests, blocks of digests that each carry the hash of the one before, and what
is wrong with a chain. A block holds digests and ids, never content: content may be destroyed, the digest of it stays.
The form of what is hashed is for good: a block of today must verify in seven years.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import repeat
from operator import is_
from typing import Any, NamedTuple

DIGEST_SIZE = 32
BEGINNING = bytes(DIGEST_SIZE)
"""What the first block of a chain carries instead of the hash of the one before."""

COVERED: Mapping[str, tuple[str, ...]] = {
    "decisions": (
        "routing_id", "signal_id", "municipality", "revision", "route", "reason", "explanation", "policy_version",
        "reference_date", "decided_at", "partner_id", "partner_kind", "arrears_cents", "arrears_since",
        "signalled_on", "received_at", "crisis", "warm_transfer", "sealed_subject", "trajectory_id",
        "trajectory_state", "client", "counsellor_id", "counsellor_team", "team", "window_ends_on", "debt_timing",
        "matched_by", "evidence", "candidates", "match_key", "last_day", "action", "cause", "caused_by_event_id",
        "previous_routing_id",
    ),
    "task_history": ("task_id", "position", "at", "what", "by", "note"),
    "audit_events": ("event_id", "at", "kind", "municipality", "actor", "about", "trace_id", "details"),
    "audit_starts": ("chain", "seq", "hash"),
}  # fmt: skip
"""Per table the columns that its digests cover, in their order. A column may be added at the end where it is null in
every row that stands: nulls at the end are not hashed."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "decisions": ("routing_id",),
    "task_history": ("task_id", "position"),
    "audit_events": ("event_id",),
    "audit_starts": ("chain",),
}
"""Per table what names a row; all of them come first in COVERED."""

# PostgreSQL stores every character in a text but this one, so no two rows read the same.
_SEPARATOR = "\x00"


class BlockKind(StrEnum):
    """RECORDED: these rows were written, with these digests. DESTROYED: these rows were lawfully taken away."""

    RECORDED = "recorded"
    DESTROYED = "destroyed"


class Block(NamedTuple):
    """A link of a chain: rows of one table that one transaction wrote, or took away.

    Attributes:
        block_id: Unique over all chains; of two blocks about the same row the later one has the higher.
        seq: Its place in the chain, from 1, without gaps.
        at: When the transaction began.
        reason: Why rows were destroyed.
        digests: The rows' digests one after the other; empty for DESTROYED.
        previous: Hash of the block before.
    """

    block_id: int
    chain: str
    seq: int
    at: datetime
    kind: BlockKind
    source: str
    reason: str | None
    ids: tuple[str, ...]
    digests: bytes
    previous: bytes


def row_id(source: str, row: Sequence[Any]) -> str:
    """What names a row, given the columns of COVERED."""
    if len(KEYS[source]) == 1:
        return str(row[0])
    return "/".join(str(value) for value in row[: len(KEYS[source])])


def row_digests(source: str, rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The digest of each row.

    Args:
        source: The table.
        rows: The columns of COVERED: text, whole numbers, booleans, bytes, days, instants in UTC, JSON as text, null.
    """
    size = len(COVERED[source])
    for row in rows:
        if len(row) != size:
            raise ValueError(f"{source}: {len(row)} columns, not the {size} that the chain covers")
        # On the path of every decision: one pass in C over the values, another that tells null from the text "None".
        nulls = bytes(map(is_, row, repeat(None))).rstrip(b"\x01")
        text = _SEPARATOR.join(map(str, row[: len(nulls)]))
        yield hashlib.sha256(text.encode() + nulls).digest()


def as_written(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as it is read, in the form in which it was written."""
    return tuple(value if (form := _FORMS.get(type(value))) is None else form(value) for value in row)


def block_hash(block: Block) -> bytes:
    """The hash of a block: covers all of it, and by `previous` all before it."""
    head = (
        str(block.block_id),
        block.chain,
        str(block.seq),
        block.at.astimezone(UTC).isoformat(timespec="microseconds"),
        block.kind.value,
        block.source,
        block.reason or "",
        str(len(block.ids)),
        *block.ids,
    )
    hashed = hashlib.sha256(_SEPARATOR.join(head).encode())
    hashed.update(_SEPARATOR.encode() + block.digests + block.previous)
    return hashed.digest()


_FORMS: Mapping[type, Callable[[Any], Any]] = {
    memoryview: bytes,
    datetime: lambda value: value.astimezone(UTC),
    list: json.dumps,
    dict: lambda value: json.dumps(value, sort_keys=True),
}


class Link(NamedTuple):
    """A block as it is stored: with the hash that was written beside it."""

    block: Block
    hash: bytes


class Head(NamedTuple):
    """Where a chain ends."""

    seq: int
    hash: bytes


_FIRST = Head(0, BEGINNING)


def links_findings(
    chain: str, links: Iterable[Link], stored: Head | None, known: Head | None, start: Head = _FIRST
) -> list[str]:
    """What is wrong with the blocks of a chain: altered, missing or reordered ones, by name.

    Args:
        chain: Its name.
        links: Its blocks in order of `seq`.
        stored: Where the table of chains says that it ends; None where that has no such chain.
        known: Where it ended when somebody noted that elsewhere, and it must still be so.
        start: Where it starts: the last of its blocks that are over and gone.
    """
    found = []
    before = start
    if known is not None and known.seq == start.seq and known.hash != start.hash:
        found.append(f"chain {chain}: its start is not the block that was noted; the chain was written anew")
    for block, written in links:
        name = f"block {block.seq} of chain {chain}"
        found += [f"block {gone} of chain {chain}: missing" for gone in range(before.seq + 1, block.seq)]
        if block_hash(block) != written or len(block.digests) != _digests_size(block):
            found.append(f"{name}: altered")
        elif block.seq == before.seq + 1 and block.previous != before.hash:
            found.append(
                f"{name}: does not follow block {before.seq}; one of the two was replaced or reordered"
            )
        if known is not None and block.seq == known.seq and written != known.hash:
            found.append(f"{name}: is not the one that was noted; the chain was written anew")
        before = Head(block.seq, written)
    return found + _end_findings(chain, before, stored, known)


def _end_findings(chain: str, end: Head, stored: Head | None, known: Head | None) -> list[str]:
    last = max(one.seq for one in (end, stored, known) if one is not None)
    found = [f"block {gone} of chain {chain}: missing" for gone in range(end.seq + 1, last + 1)]
    if stored is None or (stored.seq <= end.seq and stored != end):
        found.append(f"chain {chain}: its end at block {end.seq} is not the one in audit_chains")
    return found


def _digests_size(block: Block) -> int:
    return DIGEST_SIZE * len(block.ids) if block.kind is BlockKind.RECORDED else 0
