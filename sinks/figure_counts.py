"""What the partners' figure counts, from the audit trail (domain 8.19); not to be shown as it is.

Flows in: decisions. Flows out: counts by municipality, month and partner, before anything is suppressed.
"""

from datetime import date

from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.figures import Count
from signaalwissel.schemas.routing import DebtTiming, Route
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.last_revisions import IS_LAST
from signaalwissel.sinks.retention_tables import retained_figures
from signaalwissel.sinks.tables import decisions
from sqlalchemy import ColumnElement, Connection, Date, cast, exists, func, select, text

_D = decisions.c
_MONTH = cast(func.date_trunc(text("'month'"), _D.last_day), Date)
_IS_RETAINED = exists().where(
    retained_figures.c.municipality == _D.municipality, retained_figures.c.month == _MONTH
)


def counted(
    connection: Connection, *, municipality: str | None = None, month: date | None = None
) -> list[Count]:
    """What is counted, in the caller's transaction.

    A signal counts in the month of its receipt, by its last revision, when that is the counsellor's. Every partner that
    delivered anything that month has its line, so that a line tells nothing. A signal that was erased has no debt timing
    any more and counts nowhere. A month of which the first signals are destroyed has its figure kept elsewhere.
    """

    def timed(timing: DebtTiming) -> ColumnElement[int]:
        followed_up = _D.route == Route.COUNSELLOR_FOLLOWUP.value
        return func.count().filter(followed_up, _D.debt_timing == timing.value)

    keys = (_D.municipality, _MONTH, _D.partner_kind, _D.partner_id)
    counts = (timed(DebtTiming.AFTER_ADMISSION), timed(DebtTiming.AFTER_EXIT))
    statement = select(*keys, *counts).where(text(IS_LAST), ~_IS_RETAINED).group_by(*keys)
    if municipality is not None:
        statement = statement.where(_D.municipality == municipality)
    if month is not None:
        first = month.replace(day=1)
        statement = statement.where(_D.last_day >= first, _D.last_day < add_months(first, 1))
    rows = connection.execute(statement).all()
    return [Count(row[0], row[1], PartnerKind(row[2]), row[3], row[4], row[5]) for row in rows]
