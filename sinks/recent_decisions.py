"""Recent decisions and today's trajectories of a municipality, to be answered again under another policy.

Flows in: a connection that sees somebody's municipalities, and reads only. Flows out: plain values without a seal or a
match key.
"""

from collections.abc import Iterator
from datetime import date

from signaalwissel.processors.comparison import Delivery
from signaalwissel.processors.policy_replay import Decided, Known
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.routing import Candidate, Evidence, MatchedBy
from sqlalchemy import Connection, Row, text

RECENT_MAX = 5000
"""Signals that are answered again at most: the latest."""

# The newest days first, by the index on the day of receipt; a signal whose data is destroyed has no reference date.
_LAST = text(
    """
    SELECT DISTINCT ON (partner_id, signal_id, received_at)
        municipality, partner_id, signal_id, received_at, reference_date, last_day, crisis, trajectory_id, client,
        matched_by, evidence, candidates
    FROM decisions
    WHERE municipality = :municipality AND last_day >= :since AND reference_date IS NOT NULL
    ORDER BY partner_id, signal_id, received_at, revision DESC
    """
)
_STATES = text(
    "SELECT trajectory_id, state FROM trajectories WHERE municipality = :municipality AND NOT erased"
)


def decided_since(connection: Connection, municipality: str, since: date) -> list[Decided]:
    """The last decision on each signal that was received since a day, the latest RECENT_MAX of them."""
    rows = connection.execute(_LAST, {"municipality": municipality, "since": since})
    found = sorted((_decided(row) for row in rows), key=lambda one: one.delivery.received_at)
    return found[-RECENT_MAX:]


def known_trajectories(connection: Connection, municipality: str) -> Iterator[Known]:
    """Every trajectory of a municipality as its facts are today."""
    for row in connection.execute(_STATES, {"municipality": municipality}):
        yield Known(row.trajectory_id, read_trajectory_state(bytes(row.state)).facts)


def _decided(row: Row[tuple[object, ...]]) -> Decided:
    delivery = Delivery(row.municipality, row.partner_id, row.signal_id, row.received_at.isoformat())
    return Decided(
        delivery=delivery,
        reference_date=row.reference_date,
        last_day=row.last_day,
        crisis=bool(row.crisis),
        trajectory_id=row.trajectory_id,
        client=row.client,
        matched_by=None if row.matched_by is None else MatchedBy(row.matched_by),
        evidence=None if row.evidence is None else Evidence(row.evidence),
        candidates=tuple(Candidate(*one) for one in row.candidates or ()),
    )
