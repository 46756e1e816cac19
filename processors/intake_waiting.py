"""What waits in intake: for its application, or until it is certain whom it concerns (domain 8.16; design 2).

In: a trajectory as intake keeps it. Out: the trajectory without what need not wait any more, and dead letters. Each
record waits for itself, from its own arrival; its original is kept sealed as long as it may become a dead letter.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.emissions import INTAKE_COMMANDS, Emission
from signaalwissel.processors.facts import applied, order_of
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import must_name_its_client
from signaalwissel.schemas.internal import IntakeTrajectory, WaitingEvent
from signaalwissel.schemas.units import Millis

_DAY_MS = timedelta(days=1) // timedelta(milliseconds=1)


class Expired(NamedTuple):
    """A trajectory after what waited too long has gone: its dead letters, and the ids of facts that went."""

    trajectory: IntakeTrajectory
    letters: list[Emission]
    lost: list[str]


class WaitingRoom:
    """Keeps originals of what may still become a dead letter.

    Args:
        dead_letters: Makes the dead letters.
    """

    def __init__(self, dead_letters: DeadLetters) -> None:
        self._dead_letters = dead_letters

    def seated(self, trajectory: IntakeTrajectory, event_id: str, source: Source) -> IntakeTrajectory:
        """The trajectory with a record in the waiting room; it replaces an earlier record of the same event."""
        sealed = self._dead_letters.sealed(source, trajectory.municipality)
        entry = WaitingEvent(
            event_id, source.topic, source.partition, source.offset, source.timestamp, sealed
        )
        others = (other for other in trajectory.waiting if other.event_id != event_id)
        return trajectory._replace(waiting=(*others, entry))

    @staticmethod
    def let_in(trajectory: IntakeTrajectory) -> IntakeTrajectory:
        """The trajectory once its application has come: commands that waited stand behind what was told so far."""
        commands = {entry.event_id for entry in trajectory.waiting if entry.topic == INTAKE_COMMANDS}
        latest = max(fact.sequence for fact in trajectory.facts if fact.event_id not in commands)
        arrived = [entry.event_id for entry in trajectory.waiting]
        facts = (
            fact._replace(sequence=latest + 1 + arrived.index(fact.event_id))
            if fact.event_id in commands
            else fact
            for fact in trajectory.facts
        )
        return trajectory._replace(facts=tuple(sorted(facts, key=order_of)))

    def reviewed(self, trajectory: IntakeTrajectory) -> tuple[IntakeTrajectory, list[Emission]]:
        """Let go of what is certain by now, and refuse what should have named its client."""
        if not trajectory.waiting:
            return trajectory, []
        roster = Roster(trajectory.facts)
        facts = {fact.event_id: fact for fact in trajectory.facts}
        left: list[WaitingEvent] = []
        nameless: list[WaitingEvent] = []
        for entry in trajectory.waiting:
            concern = roster.concern(facts[entry.event_id])
            if concern.must_name:
                nameless.append(entry)
            elif not concern.certain:
                left.append(entry)
        letters = [self._refused(trajectory, entry, must_name_its_client()) for entry in nameless]
        changed = trajectory._replace(waiting=tuple(left))
        return _without(changed, {entry.event_id for entry in nameless}), letters

    def expired(self, trajectory: IntakeTrajectory, now: Millis, days: int) -> Expired:
        """Let go of what waited longer than `days`; what concerns nobody until now becomes a dead letter."""
        late = [entry for entry in trajectory.waiting if now - entry.timestamp > days * _DAY_MS]
        has_begun = applied(trajectory.facts)
        roster = Roster(trajectory.facts)
        facts = {fact.event_id: fact for fact in trajectory.facts}
        lost = [
            entry for entry in late if not has_begun or not roster.concern(facts[entry.event_id]).positions
        ]
        refusal = _orphaned(days, has_begun)
        letters = [self._refused(trajectory, entry, refusal) for entry in lost]
        left = trajectory._replace(waiting=tuple(one for one in trajectory.waiting if one not in late))
        ids = [entry.event_id for entry in lost]
        return Expired(_without(left, ids), letters, ids)

    def _refused(self, trajectory: IntakeTrajectory, entry: WaitingEvent, refusal: Rejected) -> Emission:
        source = Source(entry.topic, entry.partition, entry.offset, entry.timestamp, None, None)
        about = About(trajectory.municipality, entry.event_id)
        return self._dead_letters.of_sealed(source, entry.sealed, refusal, about)


def last_moment(trajectory: IntakeTrajectory, days: int) -> Millis | None:
    """The last instant at which nothing that waits has waited longer than `days`; None where nothing waits."""
    if not trajectory.waiting:
        return None
    return min(entry.timestamp for entry in trajectory.waiting) + days * _DAY_MS


def _orphaned(days: int, has_begun: bool) -> Rejected:
    if has_begun:
        rule = f"names no client of its trajectory within {days} days"
        return Rejected(RejectionCode.ORPHANED_EVENT, "clients", rule)
    rule = f"its trajectory had no APPLIED within {days} days"
    return Rejected(RejectionCode.ORPHANED_EVENT, "trajectory_id", rule)


def _without(trajectory: IntakeTrajectory, ids: Collection[str]) -> IntakeTrajectory:
    if not ids:
        return trajectory
    return trajectory._replace(
        facts=tuple(fact for fact in trajectory.facts if fact.event_id not in ids),
        identities=tuple(item for item in trajectory.identities if item.event_id not in ids),
    )
