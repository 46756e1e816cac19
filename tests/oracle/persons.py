"""Who the signal is about, and the answer: the clients found by its one identity, as persons (domain 8.6, 8.8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle import verdict
from tests.oracle.model import COUNSELLOR, REGULAR, Outcome, Signal
from tests.oracle.timeline import Client, Trajectory
from tests.oracle.wording import folded_surname

MOST_PERSONS = 8
NOBODY = Outcome(REGULAR, "NO_TRAJECTORY")


@dataclass
class Person:
    """The records that are one person: all that were found, and those that count for the signal."""

    found: list[tuple[Trajectory, int]]
    counting: list[tuple[Trajectory, int]]

    @property
    def clients(self) -> list[Client]:
        return [trajectory.clients[position] for trajectory, position in self.counting]

    def findings(self, signal: Signal) -> list[verdict.Finding]:
        return [verdict.find(trajectory, position, signal) for trajectory, position in self.counting]


def answer(signal: Signal, trajectories: Sequence[Trajectory]) -> Outcome:
    """The outcome, given the trajectories as they stand for this signal's horizon."""
    if signal.identity[0] == "bsn":
        bsn = signal.identity[1]
        records = [record for record in _records(trajectories) if _client(record).bsn == bsn]
        return _decide(Person(records, records), signal, "BSN") if records else NOBODY
    persons = _persons_at(signal, trajectories)
    born = signal.record["subject"]["birth_date"]
    if born is None:
        return _address_only(signal, persons, len(persons))
    same = [p for p in persons if any(client.birth_date == born for client in p.clients)]
    if len(same) == 1:
        return _decide(same[0], signal, "ADDRESS_AND_BIRTH_DATE")
    dateless = [p for p in persons if all(client.birth_date is None for client in p.clients)]
    return _address_only(signal, same + dateless, len(persons))


def _records(trajectories: Sequence[Trajectory]) -> list[tuple[Trajectory, int]]:
    return [(trajectory, n) for trajectory in trajectories for n in range(len(trajectory.clients))]


def _client(record: tuple[Trajectory, int]) -> Client:
    trajectory, position = record
    return trajectory.clients[position]


def _persons_at(signal: Signal, trajectories: Sequence[Trajectory]) -> list[Person]:
    """The persons who live at the signal's address on one of its days."""
    at_key = [t for t in trajectories if any(signal.identity == a for c in t.clients for a, _ in c.addresses)]
    groups: dict[tuple[str, ...], list[tuple[Trajectory, int]]] = {}
    for trajectory, position in _records(at_key):
        bsn = trajectory.clients[position].bsn
        who = ("bsn", bsn) if bsn is not None else ("client", trajectory.id, str(position))
        groups.setdefault(who, []).append((trajectory, position))
    persons = []
    for found in groups.values():
        counting = [record for record in found if _lives_there(_client(record), signal)]
        if counting:
            persons.append(Person(found, counting))
    return persons


def _lives_there(client: Client, signal: Signal) -> bool:
    return any(
        address == signal.identity and any(period.through(day) for day in signal.days)
        for address, period in client.addresses
    )


def _decide(person: Person, signal: Signal, matched_by: str) -> Outcome:
    """The answer for a person who is known for certain."""
    for reason, holds in (("DECEASED", verdict.died), ("OBJECTION", verdict.objects)):
        telling = [record for record in person.found if holds(_client(record), signal.last_day)]
        if telling:
            finding = verdict.latest([verdict.find(t, n, signal) for t, n in telling])
            positions: set[int | None] = {position for _, position in person.found}
            if verdict.best(person.findings(signal)) is None:
                positions.add(None)
            return Outcome(REGULAR, reason, client=finding.position, other_clients=frozenset(positions))
    finding_or_none = verdict.best(person.findings(signal))
    if finding_or_none is None:
        return NOBODY
    finding = finding_or_none
    assert finding.reason is not None
    if not finding.is_hit:
        return Outcome(REGULAR, finding.reason, client=finding.position)
    return Outcome(
        route=COUNSELLOR,
        reason=finding.reason,
        trajectory_id=finding.trajectory.id,
        client=finding.position,
        window_ends_on=finding.window_ends_on,
        debt_timing=verdict.debt_timing(finding, signal),
        trajectory_state=verdict.standing(finding, signal),
        counsellor=finding.trajectory.counsellor,
        matched_by=matched_by,
    )


def _address_only(signal: Signal, persons: list[Person], living_there: int) -> Outcome:
    """No proof who it is: those who, confirmed, would be a hit; nobody when none would be."""
    candidates: list[tuple[str, int]] = []
    surname = folded_surname(signal.record["subject"]["surname"] or "")
    names: list[str] = []
    for person in persons:
        if _decide(person, signal, "ADDRESS").route == COUNSELLOR:
            finding = verdict.best(person.findings(signal))
            assert finding is not None
            candidates.append((finding.trajectory.id, finding.position))
            names += [folded_surname(client.surname or "") for client in person.clients]
    if not candidates:
        return NOBODY
    if living_there > MOST_PERSONS:
        return Outcome(REGULAR, "ADDRESS_ONLY_MATCH", matched_by="ADDRESS")
    return Outcome(
        route=REGULAR,
        reason="ADDRESS_ONLY_MATCH",
        candidates=tuple(sorted(candidates)),
        evidence="NAME" if surname and surname in names else None,
        matched_by="ADDRESS",
    )
