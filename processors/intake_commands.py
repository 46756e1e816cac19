"""Commands from the sink to intake: erase a trajectory, record an objection or a death (design 1).

In: an IntakeCommand. Out: the changed trajectory under all its match keys, as a lifecycle event would bring it. The
command id is the event id, so a command that was seen says nothing.
"""

from signaalwissel.processors.clients import fold_clients
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.facts import merged
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher_state import Table
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_command
from signaalwissel.schemas.internal import (
    ClientPseudonym,
    Fact,
    IntakeCommand,
    IntakeCommandKind,
    IntakeTrajectory,
)
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind
from signaalwissel.schemas.units import Millis

_KINDS = {
    IntakeCommandKind.OBJECT: TrajectoryEventKind.OBJECTION_LODGED,
    IntakeCommandKind.WITHDRAW_OBJECTION: TrajectoryEventKind.OBJECTION_WITHDRAWN,
    IntakeCommandKind.DECEASED: TrajectoryEventKind.EXITED,
}


class IntakeCommands:
    """Carries out commands.

    Args:
        trajectories: Keeps and publishes the trajectories.
    """

    def __init__(self, trajectories: IntakeTrajectories) -> None:
        self._trajectories = trajectories

    def step(self, table: Table, command: IntakeCommand, now: Millis) -> list[Emission]:
        """Carry out a command.

        Raises:
            Rejected: The trajectory, or the client, is not known.
        """
        check_command(command)
        stored = self._trajectories.stored(table, command.municipality, command.trajectory_id)
        if stored.erased:
            return []
        if command.kind is IntakeCommandKind.ERASE:
            # Also before the trajectory is known: what comes after it must not bring anything back.
            return self._trajectories.erase(table, stored, command.command_id, now)
        if not stored.version:
            rule = "the command is about a trajectory that is not known"
            raise Rejected(RejectionCode.UNKNOWN_TRAJECTORY, "trajectory_id", rule)
        facts = merged(stored.facts, _fact(command, stored))
        if facts == stored.facts:
            return []
        changed = stored._replace(facts=facts, caused_by_event_id=command.command_id)
        return self._trajectories.publish(table, changed, now)


def _fact(command: IntakeCommand, stored: IntakeTrajectory) -> Fact:
    return Fact(
        event_id=command.command_id,
        # Behind everything that the case system has told so far.
        sequence=max(fact.sequence for fact in stored.facts) + 1,
        occurred_on=command.occurred_on,
        recorded_at=command.issued_at,
        kind=_KINDS[command.kind],
        clients=_named(command, stored),
        exit_reason=ExitReason.DECEASED if command.kind is IntakeCommandKind.DECEASED else None,
    )


def _named(command: IntakeCommand, stored: IntakeTrajectory) -> tuple[ClientPseudonym, ...]:
    if command.client is None:
        return ()
    clients = fold_clients(stored.facts)
    if not 0 <= command.client < len(clients):
        raise Rejected(RejectionCode.INVALID_FIELD, "client", "the trajectory has no client at this position")
    client = clients[command.client]
    return (ClientPseudonym(bsn=client.bsn, birth_date=client.birth_date),)
