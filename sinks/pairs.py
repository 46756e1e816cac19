"""Many trajectories as arguments of one statement.

Flows in: trajectory keys. Flows out: two arrays side by side, for `unnest(:municipalities, :trajectories)`.
"""

from collections.abc import Iterable

from signaalwissel.sinks.casebook import TrajectoryKey
from sqlalchemy import Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

PAIRS = (
    bindparam("municipalities", type_=ARRAY(Text)),
    bindparam("trajectories", type_=ARRAY(Text)),
)
"""Types of the two arrays, for `bindparams`."""


def arrays(keys: Iterable[TrajectoryKey]) -> dict[str, list[str]]:
    """The two arrays."""
    pairs = list(keys)
    return {
        "municipalities": [pair.municipality for pair in pairs],
        "trajectories": [pair.trajectory_id for pair in pairs],
    }
