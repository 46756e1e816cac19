"""Feedback that waits for its partner, as the database keeps it.

Flows in: notices that were made, and how each try went. Flows out: what is to be sent now, by the database's clock.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from signaalwissel.processors.feedback import Told
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import NoticeKind
from signaalwissel.sinks.feedback_tables import feedback_deliveries
from signaalwissel.sinks.tables import notices
from sqlalchemy import Connection, Text, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

_ERROR_MAX = 300
_D = feedback_deliveries.c
_N = notices.c
_PUT = insert(feedback_deliveries).on_conflict_do_nothing()
_NOT_NOW = text(
    "(feedback_deliveries.municipality, feedback_deliveries.partner_id) NOT IN ("
    "SELECT * FROM unnest(:of_municipality, :of_partner))"
).bindparams(bindparam("of_municipality", type_=ARRAY(Text)), bindparam("of_partner", type_=ARRAY(Text)))
_DUE = (
    select(
        _D.notice_id, _D.municipality, _D.partner_id, _N.signal_id, _N.feedback, _N.occurred_on, _N.made_at,
        _D.attempts,
    )
    .join(notices, _N.notice_id == _D.notice_id)
    .where(_D.sent_at.is_(None), _D.next_attempt_at <= func.now(), _NOT_NOW)
    .order_by(_D.next_attempt_at, _D.notice_id)
)  # fmt: skip


class Addressee(NamedTuple):
    """A partner of a municipality."""

    municipality: str
    partner_id: str


class Due(NamedTuple):
    """What is to be told now, and how often that failed."""

    told: Told
    attempts: int


class Standing(NamedTuple):
    """How many wait, how many of them failed before, and why the one did that fails longest."""

    waiting: int
    failing: int
    last_error: str | None


def put(connection: Connection, made: Iterable[Notice], policy_of: Callable[[str], Policy]) -> None:
    """Have feedback sent, of those notices whose partner has a channel; in the transaction that makes them.

    What was made before a partner got his channel stays untold there: it went another way.
    """
    rows = [
        {
            "notice_id": notice.notice_id,
            "municipality": notice.municipality,
            "partner_id": notice.addressee,
        }
        for notice in made
        if notice.kind is NoticeKind.PARTNER_FEEDBACK
        and notice.addressee in policy_of(notice.municipality).channels.partners
    ]
    if rows:
        connection.execute(_PUT, rows)


def due(connection: Connection, not_now: Collection[Addressee], most: int) -> list[Due]:
    """What is to be sent now, what waits longest first, but for those partners."""
    left_alone = {
        "of_municipality": [one.municipality for one in not_now],
        "of_partner": [one.partner_id for one in not_now],
    }
    rows = connection.execute(_DUE.limit(most), left_alone).all()
    return [Due(Told(*row[:-1]), row.attempts) for row in rows]


def oldest(connection: Connection) -> datetime:
    """When the oldest was made that is not marked as sent; now where all are."""
    made = select(func.coalesce(func.min(_N.made_at), func.now())).join(
        feedback_deliveries, _N.notice_id == _D.notice_id
    )
    with connection.begin():
        found: datetime = connection.execute(made.where(_D.sent_at.is_(None))).scalar_one()
    return found


def sent(connection: Connection, notice_id: str) -> None:
    """It was taken."""
    values = {"sent_at": func.now(), "last_error": None, "failing_since": None}
    connection.execute(update(feedback_deliveries).where(_D.notice_id == notice_id).values(values))


def failed(connection: Connection, notice_id: str, error: str, again_s: float) -> None:
    """It was not, and why; to be tried again after a while."""
    values = {
        "attempts": _D.attempts + 1,
        "last_error": error[:_ERROR_MAX],
        "failing_since": func.coalesce(_D.failing_since, func.now()),
        "next_attempt_at": func.now() + timedelta(seconds=again_s),
    }
    connection.execute(update(feedback_deliveries).where(_D.notice_id == notice_id).values(values))


def standing(connection: Connection) -> Standing:
    """How the feedback stands."""
    counts = select(func.count(), func.count(_D.last_error)).where(_D.sent_at.is_(None))
    waiting, failing = connection.execute(counts).one()
    longest = select(_D.last_error).where(_D.sent_at.is_(None), _D.last_error.is_not(None))
    return Standing(
        waiting, failing, connection.execute(longest.order_by(_D.failing_since).limit(1)).scalar()
    )
