"""Under which match keys each trajectory lies: what the check before a signal is sent looks up (design 3).

Flows in: states that were stored. Flows out: a row for each of their match keys, and none that they have no more; and
the states at the match keys that somebody asks for. No row names a person: a match key is a keyed hash.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.internal import TrajectoryState
from sqlalchemy import BigInteger, Connection, LargeBinary, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_TEXTS, _KEYS = ARRAY(Text), ARRAY(LargeBinary)
_OF_STATES = (
    bindparam("municipalities", type_=_TEXTS),
    bindparam("trajectories", type_=_TEXTS),
    bindparam("versions", type_=ARRAY(BigInteger)),
)
_OF_KEYS = (
    bindparam("of_municipality", type_=_TEXTS),
    bindparam("of_trajectory", type_=_TEXTS),
    bindparam("of_version", type_=ARRAY(BigInteger)),
    bindparam("match_keys", type_=_KEYS),
)
# Only where the state is the one that stands: an older one, or one of an erased trajectory, was not stored.
_GONE = text(
    """
    DELETE FROM trajectory_keys AS known
    USING unnest(:municipalities, :trajectories, :versions) AS state (municipality, trajectory_id, version)
        JOIN trajectories AS stored USING (municipality, trajectory_id, version)
    WHERE known.municipality = state.municipality AND known.trajectory_id = state.trajectory_id
        AND (known.municipality, known.trajectory_id, known.match_key) NOT IN (
            SELECT * FROM unnest(:of_municipality, :of_trajectory, :match_keys)
        )
    """
).bindparams(*_OF_STATES, *(one for one in _OF_KEYS if one.key != "of_version"))
_ADDED = text(
    """
    INSERT INTO trajectory_keys (municipality, match_key, trajectory_id)
    SELECT state.municipality, state.match_key, state.trajectory_id
    FROM unnest(:of_municipality, :of_trajectory, :of_version, :match_keys)
            AS state (municipality, trajectory_id, version, match_key)
        JOIN trajectories AS stored USING (municipality, trajectory_id, version)
    ON CONFLICT DO NOTHING
    """
).bindparams(*_OF_KEYS)
_AT = text(
    """
    SELECT DISTINCT municipality, trajectory_id, known.match_key, state
    FROM unnest(:of_municipality, :match_keys) AS asked (municipality, match_key)
        JOIN trajectory_keys AS known USING (municipality, match_key)
        JOIN trajectories USING (municipality, trajectory_id)
    """
).bindparams(*(one for one in _OF_KEYS if one.key in {"of_municipality", "match_keys"}))


class Place(NamedTuple):
    """A match key in a municipality."""

    municipality: str
    match_key: bytes


def follow(connection: Connection, states: Iterable[TrajectoryState]) -> None:
    """Bring the keys of trajectories in line with these states, where they are the ones that are stored."""
    every = list(states)
    pairs = [(state, key) for state in every for key in state.match_keys]
    of_keys = {
        "of_municipality": [state.municipality for state, _ in pairs],
        "of_trajectory": [state.trajectory_id for state, _ in pairs],
        "match_keys": [key for _, key in pairs],
    }
    of_states = {
        "municipalities": [state.municipality for state in every],
        "trajectories": [state.trajectory_id for state in every],
        "versions": [state.version for state in every],
    }
    connection.execute(_GONE, {**of_states, **of_keys})
    if pairs:
        connection.execute(_ADDED, {**of_keys, "of_version": [state.version for state, _ in pairs]})


def states_at(connection: Connection, places: Collection[Place]) -> Mapping[Place, list[TrajectoryState]]:
    """The newest states at each of these places, as far as this connection sees them."""
    found: defaultdict[Place, list[TrajectoryState]] = defaultdict(list)
    asked = {
        "of_municipality": [place.municipality for place in places],
        "match_keys": [place.match_key for place in places],
    }
    for row in connection.execute(_AT, asked):
        state = read_trajectory_state(bytes(row.state))
        found[Place(row.municipality, bytes(row.match_key))].append(state)
    return found
