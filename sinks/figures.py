"""The partners' figure from the audit trail (domain 8.19): new arrears after admission and after completion.

Flows in: a database. Flows out: a table whose small counts are suppressed, for commands and web pages alike; of months
whose signals are destroyed it tells what was kept of them.
"""

from datetime import date

from signaalwissel.processors.figures import Count, FigureRow, table
from signaalwissel.processors.policy import Policies
from signaalwissel.sinks.figure_counts import counted
from signaalwissel.sinks.retained_figures import retained
from sqlalchemy import Connection, Engine


def new_arrears(
    engine: Engine, policies: Policies, *, municipality: str | None = None, month: date | None = None
) -> list[FigureRow]:
    """The table as it may be shown; see `new_arrears_in`."""
    with engine.connect() as connection:
        return new_arrears_in(connection, policies, municipality=municipality, month=month)


def new_arrears_in(
    connection: Connection, policies: Policies, *, municipality: str | None = None, month: date | None = None
) -> list[FigureRow]:
    """The table as it may be shown, of what a connection sees.

    Args:
        connection: To the sink's database.
        policies: Say below which count a group is too small to be shown.
        municipality: Only this one; every one otherwise.
        month: Any day of the only month that is wanted; every month otherwise.
    """
    counts = counted(connection, municipality=municipality, month=month)
    kept = retained(connection, municipality=municipality, month=month)
    return table(counts, lambda code: (policies.get(code) or policies.default).figures.suppress_below, kept)


def new_arrears_counts(
    engine: Engine, *, municipality: str | None = None, month: date | None = None
) -> list[Count]:
    """What is counted of signals that are still there, before anything is suppressed: not to be shown."""
    with engine.connect() as connection:
        return counted(connection, municipality=municipality, month=month)
