"""Decisions: destroyed by day of receipt, after the month's figure is kept without anybody in it.

Flows in: a municipality and the last day that is over. Flows out: no rows of `decisions` of such a day, a row of
`retention_days` for it, and counts in `retained_figures`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from signaalwissel.processors.processing_lines import resident
from signaalwissel.processors.retention import DataKind
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.retained_figures import retain
from signaalwissel.sinks.retention_scope import Scope, Step, Tally, tallied
from signaalwissel.sinks.retention_tables import retention_days
from signaalwissel.sinks.tables import decisions
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

# A hold keeps every revision of a signal that one of them brought to the trajectory.
_DAY = text(
    """
    SELECT min(last_day) FROM decisions AS d
    WHERE d.municipality = :municipality AND d.last_day <= :over AND NOT EXISTS (
        SELECT FROM decisions AS kin JOIN retention_holds AS hold USING (municipality, trajectory_id)
        WHERE kin.municipality = d.municipality AND kin.signal_id = d.signal_id
            AND hold.released_at IS NULL AND hold.until >= :today
    )
    """
)
_OF_DAY = text(
    """
    decisions.municipality = :of AND decisions.last_day = :on AND NOT EXISTS (
        SELECT FROM decisions AS kin JOIN retention_holds AS hold USING (municipality, trajectory_id)
        WHERE kin.municipality = decisions.municipality AND kin.signal_id = decisions.signal_id
            AND hold.released_at IS NULL AND hold.until >= :today
    )
    """
)
_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE last_day <= :over), count(*) FILTER (WHERE last_day <= :over AND EXISTS (
        SELECT FROM decisions AS kin JOIN retention_holds AS hold USING (municipality, trajectory_id)
        WHERE kin.municipality = d.municipality AND kin.signal_id = d.signal_id
            AND hold.released_at IS NULL AND hold.until >= :today
    ))
    FROM decisions AS d WHERE municipality = :municipality
    """
)


def remember_days(connection: Connection, municipality: str, days: Sequence[date]) -> None:
    """Keep that the data of these days is destroyed: their keys are to follow."""
    if days:
        rows = [{"municipality": municipality, "day": day} for day in days]
        connection.execute(insert(retention_days).on_conflict_do_nothing(), rows)


def _choose(connection: Connection, scope: Scope) -> Sequence[Any]:
    day = connection.execute(_DAY, scope.about(DataKind.SIGNAL)).scalar_one()
    return [] if day is None else [day]


def _destroy(destruction: Destruction, scope: Scope, chosen: Sequence[Any]) -> int:
    (day,) = chosen
    connection = destruction.connection
    retain(connection, scope.municipality, day, scope.policy.figures.suppress_below)
    where = _OF_DAY.bindparams(of=scope.municipality, on=day, today=scope.today)
    gone = destruction.delete(decisions, where, decisions.c.match_key)
    # The row that proves an erasure is nobody's any more.
    whose = [resident(bytes(row.match_key)) for row in gone if row.match_key is not None]
    destruction.of(scope.municipality, scope.today, f"signals/{day}", whose)
    remember_days(connection, scope.municipality, [day])
    return len(gone)


def _tally(connection: Connection, scope: Scope) -> Tally:
    return tallied(connection, _TALLY, scope.about(DataKind.SIGNAL))


SIGNALS = Step(DataKind.SIGNAL, _choose, _destroy, _tally)
