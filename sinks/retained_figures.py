"""The monthly figure of signals that are destroyed: counts by partner, small ones not kept (design 7).

Flows in: decisions of a month, just before the first of them go. Flows out: rows without signal, resident or key; and
the same rows for whoever shows the figure.
"""

from datetime import date
from typing import Any

from signaalwissel.processors.figures import Cells, Precision, Shown, cell
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.figure_counts import counted
from signaalwissel.sinks.retention_tables import retained_figures
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

_F = retained_figures.c


def retain(connection: Connection, municipality: str, day: date, suppress_below: int) -> None:
    """Keep the figure of the day's month, once, in the caller's transaction.

    A count below the threshold is left out for good: no later threshold brings it back.
    """
    month = day.replace(day=1)
    known = select(_F.month).where(_F.municipality == municipality, _F.month == month).limit(1)
    if connection.execute(known).first() is not None:
        return
    rows = [
        {
            "municipality": count.municipality,
            "month": count.month,
            "partner_kind": count.partner_kind.value,
            "partner_id": count.partner_id,
            "after_admission": _kept(count.after_admission, suppress_below),
            "after_exit": _kept(count.after_exit, suppress_below),
            "suppress_below": suppress_below,
        }
        for count in counted(connection, municipality=municipality, month=month)
    ]
    if rows:
        connection.execute(insert(retained_figures), rows)


def retained(connection: Connection, *, municipality: str | None, month: date | None) -> list[Cells]:
    """What is kept of months whose signals are destroyed, as it may be shown."""
    statement = select(retained_figures)
    if municipality is not None:
        statement = statement.where(_F.municipality == municipality)
    if month is not None:
        statement = statement.where(_F.month == month.replace(day=1))
    return [
        Cells(
            row.municipality,
            row.month,
            PartnerKind(row.partner_kind),
            row.partner_id,
            _shown(row.after_admission, row.suppress_below),
            _shown(row.after_exit, row.suppress_below),
        )
        for row in connection.execute(statement)
    ]


def _kept(count: int, suppress_below: int) -> int | None:
    return count if cell(count, suppress_below).precision is Precision.EXACT else None


def _shown(count: Any, suppress_below: int) -> Shown:
    return Shown(Precision.BELOW, suppress_below) if count is None else Shown(Precision.EXACT, count)
