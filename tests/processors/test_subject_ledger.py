"""Entries of the erasure ledger: opaque, keyed, and whole again out of a file."""

from typing import Any

import pytest
from signaalwissel.processors.keyed_hash import KeyedHash
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind, entry_from, unknown_to

ENTRY = LedgerEntry("erase-1", LedgerKind.SIGNAL, b"\x01\xff", "0344", 1_772_000_000_000)


@pytest.mark.parametrize("kind", LedgerKind)
def test_an_entry_is_the_same_after_a_file(kind: LedgerKind) -> None:
    entry = ENTRY._replace(kind=kind)
    assert entry_from(entry.as_plain()) == entry


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "OTHER"}, "kind"),
        ({"opaque": "zz"}, "opaque"),
        ({"opaque": 3}, "opaque"),
        ({"municipality": None}, "municipality"),
        ({"erased_at": "secret"}, "erased_at"),
    ],
)
def test_what_is_no_entry_is_named_by_its_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        entry_from(ENTRY.as_plain() | change)
    assert "secret" not in str(refused.value)


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        entry_from([])


def test_ids_tell_kinds_positions_and_keys_apart() -> None:
    ids, others = LedgerIds(KeyedHash(b"k" * 32)), LedgerIds(KeyedHash(b"o" * 32))
    made = [
        ids.signal(b"T1"),
        ids.client("T1", 0),
        ids.client("T1", 1),
        ids.dead_letter("T1"),
        others.signal(b"T1"),
    ]
    assert len(set(made)) == len(made)
    assert ids.client("T1", 0) == LedgerIds(KeyedHash(b"k" * 32)).client("T1", 0)
    assert not any(b"T1" in one for one in made)


def test_a_database_lacks_what_it_does_not_have() -> None:
    later = ENTRY._replace(erasure_id="erase-2")
    assert unknown_to([ENTRY, later], [ENTRY]) == [later]
    assert unknown_to([ENTRY], [later, ENTRY]) == []
