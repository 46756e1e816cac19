"""One resident, as keyed hashes: whom an export, an erasure or an objection is about (domain 8.6, 8.8, 8.12).

In: who it is, in the clear, from the one who asks; the trajectories of his municipality. Out: in which of them he is a
client, and whether a signal is his. What may be another's is never his: a signal by address alone, and one by a birth
date that two people at the address share.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from signaalwissel.processors.clients import ClientIdentity, fold_clients
from signaalwissel.processors.erased_clients import erased_positions
from signaalwissel.processors.pseudonyms import PseudonymKeys, is_address_key
from signaalwissel.schemas.internal import ClientPseudonym, TrajectoryState
from signaalwissel.schemas.signal import Subject


class SubjectUnclear(ValueError):
    """Who is asked about does not tell one resident from another; the text never repeats who it was."""


class Membership(NamedTuple):
    """A resident as a client of a trajectory.

    Attributes:
        trajectory_id: The trajectory, in his municipality.
        client: His position.
        alone: Nobody else is a client of it, or everybody else was erased.
    """

    trajectory_id: str
    client: int
    alone: bool


@dataclass(frozen=True, repr=False)
class Person:
    """A resident of one municipality.

    Attributes:
        bsn: Keyed hash of his BSN, where it is known.
        birth_date: Keyed hash of his birth date, where it is known.
        addresses: Keyed hashes of where he lives and lived.
        match_keys: Keys under which signals of his may lie: under an address key those of others lie too.
        distinct: Nobody else with this birth date is known at his addresses.
    """

    municipality: str
    bsn: bytes | None
    birth_date: bytes | None
    addresses: frozenset[bytes]
    match_keys: frozenset[bytes]
    distinct: bool = True

    @property
    def own_keys(self) -> frozenset[bytes]:
        """The match keys of his BSN: what lies under them is his alone."""
        return frozenset(key for key in self.match_keys if not is_address_key(key))

    def is_client(self, identity: ClientIdentity) -> bool:
        """Whether a client of a trajectory is he: by BSN, or where one is not known by birth date and address."""
        if self.bsn is not None and identity.bsn is not None:
            return self.bsn == identity.bsn
        return self._lives_as(identity.birth_date, {stay.address for stay in identity.stays})

    def is_subject(self, said: ClientPseudonym) -> bool:
        """Whether what a partner or a case system wrote of somebody is about him."""
        if self.bsn is not None and said.bsn is not None:
            return self.bsn == said.bsn
        return self.distinct and self._lives_as(said.birth_date, {said.address})

    def _lives_as(self, birth_date: bytes | None, addresses: Iterable[bytes | None]) -> bool:
        return (
            birth_date is not None
            and birth_date == self.birth_date
            and not self.addresses.isdisjoint(one for one in addresses if one is not None)
        )


def person_of(subject: Subject, keys: PseudonymKeys) -> Person:
    """A resident as the one who asks names him.

    Raises:
        SubjectUnclear: Neither a BSN, nor postcode, house number and birth date.
    """
    hashes = keys.pseudonym(subject)
    if hashes.bsn is None and (hashes.address is None or hashes.birth_date is None):
        raise SubjectUnclear("name the resident by bsn, or by postcode, house_number and birth_date")
    return Person(
        municipality=keys.municipality,
        bsn=hashes.bsn,
        birth_date=hashes.birth_date,
        addresses=frozenset() if hashes.address is None else frozenset({hashes.address}),
        match_keys=frozenset(keys.trajectory_match_keys(subject)) | {keys.signal_match_key(subject)},
    )


class Known(NamedTuple):
    """A resident with what his trajectories tell of him, and in which of them he is a client."""

    person: Person
    memberships: tuple[Membership, ...]


def known_in(person: Person, states: Iterable[TrajectoryState]) -> Known:
    """Find a resident among trajectories; what one of them tells of him finds him in the next.

    Raises:
        SubjectUnclear: By birth date and address alone two people are meant.
    """
    standing = sorted((s for s in states if not s.erased), key=lambda state: state.trajectory_id)
    clients = {state.trajectory_id: fold_clients(state.facts) for state in standing}
    while (learned := _learned(person, standing, clients)) != person:
        person = learned
    memberships = tuple(
        Membership(
            state.trajectory_id, position, is_alone(state, position, len(clients[state.trajectory_id]))
        )
        for state in standing
        for position in _positions(person, clients[state.trajectory_id])
    )
    return Known(_told_apart(person, clients.values()), memberships)


def _learned(
    person: Person, states: Iterable[TrajectoryState], clients: dict[str, tuple[ClientIdentity, ...]]
) -> Person:
    for state in states:
        for identity in clients[state.trajectory_id]:
            if not person.is_client(identity):
                continue
            if person.bsn is None and _several(person, clients.values()):
                raise SubjectUnclear("two residents have this address and birth date: give the bsn")
            person = replace(
                person,
                bsn=person.bsn or identity.bsn,
                birth_date=person.birth_date or identity.birth_date,
                addresses=person.addresses | {stay.address for stay in identity.stays},
                # Of two clients the keys cannot be told apart: what lies under them is looked at one by one.
                match_keys=person.match_keys | {key for key in state.match_keys if is_address_key(key)},
            )
    return person


def _several(person: Person, clients: Iterable[tuple[ClientIdentity, ...]]) -> bool:
    """Whether more than one resident has this birth date and address: two BSNs, or two clients of one trajectory."""
    found = [[one for one in some if person.is_client(one)] for some in clients]
    bsns = {one.bsn for some in found for one in some if one.bsn is not None}
    return len(bsns) > 1 or any(len(some) > 1 for some in found)


def _told_apart(person: Person, clients: Iterable[tuple[ClientIdentity, ...]]) -> Person:
    for some in clients:
        for identity in some:
            shares = identity.birth_date == person.birth_date and not person.addresses.isdisjoint(
                stay.address for stay in identity.stays
            )
            if shares and not person.is_client(identity):
                return replace(person, distinct=False)
    return person


def _positions(person: Person, clients: tuple[ClientIdentity, ...]) -> list[int]:
    found = [position for position, identity in enumerate(clients) if person.is_client(identity)]
    if len(found) < 2:
        return found
    # Two clients with one birth date, of whom one has no BSN: he is the one who has his.
    certain = [
        position for position in found if person.bsn is not None and clients[position].bsn == person.bsn
    ]
    if len(certain) != 1:
        raise SubjectUnclear("two clients of one trajectory have this address and birth date: give the bsn")
    return certain


def is_alone(state: TrajectoryState, position: int, count: int) -> bool:
    """Whether a client is the only one of a trajectory of `count` clients who was not erased."""
    return set(range(count)) <= {position, *erased_positions(state.facts)}
