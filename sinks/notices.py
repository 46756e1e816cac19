"""Notices that were made: each once, whatever made it again (domain 8.18).

Flows in: notices of the rules. Flows out: rows, and those of them that were not there before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from signaalwissel.processors.followup_notices import Notice
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.pairs import PAIRS, arrays
from signaalwissel.sinks.tables import notices
from sqlalchemy import Connection, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

_RECORD = insert(notices).on_conflict_do_nothing().returning(notices.c.notice_id)
_FORGET = text(
    """
    DELETE FROM notices WHERE kind = 'PARTNER_FEEDBACK' AND municipality = :municipality
        AND addressee = :addressee AND signal_id = :signal_id
    RETURNING notice_id
    """
)
_SETTLED = text(
    """
    SELECT notice_id, municipality, trajectory_id, addressee FROM notices
        JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    UNION ALL
    SELECT notice_id, municipality, NULL, addressee FROM notices WHERE addressee = ANY(:addressees)
    """
).bindparams(*PAIRS, bindparam("addressees", type_=ARRAY(Text)))


class Settled(NamedTuple):
    """Ids of the notices that were made, by what they can be about."""

    by_trajectory: Mapping[TrajectoryKey, set[str]]
    by_addressee: Mapping[str, set[str]]

    def of(self, key: TrajectoryKey, addressees: Iterable[str]) -> frozenset[str]:
        """Those about a trajectory or to one of its residents."""
        told = (self.by_addressee.get(addressee, set()) for addressee in addressees)
        return frozenset(self.by_trajectory.get(key, set()).union(*told))


def record(connection: Connection, made: Sequence[Notice]) -> list[Notice]:
    """Store notices, and give those that are new, in order."""
    different = {notice.notice_id: notice for notice in made}
    if not different:
        return []
    rows = [_row(notice) for notice in different.values()]
    added = set(connection.execute(_RECORD, rows).scalars())
    return [notice for notice in different.values() if notice.notice_id in added]


def forget(connection: Connection, erased: Iterable[Decision]) -> list[str]:
    """Forget what partners were told of erased signals, and give the notices' ids."""
    gone: list[str] = []
    for decision in erased:
        about = {
            "municipality": decision.municipality,
            "addressee": decision.partner.partner_id,
            "signal_id": decision.signal_id,
        }
        gone += connection.execute(_FORGET, about).scalars()
    return gone


def settled(connection: Connection, keys: Iterable[TrajectoryKey], addressees: Iterable[str]) -> Settled:
    """The notices about these trajectories, or to these addressees."""
    by_trajectory: defaultdict[TrajectoryKey, set[str]] = defaultdict(set)
    by_addressee: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(_SETTLED, {**arrays(keys), "addressees": list(addressees)}):
        by_addressee[row.addressee].add(row.notice_id)
        if row.trajectory_id is not None:
            by_trajectory[TrajectoryKey(row.municipality, row.trajectory_id)].add(row.notice_id)
    return Settled(by_trajectory, by_addressee)


def _row(notice: Notice) -> dict[str, object]:
    event = notice.event()
    return {
        "notice_id": event.notice_id,
        "kind": event.kind.value,
        "municipality": event.municipality,
        "addressee": event.addressee,
        "legal_ground": event.legal_ground,
        "occurred_on": event.occurred_on,
        "due_on": event.due_on,
        "trajectory_id": event.trajectory_id,
        "signal_id": event.signal_id,
        "feedback": None if event.feedback is None else event.feedback.value,
    }
