"""The clock's time and its named steps, for the process and for tests that drive both.

Flows in: a connection. Flows out: the present moment, by the database's clock: one for all sinks.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_tasks import Moment
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.copying import millis_of
from sqlalchemy import Connection, func, select

_NOW = select(func.clock_timestamp())

Observer = Callable[[str], None]
"""Is told the name of each step of the clock, such as "clock.saved", when it is done."""


class TimeSource(Protocol):
    """Where the present comes from."""

    def now(self, connection: Connection) -> Millis:
        """The present instant."""
        ...


class DatabaseTime:
    """PostgreSQL's clock."""

    def now(self, connection: Connection) -> Millis:
        """The present instant, also where the transaction began long ago."""
        now: datetime = connection.execute(_NOW).scalar_one()
        return millis_of(now.astimezone(UTC))


def moment_at(time: TimeSource, connection: Connection) -> Moment:
    """The present as the rules take it."""
    now = time.now(connection)
    return Moment(amsterdam_day(now), now)


def unobserved(_step: str) -> None:
    """Nobody looks."""
