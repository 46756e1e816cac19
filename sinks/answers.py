"""What became of each signal, for the answer to the system that it came from.

Flows in: an engine, a municipality, days of receipt. Flows out: per accepted delivery its last route and what its
partner was told. Erased signals are left out: nobody is told of them any more.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.followup_notices import notice_id
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.schemas.followup import Feedback, NoticeKind
from signaalwissel.schemas.routing import Route
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.tables import decisions, notices
from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.dialects.postgresql import distinct_on

_D = decisions.c
_CHUNK = 5_000


class Wanted(NamedTuple):
    """Which signals: of a municipality, of partners, received from `first` up to and including `last`."""

    municipality: str | None = None
    partners: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


class Answered(NamedTuple):
    """One accepted delivery of a signal; `told_on` is the day of what was told."""

    municipality: str
    partner_id: str
    partner_kind: str
    signal_id: str
    received_on: date
    route: Route
    told: Feedback | None
    told_on: date | None


def answered(engine: Engine, wanted: Wanted) -> Iterator[Answered]:
    """The wanted signals, in order of partner and number."""
    statement = _last_revisions()
    if wanted.municipality is not None:
        statement = statement.where(_D.municipality == wanted.municipality)
    if wanted.partners:
        statement = statement.where(_D.partner_id.in_(wanted.partners))
    if wanted.first is not None:
        statement = statement.where(_D.last_day >= wanted.first)
    if wanted.last is not None:
        statement = statement.where(_D.last_day <= wanted.last)
    with engine.connect() as reading, engine.connect() as looking:
        for rows in reading.execution_options(yield_per=_CHUNK).execute(statement).partitions():
            yield from _with_notices(looking, [row for row in rows if row.arrears_cents is not None])


def _last_revisions() -> Any:
    one_delivery = distinct_on(_D.municipality, _D.partner_id, _D.signal_id, _D.received_at)
    columns = (
        _D.municipality, _D.partner_id, _D.partner_kind, _D.signal_id, _D.received_at, _D.last_day, _D.route,
        _D.arrears_cents,
    )  # fmt: skip
    ordered = (_D.municipality, _D.partner_id, _D.signal_id, _D.received_at, _D.revision.desc())
    return select(*columns).ext(one_delivery).order_by(*ordered)


def _with_notices(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[Answered]:
    ids = [_notice_of(row) for row in rows]
    told = {
        row.notice_id: row
        for row in connection.execute(
            select(notices.c.notice_id, notices.c.feedback, notices.c.occurred_on).where(
                notices.c.notice_id.in_(ids)
            )
        )
    }
    for row, notice in zip(rows, ids, strict=True):
        found = told.get(notice)
        yield Answered(
            row.municipality,
            row.partner_id,
            row.partner_kind,
            row.signal_id,
            row.last_day,
            Route(row.route),
            None if found is None or found.feedback is None else Feedback(found.feedback),
            None if found is None else found.occurred_on,
        )


def _notice_of(row: Row[Any]) -> str:
    ref = signal_ref(row.municipality, row.partner_id, row.signal_id, millis_of(row.received_at))
    return notice_id(NoticeKind.PARTNER_FEEDBACK, row.municipality, ref.hex())
