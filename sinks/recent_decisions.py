"""Recent decisions and today's trajectories of a municipality, to be answered again under another policy.

Flows in: a connection that sees somebody's municipalities, and reads only. Flows out: plain values without a seal or a
match key.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.comparison import Delivery
from signaalwissel.processors.policy_replay import Decided, Known
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.routing import Candidate, Evidence, MatchedBy
from signaalwissel.sinks.last_revisions import IS_LAST
from sqlalchemy import Connection, Row, text

RECENT_MAX = 1000
"""Signals that are answered again at most: the latest. A page waits for their answers."""

# The newest first, by an index of migration 0018; a signal whose data is destroyed has no reference date.
_SINCE = f"""
    FROM decisions
    WHERE municipality = :municipality AND last_day >= :since AND reference_date IS NOT NULL AND {IS_LAST}
"""
_SOMEBODY = "(client IS NOT NULL OR coalesce(candidates <> '[]', false))"
_LATEST = text(
    f"""
    SELECT municipality, partner_id, signal_id, received_at, reference_date, last_day, crisis, trajectory_id, client,
        matched_by, evidence, candidates
    {_SINCE} AND {_SOMEBODY}
    ORDER BY last_day DESC, received_at DESC, signal_id, partner_id LIMIT :most
    """
)
_COUNT = text(f"SELECT count(*) FILTER (WHERE {_SOMEBODY}), count(*) FILTER (WHERE NOT {_SOMEBODY}) {_SINCE}")
# Of one person: whatever lies under the same match key. Others at the address come along and change nothing.
_STATES = text(
    """
    SELECT trajectory_id, state FROM trajectories
    WHERE municipality = :municipality AND NOT erased AND trajectory_id IN (
        SELECT unnest(CAST(:found AS text[]))
        UNION
        SELECT other.trajectory_id
        FROM trajectory_keys AS one JOIN trajectory_keys AS other USING (municipality, match_key)
        WHERE one.municipality = :municipality AND one.trajectory_id = ANY(:found)
    )
    """
)


class Recent(NamedTuple):
    """Decisions since a day.

    Attributes:
        decided: The last decision on each of the latest signals for which somebody was found, the oldest first.
        somebody: For how many signals somebody was found.
        nobody: For how many nobody was.
    """

    decided: list[Decided]
    somebody: int
    nobody: int


def recent_decisions(
    connection: Connection, municipality: str, since: date, most: int = RECENT_MAX
) -> Recent:
    """What was decided on the signals of a municipality that were received since a day."""
    given = {"municipality": municipality, "since": since}
    rows = connection.execute(_LATEST, {**given, "most": most}).all()
    somebody, nobody = connection.execute(_COUNT, given).one()
    return Recent([_decided(row) for row in reversed(rows)], somebody, nobody)


def trajectories_of(connection: Connection, municipality: str, decided: Sequence[Decided]) -> Iterator[Known]:
    """Every trajectory of the residents who were found, as its facts are today."""
    found = {one.trajectory_id for one in decided if one.trajectory_id is not None}
    found.update(candidate.trajectory_id for one in decided for candidate in one.candidates)
    for row in connection.execute(_STATES, {"municipality": municipality, "found": sorted(found)}):
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
