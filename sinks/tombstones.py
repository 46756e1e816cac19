"""Tombstones: which trajectories were destroyed, as digests, so that nothing that comes late brings them back.

Flows in: keys of trajectories, batches. Flows out: batches without what is destroyed; rows that hold no id of anybody.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date

from signaalwissel.processors.retention import trajectories_named, without_destroyed
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.retention_locks import share_with_destruction
from signaalwissel.sinks.retention_tables import retention_tombstones
from sqlalchemy import Connection, LargeBinary, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

_SIZE = 16
_SEPARATOR = "\x1f"
_T = retention_tombstones.c
_DIGESTS = bindparam("digests", type_=ARRAY(LargeBinary))
_AMONG = select(_T.digest).where(_T.digest == any_(_DIGESTS))
_CONFIRM = (
    retention_tombstones.update()
    .where(_T.digest == any_(_DIGESTS), _T.confirmed_on.is_(None))
    .values(confirmed_on=bindparam("today"))
)


def digest_of(key: TrajectoryKey) -> bytes:
    """What stays of a trajectory's id."""
    text = _SEPARATOR.join(key)
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"tombstone").digest()


def lay(
    connection: Connection, keys: Iterable[TrajectoryKey], today: date, erased: Collection[TrajectoryKey]
) -> None:
    """Keep that trajectories are destroyed; `erased` are those that intake has forgotten already."""
    rows = [
        {
            "digest": digest_of(key),
            "municipality": key.municipality,
            "destroyed_on": today,
            "confirmed_on": today if key in erased else None,
        }
        for key in keys
    ]
    if rows:
        connection.execute(insert(retention_tombstones).on_conflict_do_nothing(), rows)


def among(connection: Connection, keys: Iterable[TrajectoryKey]) -> set[TrajectoryKey]:
    """Which of these trajectories are destroyed."""
    by_digest = {digest_of(key): key for key in keys}
    if not by_digest:
        return set()
    found = connection.execute(_AMONG, {"digests": list(by_digest)}).scalars()
    return {by_digest[bytes(digest)] for digest in found}


def spared(connection: Connection, batch: Batch, today: Callable[[], date]) -> Batch:
    """A batch without what it says of destroyed trajectories, in the caller's transaction.

    Until the end of that transaction no further one is destroyed. What intake tells of its own forgetting is noted.
    """
    told = {TrajectoryKey(state.municipality, state.trajectory_id) for state, _ in batch.states}
    named = {
        TrajectoryKey(decision.municipality, number)
        for decision in batch.decisions
        for number in trajectories_named(decision)
    }
    if not told and not named:
        return batch
    share_with_destruction(connection)
    gone = among(connection, told | named)
    if not gone:
        return batch
    forgotten = {
        TrajectoryKey(state.municipality, state.trajectory_id) for state, _ in batch.states if state.erased
    }
    if confirmed := gone & forgotten:
        digests = [digest_of(key) for key in confirmed]
        connection.execute(_CONFIRM, {"digests": digests, "today": today()})
    return _without(batch, gone)


def _without(batch: Batch, gone: Collection[TrajectoryKey]) -> Batch:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for municipality, trajectory_id in gone:
        ids[municipality].add(trajectory_id)
    return replace(
        batch,
        states=[
            one for one in batch.states if one.state.trajectory_id not in ids.get(one.state.municipality, ())
        ],
        decisions=[without_destroyed(one, ids.get(one.municipality, ())) for one in batch.decisions],
    )
