"""Holds: what must not be destroyed until a day, a trajectory or all of a municipality, and why.

Flows in: who is held, a reason, an end date. Flows out: rows; a hold whose day has passed or that was released holds
nothing any more, and stays visible as long as what it was about.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.retention_locks import lock_run
from signaalwissel.sinks.retention_scope import Scope
from signaalwissel.sinks.retention_tables import retention_holds
from signaalwissel.sinks.settings import SinkError
from signaalwissel.sinks.timekeeping import DatabaseTime, TimeSource
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

_SIZE = 8
_SEPARATOR = "\x1f"
_H = retention_holds.c


class HoldRefused(SinkError):
    """A hold cannot be placed or released; the text says why."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold; `trajectory_id` None for all of a municipality. The day `until` is still held."""

    hold_id: str
    municipality: str
    trajectory_id: str | None
    reason: str
    until: date
    placed_at: datetime
    released_at: datetime | None = None
    release_reason: str | None = None

    def in_force(self, today: date) -> bool:
        """Whether it keeps anything today."""
        return self.released_at is None and self.until >= today


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hold to place."""

    municipality: str
    trajectory_id: str | None
    reason: str
    until: date

    @property
    def hold_id(self) -> str:
        """Derived: the same hold placed twice is one."""
        parts = (self.municipality, self.trajectory_id or "", self.until.isoformat(), self.reason)
        text = _SEPARATOR.join(parts)
        return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"hold").hexdigest()


def place(engine: Engine, wanted: Wanted, time: TimeSource | None = None, *, dry_run: bool = False) -> Hold:
    """Place a hold; a run that is under way finishes its batch first.

    Raises:
        HoldRefused: Its last day has passed, or it was released before.
    """
    clock = time or DatabaseTime()
    with engine.begin() as connection:
        lock_run(connection)
        now = clock.now(connection)
        today = amsterdam_day(now)
        if wanted.until < today:
            raise HoldRefused(f"--until {wanted.until} has passed: today is {today}")
        fresh = Hold(
            wanted.hold_id,
            wanted.municipality,
            wanted.trajectory_id,
            wanted.reason,
            wanted.until,
            moment_of(now),
        )
        known = _find(connection, wanted.hold_id)
        if known is not None and known.released_at is not None:
            raise HoldRefused(f"hold {wanted.hold_id} was released: give another reason or day to hold again")
        if dry_run:
            return known or fresh
        connection.execute(insert(retention_holds).on_conflict_do_nothing(), asdict(fresh))
    return known or fresh


def release(engine: Engine, hold_id: str, reason: str, *, dry_run: bool = False) -> Hold:
    """Release a hold; once released it stays as it was.

    Raises:
        HoldRefused: There is none with this id.
    """
    with engine.begin() as connection:
        lock_run(connection)
        known = _find(connection, hold_id)
        if known is None:
            raise HoldRefused(
                f"hold {hold_id}: there is none with this id; see `signaalwissel retention report`"
            )
        if dry_run or known.released_at is not None:
            return known
        now = moment_of(DatabaseTime().now(connection))
        connection.execute(
            retention_holds.update()
            .where(_H.hold_id == hold_id)
            .values(released_at=now, release_reason=reason)
        )
        return _find(connection, hold_id) or known


def holds(connection: Connection, municipality: str | None = None) -> list[Hold]:
    """Every hold, of one municipality or of all, the newest last."""
    statement = select(retention_holds).order_by(_H.municipality, _H.placed_at, _H.hold_id)
    if municipality is not None:
        statement = statement.where(_H.municipality == municipality)
    return [_hold(row) for row in connection.execute(statement)]


def held_trajectories(connection: Connection, scope: Scope) -> Sequence[str]:
    """The trajectories of a municipality that a hold keeps."""
    found = connection.execute(
        select(_H.trajectory_id).where(
            _H.municipality == scope.municipality,
            _H.trajectory_id.is_not(None),
            _H.released_at.is_(None),
            _H.until >= scope.today,
        )
    )
    return list(found.scalars())


def _find(connection: Connection, hold_id: str) -> Hold | None:
    row = connection.execute(select(retention_holds).where(_H.hold_id == hold_id)).first()
    return None if row is None else _hold(row)


def _hold(row: Any) -> Hold:
    return Hold(**{field.name: getattr(row, field.name) for field in fields(Hold)})
