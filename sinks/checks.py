"""Checks before a signal is sent, at the database: each on record first, then the trajectories are looked up (design 15).

Flows in: lines of the processing log, who asked, and match keys. Flows out: the newest states at those keys. Nothing of
a check stays but its line and that somebody asked. Fail-closed: what cannot be put on record is not looked up.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from signaalwissel.processors.processing_lines import Line
from signaalwissel.processors.processing_register import Register
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.sinks.database import TookTooLong, database_away
from signaalwissel.sinks.ledger import Event, Ledger
from signaalwissel.sinks.processing_log import Brake
from signaalwissel.sinks.row_security import RowScope, in_scope
from signaalwissel.sinks.settings import ServiceAway
from signaalwissel.sinks.trajectory_keys import Place, states_at
from sqlalchemy import Connection, Engine


class Account(NamedTuple):
    """What is put on record: a line for each check, and an event for each request."""

    lines: Sequence[Line]
    events: Sequence[Event]


class CheckRoom:
    """Looks trajectories up over one connection that stays open; for one caller at a time.

    Args:
        engine: The database; its login writes the processing log and the audit trail.
        role: Under which trajectories are read; None where the login is such a role.
        chain: Of the audit trail.
        register_of: The register of processing activities of a municipality.
        brake: Holds while the processing log is too far behind.
    """

    def __init__(
        self,
        engine: Engine,
        role: str | None,
        chain: str,
        register_of: Callable[[str], Register],
        brake: Brake,
    ) -> None:
        self._engine = engine
        self._role = role
        self._chain = chain
        self._register_of = register_of
        self._brake = brake
        self._connection: Connection | None = None

    def look_up(self, account: Account, places: Collection[Place]) -> Mapping[Place, list[TrajectoryState]]:
        """The states at these places, once the account is stored.

        Raises:
            ServiceAway: PostgreSQL does not answer, or not in time, or the processing log is too far behind.
            UnknownPurpose: The municipality's register has no entry for it.
        """
        if self._connection is not None:
            try:
                return self._looked_up(self._connection, account, places)
            except TookTooLong:
                # It is there. Another try would wait as long again, and put the same checks on record once more.
                raise
            except ServiceAway:
                # A server that was restarted meanwhile closed it; a new one tells whether it is there.
                self.close()
        with database_away():
            self._connection = self._engine.connect()
        try:
            return self._looked_up(self._connection, account, places)
        except ServiceAway:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _looked_up(
        self, connection: Connection, account: Account, places: Collection[Place]
    ) -> Mapping[Place, list[TrajectoryState]]:
        with database_away():
            if self._brake.holds(connection):
                raise ServiceAway("the processing log is too far behind: nothing is told until it goes on")
            with connection.begin():
                ledger = Ledger(self._chain, self._register_of)
                for event in account.events:
                    ledger.event(event)
                ledger.lines(account.lines)
                ledger.store(connection)
            scope = RowScope(frozenset(place.municipality for place in places))
            with in_scope(connection, scope, self._role):
                return states_at(connection, places)
