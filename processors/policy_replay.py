"""What another policy would have answered to signals that were decided: from the audit trail and today's trajectories.

In: the last decision on each signal, the trajectories of the municipality, a policy. Out: an answer per signal, to be
compared with that of another policy. Whoever was found certainly is tested again with all of his trajectories; of an
address-only match the candidates are. A signal for which nobody was found says nothing of who the resident is, so it is
not tested again, but counted. Commands of people (`ALSO_OFFERED`, a refuted identity) stand outside of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.comparison import Answer, Delivery
from signaalwissel.processors.facts import horizon_of, within_horizon
from signaalwissel.processors.followup_deadlines import contact_due_on, verify_due_on
from signaalwissel.processors.periods import Days
from signaalwissel.processors.persons import Membership, Person, find
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.standing import Standing
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.routing import Candidate, Evidence, MatchedBy, Route, TrueReason

_NOBODY = (Route.REGULAR_FLOW, TrueReason.NO_TRAJECTORY)


class Decided(NamedTuple):
    """The last decision on a signal, as much of it as a policy can change.

    `client` is the position of the person who was found for certain; None where none was.
    """

    delivery: Delivery
    reference_date: date
    last_day: date
    crisis: bool
    trajectory_id: str | None
    client: int | None
    matched_by: MatchedBy | None
    evidence: Evidence | None
    candidates: tuple[Candidate, ...]


class Known(NamedTuple):
    """A trajectory of the municipality as its facts are today."""

    trajectory_id: str
    facts: tuple[Fact, ...]


class Replay:
    """The signals and the trajectories, to be answered under one policy after the other.

    Args:
        decided: The last decision on each signal.
        known: Every trajectory of the municipality: a returning client has several.
    """

    def __init__(self, decided: Sequence[Decided], known: Iterable[Known]) -> None:
        self._known = {one.trajectory_id: one for one in known}
        self._of_person: defaultdict[bytes, set[str]] = defaultdict(set)
        for one in self._known.values():
            for fact in one.facts:
                for client in fact.clients:
                    if client.bsn is not None:
                        self._of_person[client.bsn].add(one.trajectory_id)
        self._decided = [signal for signal in decided if self._can_be_tested(signal)]
        self.untested = len(decided) - len(self._decided)
        """Signals that say nothing of who the resident is, or whose trajectory is not there any more."""

    @property
    def tested(self) -> int:
        """Signals that are answered."""
        return len(self._decided)

    def answers(self, policy: Policy) -> dict[Delivery, Answer]:
        """The answer to each signal under a policy."""
        return {signal.delivery: self._answer(signal, policy) for signal in self._decided}

    def _can_be_tested(self, signal: Decided) -> bool:
        if signal.candidates:
            return all(one.trajectory_id in self._known for one in signal.candidates)
        return signal.client is not None and signal.trajectory_id in self._known

    def _answer(self, signal: Decided, policy: Policy) -> Answer:
        if signal.candidates:
            return self._of_candidates(signal, policy)
        days = Days(signal.reference_date, signal.last_day)
        person = self._person(signal, Candidate(signal.trajectory_id or "", signal.client or 0), policy)
        found = None if person is None else find(person, days, policy)
        if found is None or found.reason is TrueReason.NO_TRAJECTORY:
            return Answer(*_NOBODY, None, None, None, None)
        if found.hit is None:
            return Answer(Route.REGULAR_FLOW, found.reason, None, None, None, None)
        return _contact(signal, found.hit, policy)

    def _of_candidates(self, signal: Decided, policy: Policy) -> Answer:
        days = Days(signal.reference_date, signal.last_day)
        hits = []
        for candidate in signal.candidates:
            person = self._person(signal, candidate, policy)
            hit = None if person is None else find(person, days, policy).hit
            if hit is not None:
                hits.append(hit)
        if not hits:
            return Answer(*_NOBODY, None, None, None, None)
        # Which of several bears the name is not told: while all of them are hits, he is; the best stands for him.
        named = signal.evidence is Evidence.NAME
        if named and policy.identity.name_and_address == "hit" and len(hits) == len(signal.candidates):
            best = max(hits, key=lambda hit: (hit.preference, -hit.client))
            return _contact(signal, best, policy)
        due_on = verify_due_on(signal.last_day, named=named, policy=policy)
        team = policy.teams.default
        return Answer(Route.REGULAR_FLOW, TrueReason.ADDRESS_ONLY_MATCH, None, None, team, due_on.isoformat())

    def _person(self, signal: Decided, client: Candidate, policy: Policy) -> Person | None:
        """The person who is this client, with what of him counts for a signal that was matched as it was."""
        trajectory = self._folded(client.trajectory_id, signal, policy)
        if trajectory is None or client.client >= len(trajectory.clients):
            return None
        itself = Membership(trajectory, client.client)
        bsn = itself.client.identity.bsn
        if bsn is None:
            return Person((itself,), (itself,))
        others = (self._folded(name, signal, policy) for name in sorted(self._of_person[bsn]))
        everywhere = tuple(
            Membership(other, position)
            for other in others
            if other is not None
            for position, one in enumerate(other.clients)
            if one.identity.bsn == bsn
        )
        if signal.matched_by is MatchedBy.BSN:
            return Person(everywhere, everywhere)
        addresses = _addresses(itself, signal)
        here = tuple(one for one in everywhere if addresses & _addresses(one, signal))
        return Person(everywhere, here or (itself,))

    def _folded(self, trajectory_id: str, signal: Decided, policy: Policy) -> Trajectory | None:
        facts = within_horizon(self._known[trajectory_id].facts, horizon_of(signal.last_day, policy))
        return fold(trajectory_id, facts)


def _contact(signal: Decided, hit: Standing, policy: Policy) -> Answer:
    counsellor = hit.trajectory.counsellor
    may_own = counsellor is not None and policy.teams.may_own(counsellor.counsellor_id)
    due_on = contact_due_on(signal.last_day, crisis=signal.crisis, policy=policy)
    return Answer(
        Route.COUNSELLOR_FOLLOWUP,
        hit.reason,
        hit.trajectory.trajectory_id,
        counsellor.counsellor_id if counsellor is not None and may_own else None,
        (counsellor.team if counsellor is not None else None) or policy.teams.default,
        due_on.isoformat(),
    )


def _addresses(membership: Membership, signal: Decided) -> set[bytes]:
    days = Days(signal.reference_date, signal.last_day)
    return {stay.address for stay in membership.client.identity.stays if stay.days.meet(days)}
