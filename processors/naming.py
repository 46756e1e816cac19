"""Whom an event concerns: the clients that it names, or has in mind, by position (design 2; domain 8.5, 8.12).

In: the facts of a trajectory that count. Out: per fact the positions of its clients, the same whatever the order in
which the facts arrived. Who was ever listed at a position counts, so a mended BSN or birth date is still recognised.
"""

from collections.abc import Sequence
from typing import NamedTuple

from signaalwissel.processors.clients import LISTING
from signaalwissel.processors.facts import order_of
from signaalwissel.processors.validation import concerns_one_client
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import TrajectoryEventKind

_NAMING = frozenset(
    {
        TrajectoryEventKind.EXITED,
        TrajectoryEventKind.REFUSED,
        TrajectoryEventKind.OBJECTION_LODGED,
        TrajectoryEventKind.OBJECTION_WITHDRAWN,
    }
)
_FIRST = frozenset({0})
_NOBODY: frozenset[int] = frozenset()


class Concern(NamedTuple):
    """Whom an event concerns.

    Attributes:
        positions: The clients by position; empty where nobody is recognised.
        certain: No later listing takes it away from them.
        must_name: It names nobody, and two were listed before it: it must be refused.
    """

    positions: frozenset[int]
    certain: bool
    must_name: bool = False


def names_somebody(fact: Fact) -> bool:
    """Whether an event, or a command, says which client it concerns."""
    return bool(fact.clients) or fact.client is not None


class Roster:
    """Who was listed at which position.

    Args:
        facts: The facts that count, in their order.
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._listings = [fact for fact in facts if fact.kind in LISTING]
        self._count = max((len(listing.clients) for listing in self._listings), default=0)

    def concern(self, fact: Fact) -> Concern:
        """Whom a fact concerns; everybody where its kind asks for no name and it gives none."""
        if fact.kind not in _NAMING:
            return Concern(frozenset(range(self._count)), certain=True)
        if fact.client is not None:
            there = fact.client < self._count
            return Concern(frozenset({fact.client}) if there else _NOBODY, certain=there)
        if fact.clients:
            return self._named(fact.clients)
        if concerns_one_client(fact.kind, fact.exit_reason):
            return self._nameless(fact)
        return Concern(frozenset(range(self._count)), certain=True)

    def named(self, person: ClientPseudonym) -> frozenset[int]:
        """The positions of a person whom an event names; empty where he is not recognised."""
        return self._named((person,)).positions

    def _nameless(self, fact: Fact) -> Concern:
        """A death or an objection without a name: of the only client known before it, of nobody where two were."""
        before = [len(one.clients) for one in self._listings if order_of(one) <= order_of(fact)]
        first = [len(one.clients) for one in self._listings[:1]]
        alone = max(before or first, default=0) == 1
        return Concern(_FIRST if alone else _NOBODY, certain=False, must_name=bool(before) and not alone)

    def _named(self, named: Sequence[ClientPseudonym]) -> Concern:
        found: set[int] = set()
        certain = False
        for person in named:
            by_bsn = self._with_bsn(person.bsn)
            certain = certain or bool(by_bsn)
            found |= by_bsn or self._otherwise(person)
        return Concern(frozenset(found), certain)

    def _with_bsn(self, bsn: bytes | None) -> set[int]:
        if bsn is None:
            return set()
        holders = {position for position in range(self._count) if bsn in self._bsns(position)}
        # Two were listed with it, one by mistake: he has it who has it in the end.
        return holders if len(holders) < 2 else {p for p in holders if self._bsns(p)[-1] == bsn}

    def _otherwise(self, person: ClientPseudonym) -> set[int]:
        """By birth date, where it tells who is meant; an only client is meant unless that contradicts him."""
        born = {p for p in range(self._count) if person.birth_date in self._birth_dates(p)}
        if self._count != 1:
            return born if len(born) == 1 else set()
        contradicts = (person.bsn is not None and bool(self._bsns(0))) or (
            person.birth_date is not None and bool(self._birth_dates(0))
        )
        return born or (set() if contradicts else {0})

    def _bsns(self, position: int) -> list[bytes]:
        return [one.bsn for one in self._listed_at(position) if one.bsn is not None]

    def _birth_dates(self, position: int) -> list[bytes]:
        return [one.birth_date for one in self._listed_at(position) if one.birth_date is not None]

    def _listed_at(self, position: int) -> list[ClientPseudonym]:
        return [one.clients[position] for one in self._listings if position < len(one.clients)]
