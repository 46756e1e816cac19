"""The erasure ledger: opaque ids of what was erased, so that a restored backup can be made to forget it again.

In: what an erasure found. Out: entries whose ids are keyed hashes under the municipality's hashing key, which outlives
every match secret; and back: whether something that is there now was erased. As a file, one JSON object on a line.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from signaalwissel.processors.keyed_hash import KeyedHash
from signaalwissel.schemas.units import Millis

_SIZE = 16


class LedgerKind(StrEnum):
    """What an entry is about; MATCH_KEY is a match key itself, which is a keyed hash already."""

    SIGNAL = "SIGNAL"
    CLIENT = "CLIENT"
    DEAD_LETTER = "DEAD_LETTER"
    MATCH_KEY = "MATCH_KEY"


class LedgerEntry(NamedTuple):
    """One thing that was erased."""

    erasure_id: str
    kind: LedgerKind
    opaque: bytes
    municipality: str
    erased_at: Millis

    def as_plain(self) -> dict[str, Any]:
        """The entry for a line of a file."""
        return {**self._asdict(), "kind": self.kind.value, "opaque": self.opaque.hex()}


def entry_from(plain: Any) -> LedgerEntry:
    """The entry of a line; raises ValueError, which names the field and never its value."""
    fields = {"erasure_id": str, "kind": str, "opaque": str, "municipality": str, "erased_at": int}
    if not isinstance(plain, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 whoever reads a file asks for one error
    for name, kind in fields.items():
        if not isinstance(plain.get(name), kind):
            raise ValueError(f"{name}: is missing, or of the wrong type")  # noqa: TRY004 as above
    try:
        known, opaque = LedgerKind(plain["kind"]), bytes.fromhex(plain["opaque"])
    except ValueError:
        raise ValueError("kind or opaque: cannot be read") from None
    return LedgerEntry(plain["erasure_id"], known, opaque, plain["municipality"], plain["erased_at"])


class LedgerIds:
    """Makes opaque ids of one municipality.

    Args:
        hashed: The hash under the municipality's hashing key.
    """

    def __init__(self, hashed: KeyedHash) -> None:
        self._hashed = hashed

    def signal(self, ref: bytes) -> bytes:
        """Of an accepted delivery."""
        return self._of(b"signal", ref)

    def client(self, trajectory_id: str, client: int) -> bytes:
        """Of a client of a trajectory."""
        return self._of(b"client", f"{client}:{trajectory_id}".encode())

    def dead_letter(self, dead_letter_id: str) -> bytes:
        """Of a dead letter."""
        return self._of(b"letter", dead_letter_id.encode())

    def _of(self, kind: bytes, content: bytes) -> bytes:
        return self._hashed(b"ledger:" + kind + b":" + content)[:_SIZE]


def unknown_to(entries: Iterable[LedgerEntry], stored: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """The entries that a database lacks: it was restored from before those erasures."""
    known = {(one.erasure_id, one.kind, one.opaque) for one in stored}
    return [one for one in entries if (one.erasure_id, one.kind, one.opaque) not in known]
