"""The decision: one signal, the trajectories at its match key, what people said of it, the policy (design 4).

`decide` is pure: no clock, no input or output, no logging. Precedence and edge cases are those of domain 8.2 - 8.8.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from signaalwissel.processors.periods import Days
from signaalwissel.processors.persons import Person, PersonalFinding, find, person_with_bsn, persons_at
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.standing import Standing
from signaalwissel.processors.trajectory import Trajectory
from signaalwissel.schemas.internal import KeyedSignal
from signaalwissel.schemas.routing import Candidate, Evidence, MatchedBy, Route, TrueReason

_REGULAR: Final = Route.REGULAR_FLOW
_COUNSELLOR: Final = Route.COUNSELLOR_FOLLOWUP
_NO_TRAJECTORY: Final = TrueReason.NO_TRAJECTORY
_ADDRESS_ONLY: Final = TrueReason.ADDRESS_ONLY_MATCH
_BY_BSN: Final = MatchedBy.BSN
_BY_ADDRESS: Final = MatchedBy.ADDRESS


class Effects(NamedTuple):
    """What people said of a signal; the next event does not undo it."""

    confirmed: Candidate | None = None
    refuted: tuple[Candidate, ...] = ()


class Verdict(NamedTuple):
    """The answer for one signal. `standing` is there whenever a trajectory was found for a certain person."""

    route: Route
    reason: TrueReason
    standing: Standing | None = None
    matched_by: MatchedBy | None = None
    evidence: Evidence | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def trajectory_id(self) -> str | None:
        """The trajectory, also where the route is regular."""
        return None if self.standing is None else self.standing.trajectory.trajectory_id

    @property
    def address_only(self) -> bool:
        """Whether somebody must verify who the resident is."""
        return self.reason is _ADDRESS_ONLY


NOBODY: Final = Verdict(_REGULAR, _NO_TRAJECTORY)
"""The decision as if nobody known lived there."""


def decide(
    signal: KeyedSignal, trajectories: Sequence[Trajectory], effects: Effects, policy: Policy
) -> Verdict:
    """Decide a signal.

    Args:
        signal: The signal as intake sent it.
        trajectories: Those at its match key, folded from the facts within its horizon.
        effects: Identity confirmed or refuted by a person.
        policy: The municipality's policy.
    """
    if not trajectories:
        return NOBODY
    days = Days(signal.reference_date, signal.last_day)
    if signal.pseudonym.bsn is not None:
        return _certain(person_with_bsn(trajectories, signal.pseudonym.bsn), _BY_BSN, days, policy)
    persons = persons_at(trajectories, signal.pseudonym.address, days)
    if effects.confirmed is not None:
        return _confirmed(persons, effects.confirmed, days, policy)
    return _by_address(signal, persons, effects, policy)


def _certain(person: Person, matched_by: MatchedBy, days: Days, policy: Policy) -> Verdict:
    return _verdict(find(person, days, policy), matched_by)


def _confirmed(persons: Sequence[Person], confirmed: Candidate, days: Days, policy: Policy) -> Verdict:
    for person in persons:
        if person.is_client(*confirmed):
            return _certain(person, _BY_ADDRESS, days, policy)
    # Whoever was confirmed is no longer known there, and nobody else is he.
    return NOBODY


def _by_address(signal: KeyedSignal, persons: Sequence[Person], effects: Effects, policy: Policy) -> Verdict:
    days = Days(signal.reference_date, signal.last_day)
    birth_date = signal.pseudonym.birth_date
    pool = persons
    if birth_date is not None:
        same = [person for person in persons if birth_date in person.birth_dates()]
        if len(same) == 1:
            return _certain(same[0], MatchedBy.ADDRESS_AND_BIRTH_DATE, days, policy)
        # A different birth date is another person; without one he may be the one (domain 8.8).
        pool = same + [person for person in persons if not person.birth_dates()]
    hits = [
        (person, hit)
        for person in pool
        if (hit := find(person, days, policy).hit) is not None
        and not any(person.is_client(*refuted) for refuted in effects.refuted)
    ]
    if not hits:
        return NOBODY
    if len(persons) > policy.identity.address_persons_max:
        # Nobody verifies a house full of people; the sink counts it (domain 8.8).
        return _address_only((), None)
    return _possible(signal, hits, policy)


def _possible(signal: KeyedSignal, hits: Sequence[tuple[Person, Standing]], policy: Policy) -> Verdict:
    surname = signal.pseudonym.surname
    named = [hit for person, hit in hits if surname is not None and surname in person.surnames()]
    evidence = Evidence.NAME if named else None
    if named and policy.identity.name_and_address == "hit":
        # Of two clients of one trajectory the first.
        best = max(named, key=lambda hit: (hit.preference, -hit.client))
        return Verdict(_COUNSELLOR, best.reason, best, _BY_ADDRESS, evidence)
    candidates = sorted(Candidate(hit.trajectory.trajectory_id, hit.client) for _, hit in hits)
    return _address_only(tuple(candidates), evidence)


def _address_only(candidates: tuple[Candidate, ...], evidence: Evidence | None) -> Verdict:
    return Verdict(
        _REGULAR,
        _ADDRESS_ONLY,
        matched_by=_BY_ADDRESS,
        evidence=evidence,
        candidates=candidates,
    )


def _verdict(found: PersonalFinding, matched_by: MatchedBy) -> Verdict:
    if found.reason is _NO_TRAJECTORY:
        return NOBODY
    route = _REGULAR if found.hit is None else _COUNSELLOR
    return Verdict(route, found.reason, found.standing, matched_by)
