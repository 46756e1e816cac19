"""Whom an event concerns: positions in its trajectory, read from the lists of clients of all facts (domain 8.5, 8.12).

In: the facts that count, in their order, and one of them. Out: the clients that it is about, and how sure that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracle.model import Record
from tests.oracle.validity import LISTING_KINDS, OBJECTION_KINDS, must_name_its_client

NAMING_KINDS = ("EXITED", "REFUSED", *OBJECTION_KINDS)


@dataclass(frozen=True)
class Naming:
    """`settled`: no later list can change it. `refused`: two were listed before it, and it names neither."""

    positions: tuple[int, ...]
    settled: bool
    refused: bool = False


def in_order(facts: Sequence[Record]) -> list[Record]:
    return sorted(facts, key=lambda fact: (fact["sequence"], fact["event_id"]))


def concerned(facts: Sequence[Record], fact: Record) -> Naming:
    """Whom the fact is about, by what all facts together say."""
    ordered = in_order(facts)
    lists = [one["clients"] for one in ordered if one["kind"] in LISTING_KINDS]
    everybody = tuple(range(max(map(len, lists), default=0)))
    if fact["kind"] not in NAMING_KINDS:
        return Naming(everybody, settled=True)
    if fact["clients"]:
        return _by_name(lists, len(everybody), fact["clients"])
    if not must_name_its_client(fact):
        return Naming(everybody, settled=True)
    place = (fact["sequence"], fact["event_id"])
    earlier = [
        len(one["clients"])
        for one in ordered
        if one["kind"] in LISTING_KINDS and (one["sequence"], one["event_id"]) <= place
    ]
    if earlier:
        return Naming((0,), settled=False) if max(earlier) == 1 else Naming((), settled=False, refused=True)
    return Naming((0,) if lists and len(lists[0]) == 1 else (), settled=False)


def _by_name(lists: list[list[dict[str, Any]]], count: int, named: list[dict[str, Any]]) -> Naming:
    ever = [[clients[n] for clients in lists if n < len(clients)] for n in range(count)]
    positions: set[int] = set()
    settled = False
    for person in named:
        numbered = _numbered(ever, person["bsn"])
        if numbered:
            settled = True
            positions |= numbered
        elif count == 1:
            positions |= set() if _is_another(ever[0], person) else {0}
        else:
            born = [n for n in range(count) if person["birth_date"] in _said(ever[n], "birth_date")]
            positions |= set(born) if len(born) == 1 else set()
    return Naming(tuple(sorted(positions)), settled)


def _numbered(ever: list[list[dict[str, Any]]], bsn: str | None) -> set[int]:
    """Where the BSN was ever listed; at both positions: where it was listed last."""
    if bsn is None:
        return set()
    found = {n for n, listed in enumerate(ever) if bsn in _said(listed, "bsn")}
    if len(found) == len(ever) == 2:
        found = {n for n in found if _said(ever[n], "bsn")[-1] == bsn}
    return found


def _is_another(listed: list[dict[str, Any]], person: dict[str, Any]) -> bool:
    """Whether what is known of the only client contradicts the person, whose BSN is none of his."""
    if person["birth_date"] in _said(listed, "birth_date"):
        return False
    return any(person[name] is not None and _said(listed, name) for name in ("bsn", "birth_date"))


def _said(listed: list[dict[str, Any]], name: str) -> list[Any]:
    return [one[name] for one in listed if one[name] is not None]
