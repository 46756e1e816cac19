"""Commands from the sink to intake: erase a trajectory, record an objection or a death (design 1).

In: an IntakeCommand. Out: the changed trajectory under all its match keys, as a lifecycle event would bring it; where
a resident is erased, first the command that erases his signals, under each of his keys. The
command id is the event id, so a command that was seen says nothing. Before its trajectory's application it waits.
"""

from signaalwissel.processors.dead_letters import Source
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.erased_clients import erased_positions
from signaalwissel.processors.intake_trajectories import IntakeTrajectories
from signaalwissel.processors.matcher_state import Table
from signaalwissel.processors.validation import check_command
from signaalwissel.schemas.internal import (
    Fact,
    IntakeCommand,
    IntakeCommandKind,
    IntakeTrajectory,
)
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEventKind

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

    def step(self, table: Table, command: IntakeCommand, source: Source) -> list[Emission]:
        """Carry out a command.

        Args:
            table: Trajectories by key.
            command: The command, decoded from `source.value`.
            source: The record that it came in.

        Raises:
            Rejected: A field breaks a rule, or it must say which of two clients it concerns.
        """
        check_command(command)
        stored = self._trajectories.stored(table, command.municipality, command.trajectory_id)
        if stored.erased:
            return []
        if command.client is not None and command.client in erased_positions(stored.facts):
            # That client is erased for good, whatever is asked about him.
            return []
        if command.kind is IntakeCommandKind.ERASE and command.client is not None:
            return self._trajectories.erase_client(table, stored, command, source.timestamp)
        if command.kind is IntakeCommandKind.ERASE:
            # Also before the trajectory is known: what comes after it must not bring anything back.
            return self._trajectories.erase(table, stored, command.command_id, source.timestamp)
        self._trajectories.policy_of(command.municipality)
        if any(fact.event_id == command.command_id for fact in stored.facts):
            return []
        return self._trajectories.take(table, stored, _fact(command, stored), source)


def _fact(command: IntakeCommand, stored: IntakeTrajectory) -> Fact:
    return Fact(
        event_id=command.command_id,
        # Behind everything that the case system has told so far.
        sequence=max((fact.sequence for fact in stored.facts), default=0) + 1,
        occurred_on=command.occurred_on,
        recorded_at=command.issued_at,
        kind=_KINDS[command.kind],
        exit_reason=ExitReason.DECEASED if command.kind is IntakeCommandKind.DECEASED else None,
        client=command.client,
    )
