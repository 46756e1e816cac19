"""What retention would destroy, has destroyed, and may not destroy.

Flows in: a database. Flows out: plain values by municipality and kind, for reports and `doctor`; nothing is changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from signaalwissel.processors.policy import Policies
from signaalwissel.processors.retention import DataKind, period_of
from signaalwissel.sinks import retention_proofs
from signaalwissel.sinks.holds import Hold, holds
from signaalwissel.sinks.retention_keys import remember_passed_days, tally_keys
from signaalwissel.sinks.retention_proofs import Proof
from signaalwissel.sinks.retention_round import STEPS
from signaalwissel.sinks.retention_scope import NOBODY, Scope, Tally, is_held, scopes
from signaalwissel.sinks.retention_trajectories import measure
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.timekeeping import DatabaseTime, TimeSource, moment_at
from sqlalchemy import Connection, Engine, text

_UNCONFIRMED = text(
    """
    SELECT municipality, count(*) FROM retention_tombstones
    WHERE confirmed_on IS NULL AND destroyed_on < :today GROUP BY municipality
    """
)
_LATE_KEYS = text(
    "SELECT municipality, count(*) FROM retention_days WHERE key_destroyed_at IS NULL AND day <= :over"
    " AND municipality = :municipality GROUP BY municipality"
)

_Tallied = tuple[DataKind, Callable[[Connection, Scope], Tally]]
_TALLIES: tuple[_Tallied, ...] = (
    *((step.kind, step.tally) for step in STEPS),
    (DataKind.DAY_KEY, tally_keys),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A kind of data of a municipality; `municipality` is empty for what belongs to none.

    Attributes:
        months: How long it is kept, None where no policy decides.
        kept: How much there is.
        due: How much of it is over and goes with the next run.
        held: How much more is over and held.
    """

    municipality: str
    kind: DataKind
    months: int | None
    justification: str | None
    kept: int
    due: int
    held: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at a moment, by the database's time."""

    today: date
    lines: tuple[Line, ...]
    holds: tuple[Hold, ...]
    destroyed: tuple[Proof, ...]


class Overdue(NamedTuple):
    """What should have been destroyed by the end of yesterday; `number` None for "some"."""

    municipality: str
    what: str
    number: int | None = None


class Asked(NamedTuple):
    """Whose data is looked at, under which policies and settings, and when."""

    settings: SinkSettings
    policies: Policies
    time: TimeSource = DatabaseTime()
    municipality: str | None = None


def report(engine: Engine, asked: Asked) -> Report:
    """What there is and what is over, what is held, and what was destroyed last."""
    with engine.connect() as connection:
        found = _scopes(connection, asked)
        lines = [line for scope in found for line in _lines(connection, scope)]
        told = Report(
            today=found[0].today,
            lines=tuple(line for line in lines if line.kept or line.due),
            holds=tuple(holds(connection, asked.municipality)),
            destroyed=tuple(retention_proofs.latest(connection, asked.municipality)),
        )
        # Measuring wrote what a run writes too: a report leaves nothing behind.
        connection.rollback()
    return told


def overdue(engine: Engine, asked: Asked) -> list[Overdue]:
    """What was over before today and is still there though nothing holds it, and what nobody confirmed."""
    with engine.connect() as connection:
        yesterday = [
            scope._replace(moment=scope.moment._replace(today=scope.today - timedelta(days=1)))
            for scope in _scopes(connection, asked)
        ]
        found = [one for scope in yesterday for one in _overdue(connection, scope)]
        if yesterday:
            unconfirmed = connection.execute(_UNCONFIRMED, {"today": yesterday[0].today})
            found += [Overdue(row[0], "NOT_CONFIRMED_BY_INTAKE", row[1]) for row in unconfirmed]
        connection.rollback()
    return found


def _scopes(connection: Connection, asked: Asked) -> list[Scope]:
    moment = moment_at(asked.time, connection)
    every = scopes(connection, asked.policies, asked.settings, moment)
    return [scope for scope in every if asked.municipality in {None, scope.municipality}] or every[:1]


def _lines(connection: Connection, scope: Scope) -> Iterator[Line]:
    _measured(connection, scope)
    held = is_held(connection, scope)
    if not held:
        remember_passed_days(connection, scope)
    for kind, tally in _TALLIES:
        counted = tally(connection, scope)
        period = period_of(kind, scope.policy)
        kept_back = counted.due if held else counted.held
        yield Line(
            scope.municipality,
            kind,
            None if period is None else period.months,
            None if period is None else period.justification,
            counted.kept,
            counted.due - kept_back,
            kept_back,
        )


def _overdue(connection: Connection, scope: Scope) -> Iterator[Overdue]:
    if is_held(connection, scope):
        return
    _measured(connection, scope)
    for step in STEPS:
        if step.choose(connection, scope):
            yield Overdue(scope.municipality, step.kind.value)
    counted = tally_keys(connection, scope)
    if scope.municipality != NOBODY and counted.due > counted.held:
        about = {"municipality": scope.municipality, "over": scope.over(DataKind.DAY_KEY)}
        for row in connection.execute(_LATE_KEYS, about):
            yield Overdue(row[0], DataKind.DAY_KEY.value, row[1])


def _measured(connection: Connection, scope: Scope) -> None:
    if scope.municipality != NOBODY:
        while measure(connection, scope):
            pass
