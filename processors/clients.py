"""The clients of a trajectory: who they are, since when, and where they lived when (design 2, 3; domain 8.8).

In: the facts that list clients, in order. Out: per position a client with hashes, membership and stays.
`clients` is always the complete list in the order of APPLIED: the position identifies the client.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from signaalwissel.processors.erased_clients import erased_positions
from signaalwissel.processors.periods import Days
from signaalwissel.schemas.internal import ClientPseudonym, Fact
from signaalwissel.schemas.trajectory import TrajectoryEventKind

_APPLIED: Final = TrajectoryEventKind.APPLIED
LISTING: Final = frozenset({_APPLIED, TrajectoryEventKind.CLIENT_CHANGED})


class Stay(NamedTuple):
    """An address, by its keyed hash, and the days there; the day of a move belongs to both addresses."""

    address: bytes
    days: Days


class ClientIdentity(NamedTuple):
    """A client. A mended BSN, birth date or surname counts from the beginning; addresses have their days."""

    bsn: bytes | None
    birth_date: bytes | None
    surname: bytes | None
    stays: tuple[Stay, ...]
    member: tuple[Days, ...]


_GONE: Final = ClientIdentity(None, None, None, (), ())


def fold_clients(facts: Sequence[Fact]) -> tuple[ClientIdentity, ...]:
    """The clients by position, from the facts in their order; empty where no fact lists any."""
    listings = [fact for fact in facts if fact.kind in LISTING]
    count = max((len(listing.clients) for listing in listings), default=0)
    folds = [_ClientFold() for _ in range(count)]
    for listing in listings:
        applies = listing.kind is _APPLIED
        for position, fold in enumerate(folds):
            fold.told(applies=applies)
            if position < len(listing.clients):
                fold.listed(listing.clients[position], listing.occurred_on, applies=applies)
            else:
                fold.left_out(listing.occurred_on)
    erased = erased_positions(facts)
    # Of an erased client nothing is left but his place: nobody is found by him, and nobody has to be informed.
    return tuple(_GONE if i in erased else fold.identity() for i, fold in enumerate(folds))


class _ClientFold:
    """What the listings so far say of the client at one position."""

    def __init__(self) -> None:
        self._bsn: bytes | None = None
        self._birth_date: bytes | None = None
        self._surname: bytes | None = None
        self._stays: list[Stay] = []
        self._member: list[Days] = []
        self._changed = False

    def told(self, *, applies: bool) -> None:
        """A list comes; `applies` when it is that of an application."""
        self._changed = self._changed or (bool(self._stays) and not applies)

    def listed(self, client: ClientPseudonym, day: date, *, applies: bool) -> None:
        """The client stands on the list."""
        self._bsn = client.bsn or self._bsn
        self._birth_date = client.birth_date or self._birth_date
        self._surname = client.surname or self._surname
        if not self._member or self._member[-1].last is not None:
            # Only who was left out begins anew; whoever joins later counts from the beginning, as his address does.
            self._member.append(Days(day if self._member else None, None))
        if applies and not self._changed:
            # The application told anew, and no change since his first address: it mends that address.
            self._stays.clear()
        self._moved(client.address, day)

    def left_out(self, day: date) -> None:
        """The client is left out: membership and address end that day."""
        if self._member and self._member[-1].last is None:
            self._member[-1] = self._member[-1]._replace(last=day)
            self._moved(None, day)

    def identity(self) -> ClientIdentity:
        """The client as the listings so far have it."""
        return ClientIdentity(
            self._bsn, self._birth_date, self._surname, tuple(self._stays), tuple(self._member)
        )

    def _moved(self, address: bytes | None, day: date) -> None:
        standing = self._stays[-1] if self._stays and self._stays[-1].days.last is None else None
        if standing is not None and address == standing.address:
            self._mend_begin(standing, day)
            return
        if standing is not None and standing.days.first is not None and day <= standing.days.first:
            self._stays.pop()
            self._end_last(day)
        elif standing is not None:
            self._end_last(day)
        if address is not None:
            self._stays.append(Stay(address, Days(day if self._stays else None, None)))

    def _mend_begin(self, standing: Stay, day: date) -> None:
        # The same address on a later day is a list sent for another reason; on an earlier day the move is mended.
        if standing.days.first is not None and day < standing.days.first:
            self._stays.pop()
            self._end_last(day)
            self._stays.append(Stay(standing.address, Days(day, None)))

    def _end_last(self, day: date) -> None:
        # Only the first stay has no beginning, so whatever began has one before it.
        last = self._stays[-1]
        self._stays[-1] = last._replace(days=last.days._replace(last=day))
