"""Whose trajectory was found for a signal, and since when: the duty to inform the resident counts from there.

Flows in: decisions that are new. Flows out: per client of a trajectory the earliest day of receipt, whatever the order
in which the signals came.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from signaalwissel.processors.followup_notices import first_found
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.pairs import PAIRS, arrays
from sqlalchemy import Connection, Date, Integer, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_RECORD = text(
    """
    INSERT INTO found (municipality, trajectory_id, client, first_found_on)
    SELECT * FROM unnest(:municipalities, :trajectories, :clients, :days)
    ON CONFLICT (municipality, trajectory_id, client) DO UPDATE SET first_found_on = excluded.first_found_on
        WHERE found.first_found_on > excluded.first_found_on
    RETURNING municipality, trajectory_id
    """
).bindparams(*PAIRS, bindparam("clients", type_=ARRAY(Integer)), bindparam("days", type_=ARRAY(Date)))
_READ = text(
    """
    SELECT * FROM found JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    """
).bindparams(*PAIRS)
_FORGET = text(
    """
    DELETE FROM found USING unnest(:municipalities, :trajectories) AS gone (municipality, trajectory_id)
    WHERE found.municipality = gone.municipality AND found.trajectory_id = gone.trajectory_id
    """
).bindparams(*PAIRS)

FirstDays = Mapping[tuple[TrajectoryKey, int], date]


def first_days(decisions: Iterable[Decision]) -> dict[tuple[TrajectoryKey, int], date]:
    """Which clients of which trajectories these decisions found, and the earliest day for each."""
    days: dict[tuple[TrajectoryKey, int], date] = {}
    for decision in decisions:
        hit = first_found(decision)
        if hit is not None:
            place = TrajectoryKey(decision.municipality, hit.trajectory_id), hit.client
            days[place] = min(hit.day, days.get(place, hit.day))
    return days


def record(connection: Connection, days: FirstDays) -> set[TrajectoryKey]:
    """Store days that are new or earlier than what is stored; give the trajectories that this is about."""
    if not days:
        return set()
    values = {
        **arrays(key for key, _ in days),
        "clients": [client for _, client in days],
        "days": list(days.values()),
    }
    return {TrajectoryKey(*row) for row in connection.execute(_RECORD, values)}


def load(connection: Connection, keys: Iterable[TrajectoryKey]) -> dict[TrajectoryKey, dict[int, date]]:
    """The first day per client of each of these trajectories; nothing for one that was never found."""
    days: defaultdict[TrajectoryKey, dict[int, date]] = defaultdict(dict)
    for row in connection.execute(_READ, arrays(keys)):
        days[TrajectoryKey(row.municipality, row.trajectory_id)][row.client] = row.first_found_on
    return days


def forget(connection: Connection, keys: Iterable[TrajectoryKey]) -> None:
    """Forget erased trajectories."""
    connection.execute(_FORGET, arrays(keys))
