"""Persons: the clients found at a match key, counted as people (domain 8.8).

The same BSN in several trajectories is one person (the returning client is the core case); a client without BSN is
a person of his own. In: the trajectories at a key. Out: persons, and the decision for one of them.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from signaalwissel.processors.periods import Days
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.standing import Standing, standing
from signaalwissel.processors.trajectory import Client, Trajectory
from signaalwissel.schemas.routing import TrueReason

_DECEASED: Final = TrueReason.DECEASED
_OBJECTION: Final = TrueReason.OBJECTION
_NO_TRAJECTORY: Final = TrueReason.NO_TRAJECTORY


class Membership(NamedTuple):
    """A person as one client of one trajectory."""

    trajectory: Trajectory
    position: int

    @property
    def client(self) -> Client:
        """The client."""
        return self.trajectory.clients[self.position]


class Person(NamedTuple):
    """A person found at a key: all his memberships, and those that count for the signal."""

    everywhere: tuple[Membership, ...]
    here: tuple[Membership, ...]

    def birth_dates(self) -> set[bytes]:
        """The keyed hashes of the birth dates that his trajectories there give."""
        return {m.client.identity.birth_date for m in self.here if m.client.identity.birth_date is not None}

    def surnames(self) -> set[bytes]:
        """The keyed hashes of the surnames that his trajectories there give."""
        return {m.client.identity.surname for m in self.here if m.client.identity.surname is not None}

    def is_client(self, trajectory_id: str, position: int) -> bool:
        """Whether he is the client at `position` of the trajectory."""
        return any(
            m.trajectory.trajectory_id == trajectory_id and m.position == position for m in self.everywhere
        )


class PersonalFinding(NamedTuple):
    """The decision for a person who is certain: the reason, and the standing behind it where there is one."""

    reason: TrueReason
    standing: Standing | None

    @property
    def hit(self) -> Standing | None:
        """The standing that leads to the counsellor, unless death or objection keeps it from him."""
        found = self.standing
        return found if found is not None and found.is_hit and found.reason is self.reason else None


def person_with_bsn(trajectories: Iterable[Trajectory], bsn: bytes | None) -> Person:
    """The person with this BSN; without memberships where nobody has it."""
    if bsn is None:
        return Person((), ())
    found = tuple([m for m in _memberships(trajectories) if m.client.identity.bsn == bsn])
    return Person(found, found)


def persons_at(trajectories: Iterable[Trajectory], address: bytes | None, days: Days) -> list[Person]:
    """The persons who lived at the address on any of the days, in a fixed order."""
    everywhere: dict[object, list[Membership]] = {}
    for membership in _memberships(trajectories):
        identity: object = membership.client.identity.bsn
        if identity is None:
            identity = (membership.trajectory.trajectory_id, membership.position)
        everywhere.setdefault(identity, []).append(membership)
    persons = []
    for memberships in everywhere.values():
        here = tuple(m for m in memberships if _lived_at(m.client, address, days))
        if here:
            persons.append(Person(tuple(memberships), here))
    return persons


def find(person: Person, days: Days, policy: Policy) -> PersonalFinding:
    """Decide for a certain person: death, objection, then the best of his trajectories (domain 8.6)."""
    best = _best(
        [s for m in person.here if (s := standing(m.trajectory, m.position, days, policy)) is not None]
    )
    clients = [m.client for m in person.everywhere]
    if any(_had_died(client, days) for client in clients):
        return PersonalFinding(_DECEASED, best)
    if any(_objects(client, days) for client in clients):
        return PersonalFinding(_OBJECTION, best)
    if best is None:
        return PersonalFinding(_NO_TRAJECTORY, None)
    return PersonalFinding(best.reason, best)


def _best(found: Sequence[Standing]) -> Standing | None:
    # Nearly everybody has one trajectory.
    return found[0] if len(found) == 1 else max(found, key=_preference, default=None)


def _preference(found: Standing) -> tuple[int, date, str]:
    return found.preference


def _had_died(client: Client, days: Days) -> bool:
    last = days.last
    return last is not None and any(death <= last for death in client.deaths)


def _objects(client: Client, days: Days) -> bool:
    """Whether an objection is in force on the day of receipt; withdrawn, the test works again from that day."""
    if not client.objections:
        return False
    receipt = Days(days.last, days.last)
    return any(objection.before_end().meet(receipt) for objection in client.objections)


def _lived_at(client: Client, address: bytes | None, days: Days) -> bool:
    return any(stay.address == address and stay.days.meet(days) for stay in client.identity.stays)


def _memberships(trajectories: Iterable[Trajectory]) -> Sequence[Membership]:
    ordered = sorted(trajectories, key=_id_of)
    return [Membership(trajectory, i) for trajectory in ordered for i in range(len(trajectory.clients))]


def _id_of(trajectory: Trajectory) -> str:
    return trajectory.trajectory_id
