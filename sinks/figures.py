"""The partners' figure from the audit trail (domain 8.19): new arrears after admission and after completion.

Flows in: a database. Flows out: a table whose small counts are suppressed, for commands and web pages alike.
"""

from datetime import date

from signaalwissel.processors.amsterdam import add_months
from signaalwissel.processors.figures import Count, FigureRow, table
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.routing import DebtTiming, Route
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.tables import decisions
from sqlalchemy import ColumnElement, Date, Engine, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

_D = decisions.c
_MONTH = cast(func.date_trunc("month", _D.last_day), Date).label("month")


def new_arrears(
    engine: Engine, policies: Policies, *, municipality: str | None = None, month: date | None = None
) -> list[FigureRow]:
    """The table as it may be shown.

    Args:
        engine: The sink's database.
        policies: Say below which count a group is too small to be shown.
        municipality: Only this one; every one otherwise.
        month: Any day of the only month that is wanted; every month otherwise.
    """
    counts = new_arrears_counts(engine, municipality=municipality, month=month)
    return table(counts, lambda code: (policies.get(code) or policies.default).figures.suppress_below)


def new_arrears_counts(
    engine: Engine, *, municipality: str | None = None, month: date | None = None
) -> list[Count]:
    """What is counted, before anything is suppressed: not to be shown.

    A signal counts in the month of its receipt, by its last revision, when that is the counsellor's. Every partner that
    delivered anything that month has its line, so that a line tells nothing. A signal that was erased has no debt timing
    any more and counts nowhere.
    """
    one_signal = distinct_on(_D.municipality, _D.partner_id, _D.signal_id, _D.received_at)
    last = select(_D.municipality, _D.partner_kind, _D.partner_id, _D.route, _D.debt_timing, _MONTH).ext(
        one_signal
    )
    if municipality is not None:
        last = last.where(_D.municipality == municipality)
    if month is not None:
        first = month.replace(day=1)
        last = last.where(_D.last_day >= first, _D.last_day < add_months(first, 1))
    found = last.order_by(
        _D.municipality, _D.partner_id, _D.signal_id, _D.received_at, _D.revision.desc()
    ).subquery()

    def counted(timing: DebtTiming) -> ColumnElement[int]:
        followed_up = found.c.route == Route.COUNSELLOR_FOLLOWUP.value
        return func.count().filter(followed_up, found.c.debt_timing == timing.value)

    keys = (found.c.municipality, found.c.month, found.c.partner_kind, found.c.partner_id)
    statement = select(*keys, counted(DebtTiming.AFTER_ADMISSION), counted(DebtTiming.AFTER_EXIT)).group_by(
        *keys
    )
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    return [Count(row[0], row[1], PartnerKind(row[2]), row[3], row[4], row[5]) for row in rows]
