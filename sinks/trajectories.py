"""Trajectories as the sink knows them: who runs each, and the whole state for rules to come.

Flows in: records of `trajectory-states`. Flows out: rows, one for each trajectory, never replaced by an older one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from signaalwissel.processors.followup_counsellors import assignment
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.trajectory import Counsellor
from signaalwissel.sinks import trajectory_keys
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.pairs import PAIRS, arrays
from signaalwissel.sinks.records import ReceivedState
from signaalwissel.sinks.tables import trajectories
from sqlalchemy import ColumnElement, Connection, Date, Text, and_, bindparam, not_, or_, text
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert

LOOK_NOW = date.min
"""`next_on` of a trajectory that the clock has not seen since it changed."""

_READ = text(
    """
    SELECT municipality, trajectory_id, version, counsellor_id, counsellor_team
    FROM trajectories JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    """
).bindparams(*PAIRS)
_STATES = text(
    """
    SELECT municipality, trajectory_id, state
    FROM trajectories JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    ORDER BY municipality, trajectory_id
    """
).bindparams(*PAIRS)
_DUE = text(
    """
    SELECT municipality, trajectory_id FROM trajectories WHERE next_on <= :today
    ORDER BY next_on, municipality, trajectory_id LIMIT :most
    """
)
_LOOK_AT = text(
    """
    UPDATE trajectories SET next_on = news.next_on
    FROM unnest(:municipalities, :trajectories, :days) AS news (municipality, trajectory_id, next_on)
    WHERE trajectories.municipality = news.municipality AND trajectories.trajectory_id = news.trajectory_id
        AND trajectories.next_on IS DISTINCT FROM news.next_on
    """
).bindparams(*PAIRS, bindparam("days", type_=ARRAY(Date)))

_INFORMING = text(
    """
    UPDATE trajectories SET next_on = :now
    FROM tasks
    WHERE tasks.kind = 'INFORM_RESIDENT' AND tasks.status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
        AND tasks.municipality = ANY(:municipalities)
        AND trajectories.municipality = tasks.municipality
        AND trajectories.trajectory_id = tasks.trajectory_id
        AND trajectories.next_on IS DISTINCT FROM :now
    """
).bindparams(bindparam("municipalities", type_=ARRAY(Text)), bindparam("now", type_=Date))


class Known(NamedTuple):
    """What is stored of a trajectory."""

    version: int
    counsellor: Counsellor | None


class NewCounsellor(NamedTuple):
    """A trajectory changed hands; `fact` says to whom and when."""

    key: TrajectoryKey
    counsellor: Counsellor
    fact: Fact


def known(connection: Connection, keys: Iterable[TrajectoryKey]) -> dict[TrajectoryKey, Known]:
    """What is stored of these trajectories."""
    wanted = list(keys)
    if not wanted:
        return {}
    rows = connection.execute(_READ, arrays(wanted))
    return {
        TrajectoryKey(row.municipality, row.trajectory_id): Known(
            row.version,
            None if row.counsellor_id is None else Counsellor(row.counsellor_id, row.counsellor_team),
        )
        for row in rows
    }


def record(
    connection: Connection, states: Sequence[ReceivedState], stored: dict[TrajectoryKey, Known]
) -> tuple[list[NewCounsellor], list[TrajectoryState]]:
    """Store states that are newer than what is stored, bring `stored` up to date, and tell who is new and what was kept."""
    rows: dict[TrajectoryKey, dict[str, Any]] = {}
    changes = []
    kept: dict[TrajectoryKey, TrajectoryState] = {}
    for state, data in states:
        key = TrajectoryKey(state.municipality, state.trajectory_id)
        before = stored.get(key)
        if before is not None and state.version <= before.version:
            continue
        fact = assignment(state)
        counsellor = None if fact is None else fact.counsellor
        if (
            fact is not None
            and counsellor is not None
            and (before is None or before.counsellor != counsellor)
        ):
            changes.append(NewCounsellor(key, counsellor, fact))
        stored[key] = Known(state.version, counsellor)
        kept[key] = state
        rows[key] = {
            "municipality": state.municipality,
            "trajectory_id": state.trajectory_id,
            "version": state.version,
            "erased": state.erased,
            "counsellor_id": counsellor and counsellor.counsellor_id,
            "counsellor_team": counsellor and counsellor.team,
            "state": data,
            "next_on": LOOK_NOW,
        }
    if rows:
        statement = insert(trajectories)
        replaced = {name: statement.excluded[name] for name in next(iter(rows.values()))}
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["municipality", "trajectory_id"],
                set_=replaced,
                where=_is_newer(statement),
            ),
            list(rows.values()),
        )
        trajectory_keys.follow(connection, kept.values())
    return changes, list(kept.values())


def _is_newer(statement: Insert) -> ColumnElement[bool]:
    # Erased is for good: what was on its way when a resident was erased brings nothing back.
    stays_erased = or_(not_(trajectories.c.erased), statement.excluded.erased)
    return and_(trajectories.c.version < statement.excluded.version, stays_erased)


def states(connection: Connection, keys: Iterable[TrajectoryKey]) -> dict[TrajectoryKey, TrajectoryState]:
    """The newest state of each of these trajectories that came yet, in the order of their keys.

    The order is part of the result: of a resident's trajectories the first gives his notice, also after a restart.
    """
    return {
        TrajectoryKey(row.municipality, row.trajectory_id): read_trajectory_state(bytes(row.state))
        for row in connection.execute(_STATES, arrays(keys))
    }


def due(connection: Connection, today: date, most: int) -> list[TrajectoryKey]:
    """Trajectories at which the clock must look on or before `today`, at most so many."""
    return [TrajectoryKey(*row) for row in connection.execute(_DUE, {"today": today, "most": most})]


def counsellor_of(state: TrajectoryState) -> Counsellor | None:
    """Who runs a trajectory by this state, if anybody is known."""
    fact = assignment(state)
    return None if fact is None else fact.counsellor


def look_at(connection: Connection, days: Mapping[TrajectoryKey, date | None]) -> None:
    """Set when the clock looks next; None for never, until something arrives."""
    if days:
        connection.execute(_LOOK_AT, {**arrays(days), "days": list(days.values())})


def look_at_informing(connection: Connection, municipalities: Iterable[str]) -> None:
    """Have the clock look at once at every trajectory of which a resident is to be informed.

    Somebody was informed, and no table tells in which other trajectories he is: those are few, so all are looked at.
    """
    connection.execute(_INFORMING, {"municipalities": sorted(municipalities), "now": LOOK_NOW})
