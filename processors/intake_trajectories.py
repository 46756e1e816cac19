"""Intake of lifecycle events: a table of facts per trajectory, and every change out as a whole (design 1, 2).

In: TrajectoryEvents and IntakeCommands. Out: the trajectory under each of its match keys and on
`trajectory-states`; dead letters for what waited in vain. The same event again says nothing.
"""

from collections.abc import Callable, Iterable

from signaalwissel.processors.clients import LISTING
from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.emissions import RESIDENT_EVENTS, TRAJECTORY_STATES, Emission
from signaalwissel.processors.erased_clients import erased_positions, without_erased
from signaalwissel.processors.facts import applied, fact_of, merged
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.processors.intake_erasure import gone_at, open_clients, seal_clients, without_client
from signaalwissel.processors.intake_signals import known_policy
from signaalwissel.processors.intake_waiting import WaitingRoom, last_moment
from signaalwissel.processors.matcher_state import Table
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.pseudonyms import secret_version
from signaalwissel.processors.publishers import Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.stamped import record_in, stamp, written_at
from signaalwissel.processors.validation import check_event, check_published, must_name_its_client
from signaalwissel.schemas.fact_codec import (
    read_intake_trajectory,
    trajectory_body,
    write_intake_trajectory,
    write_keyed_trajectory,
    write_trajectory_state,
)
from signaalwissel.schemas.internal import Fact, IntakeCommand, IntakeTrajectory, SealedIdentity
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_FACTS_MAX = 1000
"""Events of one trajectory: a hundred times what a long one has, and well below what a record may hold."""


class IntakeTrajectories:
    """Keeps the facts of trajectories.

    Args:
        policies: The policy of each municipality.
        publishers: What each input topic may speak for.
        keys: Where secrets come from.
        nonce: Gives 12 fresh random bytes.
        dead_letters: Makes the dead letters of what waited.
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
        self._waiting_room = WaitingRoom(dead_letters)

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
        self.check(event, source.topic)
        check_published(event.recorded_at, source.timestamp, "recorded_at")
        stored = self.stored(table, event.municipality, event.trajectory_id)
        if stored.erased:
            # Erased is for good: a late event brings nothing back (design 2).
            return []
        if event.kind is TrajectoryEventKind.ERASED:
            return self.erase(table, stored, event.event_id, source.timestamp)
        pseudonyms = self._keys.pseudonym_keys(event.municipality)
        fact: Fact | None = fact_of(event, map(pseudonyms.pseudonym, event.clients))
        if erased := erased_positions(stored.facts):
            fact = None if fact is None else without_erased(fact, erased, Roster(stored.facts).named)
        if fact is None:
            # It was about an erased client alone.
            return []
        return self.take(table, self._with_clients(stored, event, erased), fact, source)

    def check(self, event: TrajectoryEvent, topic: str) -> None:
        """Refuse an event that is bad whatever else is known; raises Rejected."""
        check_event(event)
        self.policy_of(event.municipality)
        self._publishers.check(topic, event.municipality)

    def policy_of(self, municipality: str) -> Policy:
        """The policy of a municipality that has policy and keys; raises Rejected for any other."""
        return known_policy(municipality, self._policies, self._keys)

    def take(self, table: Table, trajectory: IntakeTrajectory, fact: Fact, source: Source) -> list[Emission]:
        """Take a fact: keep it, publish what changed, and keep its original while it may become a dead letter.

        Args:
            table: Trajectories by key.
            trajectory: What was known, with whatever else the event brings.
            fact: What an event or a command states.
            source: The record that it came in.

        Raises:
            Rejected: There are too many facts, or it must name the client that it concerns.
        """
        facts = merged(trajectory.facts, fact)
        if facts == trajectory.facts:
            return []
        if len(facts) > _FACTS_MAX:
            rule = f"a trajectory has at most {_FACTS_MAX} events"
            raise Rejected(RejectionCode.TOO_LARGE, "trajectory_id", rule)
        concern = Roster(facts).concern(fact)
        if concern.must_name and applied(facts):
            raise must_name_its_client()
        changed = trajectory._replace(facts=facts, caused_by_event_id=fact.event_id)
        if not (applied(facts) and concern.certain):
            changed = self._waiting_room.seated(changed, fact.event_id, source)
        if not applied(facts):
            self._keep(table, changed, source.timestamp)
            return []
        if not applied(trajectory.facts):
            changed = self._waiting_room.let_in(changed)
        reviewed, refused = self._waiting_room.reviewed(changed)
        return [*refused, *self.publish(table, reviewed, source.timestamp)]

    def expire(self, table: Table, key: bytes, now: Millis) -> list[Emission]:
        """Make dead letters of what waited longer than the policy's `orphan_days`; what concerns somebody stays."""
        value = table.get(key)
        if value is None:
            return []
        stored = read_intake_trajectory(record_in(value))
        days = self._orphan_days(stored)
        last = last_moment(stored, days) if days is not None else None
        if days is None or last is None or now <= last:
            return []
        left, letters, lost = self._waiting_room.expired(stored, now, days)
        if not left.facts:
            del table[key]
        elif lost and applied(left.facts):
            return [*letters, *self.publish(table, left._replace(caused_by_event_id=lost[0]), now)]
        else:
            self._keep(table, left, now)
        return letters

    def waits_until(self, table: Table, key: bytes) -> Millis | None:
        """The last instant at which nothing of this trajectory has waited too long; None where nothing waits."""
        value = table.get(key)
        if value is None:
            return None
        stored = read_intake_trajectory(record_in(value))
        days = self._orphan_days(stored)
        return None if days is None else last_moment(stored, days)

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

    def rekey(self, table: Table, key: bytes) -> list[Emission]:
        """Bring a trajectory under the match keys that its municipality works with now (ADR 8).

        The clients come from their seals. Out: the trajectory under the keys that are new, and its state; nothing
        where its keys are as they must be. Nothing that could change a route changes.

        Raises:
            KeyUnavailable: A key cannot be had: nothing may go on.
        """
        value = table.get(key)
        if value is None:
            return []
        stored = read_intake_trajectory(record_in(value))
        wanted = self._match_keys(stored)
        if wanted == stored.match_keys:
            return []
        changed, moment = stored._replace(match_keys=wanted), written_at(value)
        if not applied(stored.facts):
            self._keep(table, changed, moment)
            return []
        added = [match_key for match_key in wanted if match_key not in stored.match_keys]
        return self._publish_under(added, table, changed, moment)

    def erase_client(
        self, table: Table, stored: IntakeTrajectory, command: IntakeCommand, now: Millis
    ) -> list[Emission]:
        """Erase one client and his signals; the trajectory goes on for the other, if there is one left."""
        left = without_client(stored, command, self._keys, self._nonce)
        if left.trajectory is None:
            return [*left.commands, *self.erase(table, stored, command.command_id, now)]
        told = self.publish(table, left.trajectory, now)
        return [*left.commands, *gone_at(left.gone_keys, left.trajectory), *told]

    def publish(self, table: Table, trajectory: IntakeTrajectory, now: Millis) -> list[Emission]:
        """Keep a changed trajectory and publish it whole, under each of its match keys."""
        return self._publish_under(trajectory.match_keys, table, trajectory, now)

    def _publish_under(
        self, match_keys: Iterable[bytes], table: Table, trajectory: IntakeTrajectory, now: Millis
    ) -> list[Emission]:
        published = trajectory._replace(version=trajectory.version + 1)
        body = self._keep(table, published, now)
        record = write_keyed_trajectory(body)
        state = write_trajectory_state(body, () if published.erased else published.match_keys)
        key = trajectory_key(published.municipality, published.trajectory_id)
        return [
            *(Emission(RESIDENT_EVENTS, match_key, record) for match_key in match_keys),
            Emission(TRAJECTORY_STATES, key, state),
        ]

    def _match_keys(self, trajectory: IntakeTrajectory) -> tuple[bytes, ...]:
        """The match keys under the secrets in use: those that it has, and those of all its clients."""
        pseudonyms = self._keys.pseudonym_keys(trajectory.municipality)
        versions = {secret.version for secret in pseudonyms.trajectory_secrets}
        found = {key for key in trajectory.match_keys if secret_version(key) in versions}
        for identity in trajectory.identities:
            for client in open_clients(trajectory, identity, self._keys):
                found.update(pseudonyms.trajectory_match_keys(client))
        return tuple(sorted(found))

    def _with_clients(
        self, trajectory: IntakeTrajectory, event: TrajectoryEvent, erased: frozenset[int]
    ) -> IntakeTrajectory:
        """The trajectory with the match keys and the sealed identity of the clients that an event lists."""
        if event.kind not in LISTING:
            return trajectory
        pseudonyms = self._keys.pseudonym_keys(event.municipality)
        keys = set(trajectory.match_keys)
        clients = tuple(Subject() if i in erased else client for i, client in enumerate(event.clients))
        for client in clients:
            keys.update(pseudonyms.trajectory_match_keys(client))
        sealed = seal_clients(trajectory, event.event_id, clients, self._keys, self._nonce)
        others = (item for item in trajectory.identities if item.event_id != event.event_id)
        return trajectory._replace(
            match_keys=tuple(sorted(keys)), identities=(*others, SealedIdentity(event.event_id, sealed))
        )

    @staticmethod
    def _keep(table: Table, trajectory: IntakeTrajectory, now: Millis) -> bytes:
        body = trajectory_body(trajectory)
        table[trajectory_key(trajectory.municipality, trajectory.trajectory_id)] = stamp(
            write_intake_trajectory(trajectory, body), now
        )
        return body

    def _orphan_days(self, trajectory: IntakeTrajectory) -> int | None:
        # A municipality whose policy is gone decides nothing: throwing its events away would be worse.
        policy = self._policies.get(trajectory.municipality)
        return None if policy is None else policy.intake.orphan_days


def _identity_of(municipality: str, trajectory_id: str, event_id: str) -> str:
    """What the sealed clients of an event are bound to (design 7)."""
    return f"IntakeTrajectory/{municipality}/{trajectory_id}/{event_id}"
