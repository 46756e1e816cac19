"""The one place where rows that the audit trail covers are taken away or emptied: the ledger is told as it happens.

Flows in: which rows, and why. Flows out: the rows gone or changed, and in the ledger what its transaction must store
of it; the database refuses the transaction otherwise.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from signaalwissel.processors.audit_chain import COVERED, KEYS, as_written, row_id
from signaalwissel.processors.processing_lines import Line, Subject, trace_from
from signaalwissel.processors.processing_register import Purpose
from signaalwissel.sinks.ledger import Ledger
from sqlalchemy import ColumnElement, Connection, Row, Table, TextClause

_Where = ColumnElement[bool] | TextClause


class Why(StrEnum):
    """Why rows are destroyed, as blocks of the audit trail say it."""

    ERASED = "ERASED"
    """The resident or the trajectory was erased."""
    RETENTION_OVER = "RETENTION_OVER"
    SIGNAL_TAKEN_OUT = "SIGNAL_TAKEN_OUT"
    """A signal left a task, whose steps are written anew."""


_PURPOSES = {
    Why.ERASED: Purpose.DATA_ERASED,
    Why.RETENTION_OVER: Purpose.DATA_DESTROYED,
    Why.SIGNAL_TAKEN_OUT: Purpose.FOLLOW_UP,
}


def trace_of(municipality: str, day: date) -> bytes:
    """The trace that all lines of what is destroyed on a day share with the events of it in the audit trail."""
    return trace_from("destroyed", municipality, day.isoformat())


class Destruction(NamedTuple):
    """What one transaction destroys.

    Attributes:
        connection: In that transaction, which stores the ledger before it ends.
        ledger: Is told of every row and of everybody whose data goes.
        why: Why.
    """

    connection: Connection
    ledger: Ledger
    why: Why

    def delete(self, table: Table, where: _Where, *more: ColumnElement[Any]) -> list[Row[Any]]:
        """Delete rows of a table that the audit trail covers; gives of each what names it, and these columns.

        Args:
            table: The table.
            where: Which rows, with its values bound.
            more: What else to give of each.
        """
        keys = [table.c[name] for name in KEYS[table.name]]
        rows = list(self.connection.execute(table.delete().where(where).returning(*keys, *more)).all())
        self.ledger.destroyed(table.name, [row_id(table.name, row) for row in rows], self.why)
        return rows

    def change(self, table: Table, where: _Where, values: Mapping[str, Any]) -> int:
        """Empty or change columns of rows that the audit trail covers; gives how many rows that were.

        What stood there is destroyed, and what stands there now is recorded.
        """
        columns = [table.c[name] for name in COVERED[table.name]]
        changed = table.update().where(where).values(dict(values)).returning(*columns)
        rows = [as_written(row) for row in self.connection.execute(changed)]
        self.ledger.destroyed(table.name, [row_id(table.name, row) for row in rows], self.why)
        self.ledger.recorded(table.name, rows)
        return len(rows)

    def of(self, municipality: str, today: date, what: str, subjects: Iterable[Subject | None]) -> None:
        """Tell whose data goes: a line for each person.

        Args:
            municipality: Whose activity it is.
            today: The day on which it is destroyed.
            what: What goes, by name: with the person it tells one line from another.
            subjects: Whose it is; None where nobody can know that.
        """
        purpose, trace_id = _PURPOSES[self.why], trace_of(municipality, today)
        self.ledger.lines(
            Line(purpose, municipality, what, trace_id, subject) for subject in dict.fromkeys(subjects)
        )
