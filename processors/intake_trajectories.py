"""Intake of lifecycle events: a table of facts per trajectory, and every change out as a whole (design 1, 2).

In: TrajectoryEvents and IntakeCommands. Out: the trajectory under each of its match keys and on
`trajectory-states`; dead letters for what waited in vain for its APPLIED. The same event again says nothing.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from signaalwissel.processors.clients import fold_clients
from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.emissions import RESIDENT_EVENTS, TRAJECTORY_STATES, Emission
from signaalwissel.processors.facts import fact_of, merged
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.intake_signals import known_policy
from signaalwissel.processors.matcher_state import Table
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider, seal
from signaalwissel.processors.stamped import record_in, stamp
from signaalwissel.processors.validation import check_event, concerns_one_client, must_name_its_client
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    trajectory_body,
    write_intake_trajectory,
    write_keyed_trajectory,
    write_trajectory_state,
)
from signaalwissel.schemas.internal import Fact, IntakeTrajectory, SealedIdentity, WaitingEvent
from signaalwissel.schemas.trajectory import SealedClients, TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)
_COUPLE = 2
_FACTS_MAX = 1000
"""Events of one trajectory: a hundred times what a long one has, and well below what a record may hold."""


class IntakeTrajectories:
    """Keeps the facts of trajectories.

    Args:
        policies: The policy of each municipality.
        publishers: What each input topic may speak for.
        keys: Where secrets come from.
        nonce: Gives 12 fresh random bytes.
        dead_letters: Makes the dead letters of events that waited.
    """

    def __init__(
        self,
        policies: Policies,
        publishers: Publishers,
        keys: KeyProvider,
        nonce: Callable[[], bytes],
        dead_letters: DeadLetters,
    ) -> None:
        self._policies = policies
        self._publishers = publishers
        self._keys = keys
        self._nonce = nonce
        self._dead_letters = dead_letters

    @staticmethod
    def about(event: TrajectoryEvent) -> About:
        """What may be shown of an event that is refused."""
        return About(event.municipality, event.event_id)

    def step(self, table: Table, event: TrajectoryEvent, source: Source) -> list[Emission]:
        """Take an event.

        Args:
            table: Trajectories by key.
            event: The event, decoded from `source.value`.
            source: The record that it came in.

        Raises:
            Rejected: A rule of domain 8.16, or the allow-list, refuses it.
            KeyUnavailable: A key cannot be had: nothing may go on.
        """
        check_event(event)
        known_policy(event.municipality, self._policies, self._keys)
        self._publishers.check(source.topic, event.municipality)
        stored = self.stored(table, event.municipality, event.trajectory_id)
        if stored.erased:
            # Erased is for good: a late event brings nothing back (design 2).
            return []
        if event.kind is TrajectoryEventKind.ERASED:
            return self.erase(table, stored, event.event_id, source.timestamp)
        pseudonyms = self._keys.pseudonym_keys(event.municipality)
        fact = fact_of(event, map(pseudonyms.pseudonym, event.clients))
        facts = merged(stored.facts, fact)
        if facts == stored.facts:
            return []
        if len(facts) > _FACTS_MAX:
            raise Rejected(
                RejectionCode.TOO_LARGE, "trajectory_id", f"a trajectory has at most {_FACTS_MAX} events"
            )
        changed = self._with_clients(stored._replace(facts=facts, caused_by_event_id=event.event_id), event)
        if not _applied(facts):
            waiting = (*stored.waiting, self._waiting(event, source))
            self._keep(table, changed._replace(waiting=waiting), source.timestamp)
            return []
        if _must_name(fact) and not fact.clients and len(fold_clients(facts)) == _COUPLE:
            raise must_name_its_client()
        released, refused = self._released(changed)
        return [*refused, *self.publish(table, released, source.timestamp)]

    def expire(self, table: Table, key: bytes, now: Millis) -> list[Emission]:
        """Make dead letters of events that waited longer than the policy's `orphan_days` for their APPLIED."""
        value = table.get(key)
        if value is None:
            return []
        stored = read_intake_trajectory(record_in(value))
        policy = self._policies.get(stored.municipality)
        if not stored.waiting or policy is None:
            return []
        days = policy.intake.orphan_days
        if now - min(event.timestamp for event in stored.waiting) <= days * _DAY_MS:
            return []
        rule = f"its trajectory had no APPLIED within {days} days"
        refusal = Rejected(RejectionCode.ORPHANED_EVENT, "trajectory_id", rule)
        del table[key]
        return [self._refused(event, refusal, stored.municipality) for event in stored.waiting]

    def stored(self, table: Table, municipality: str, trajectory_id: str) -> IntakeTrajectory:
        """The trajectory as the table has it, or an empty one."""
        value = table.get(trajectory_key(municipality, trajectory_id))
        if value is not None:
            return read_intake_trajectory(record_in(value))
        return IntakeTrajectory(municipality, trajectory_id, 0, False, "", (), (), (), ())

    def erase(self, table: Table, stored: IntakeTrajectory, caused_by: str, now: Millis) -> list[Emission]:
        """Erase a trajectory for good; what its signals become is the matcher's."""
        emptied = stored._replace(
            erased=True, caused_by_event_id=caused_by, facts=(), identities=(), waiting=()
        )
        emissions = self.publish(table, emptied, now)
        # The keys are what links the trajectory to people: they go once the matcher has been told.
        self._keep(table, emptied._replace(version=emptied.version + 1, match_keys=()), now)
        return emissions

    def publish(self, table: Table, trajectory: IntakeTrajectory, now: Millis) -> list[Emission]:
        """Keep a changed trajectory and publish it whole, under each of its match keys."""
        published = trajectory._replace(version=trajectory.version + 1)
        body = self._keep(table, published, now)
        record = write_keyed_trajectory(body)
        state = write_trajectory_state(body, () if published.erased else published.match_keys)
        key = trajectory_key(published.municipality, published.trajectory_id)
        return [
            *(Emission(RESIDENT_EVENTS, match_key, record) for match_key in published.match_keys),
            Emission(TRAJECTORY_STATES, key, state),
        ]

    @staticmethod
    def is_waiting(table: Table, key: bytes) -> bool:
        """Whether events of this trajectory wait for their APPLIED."""
        value = table.get(key)
        return value is not None and bool(read_intake_trajectory(record_in(value)).waiting)

    def _with_clients(self, trajectory: IntakeTrajectory, event: TrajectoryEvent) -> IntakeTrajectory:
        """The trajectory with the match keys and the sealed identity of the clients that an event lists."""
        if not event.clients:
            return trajectory
        pseudonyms = self._keys.pseudonym_keys(event.municipality)
        keys = set(trajectory.match_keys)
        for client in event.clients:
            keys.update(pseudonyms.trajectory_match_keys(client))
        body = codec("SealedClients").encode_body(SealedClients(event.clients))
        belongs_to = f"IntakeTrajectory/{event.municipality}/{event.trajectory_id}/{event.event_id}"
        sealed = seal(body, self._keys.identity_key(event.municipality), belongs_to, self._nonce())
        others = (item for item in trajectory.identities if item.event_id != event.event_id)
        return trajectory._replace(
            match_keys=tuple(sorted(keys)), identities=(*others, SealedIdentity(event.event_id, sealed))
        )

    def _released(self, trajectory: IntakeTrajectory) -> tuple[IntakeTrajectory, list[Emission]]:
        """What waited is let in with its APPLIED, but for events that should have named their client."""
        if not trajectory.waiting or len(fold_clients(trajectory.facts)) < _COUPLE:
            return trajectory._replace(waiting=()), []
        nameless = {fact.event_id for fact in trajectory.facts if _must_name(fact) and not fact.clients} & {
            event.event_id for event in trajectory.waiting
        }
        facts = tuple(fact for fact in trajectory.facts if fact.event_id not in nameless)
        refused = [
            self._refused(event, must_name_its_client(), trajectory.municipality)
            for event in trajectory.waiting
            if event.event_id in nameless
        ]
        return trajectory._replace(facts=facts, waiting=()), refused

    @staticmethod
    def _keep(table: Table, trajectory: IntakeTrajectory, now: Millis) -> bytes:
        body = trajectory_body(trajectory)
        table[trajectory_key(trajectory.municipality, trajectory.trajectory_id)] = stamp(
            write_intake_trajectory(trajectory, body), now
        )
        return body

    def _waiting(self, event: TrajectoryEvent, source: Source) -> WaitingEvent:
        sealed = self._dead_letters.sealed(source, event.municipality)
        return WaitingEvent(
            event.event_id, source.topic, source.partition, source.offset, source.timestamp, sealed
        )

    def _refused(self, event: WaitingEvent, refusal: Rejected, municipality: str) -> Emission:
        source = Source(event.topic, event.partition, event.offset, event.timestamp, None, None)
        return self._dead_letters.of_sealed(
            source, event.sealed, refusal, About(municipality, event.event_id)
        )


def _applied(facts: Iterable[Fact]) -> bool:
    return any(fact.kind is TrajectoryEventKind.APPLIED for fact in facts)


def _must_name(fact: Fact) -> bool:
    return concerns_one_client(fact.kind, fact.exit_reason)
