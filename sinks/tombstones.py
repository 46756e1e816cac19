"""Tombstones: which trajectories and tasks were destroyed, as digests, so that nothing that comes late brings them back.

Flows in: keys of trajectories, ids of tasks, batches. Flows out: batches without what is destroyed; rows that hold no id
of anybody. A task of a destroyed trajectory is told by that; the others leave tombstones of their own, so that a sink
which finds them on `tasks` does not take them for tasks that a backup lacks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from signaalwissel.processors.retention import trajectories_named, without_destroyed
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.retention_locks import share_with_destruction
from signaalwissel.sinks.retention_tables import retention_tombstones
from signaalwissel.sinks.tables import tasks
from sqlalchemy import Connection, LargeBinary, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

_Key = TypeVar("_Key")
_SIZE = 16
_SEPARATOR = "\x1f"
_T = retention_tombstones.c
_DIGESTS = bindparam("digests", type_=ARRAY(LargeBinary))
_AMONG = select(_T.digest).where(_T.digest == any_(_DIGESTS))
_TASKS = select(tasks.c.task_id, tasks.c.municipality).where(
    tasks.c.task_id == any_(bindparam("ids", type_=ARRAY(Text)))
)
_CONFIRM = (
    retention_tombstones.update()
    .where(_T.digest == any_(_DIGESTS), _T.confirmed_on.is_(None))
    .values(confirmed_on=bindparam("today"))
)


def digest_of(key: TrajectoryKey) -> bytes:
    """What stays of a trajectory's id."""
    text = _SEPARATOR.join(key)
    return hashlib.blake2b(text.encode(), digest_size=_SIZE, person=b"tombstone").digest()


def digest_of_task(task_id: str) -> bytes:
    """What stays of a task's id."""
    return hashlib.blake2b(task_id.encode(), digest_size=_SIZE, person=b"task tombstone").digest()


def lay(
    connection: Connection, keys: Iterable[TrajectoryKey], today: date, erased: Collection[TrajectoryKey]
) -> None:
    """Keep that trajectories are destroyed; `erased` are those that intake has forgotten already."""
    _add(
        connection,
        [
            {
                "digest": digest_of(key),
                "municipality": key.municipality,
                "destroyed_on": today,
                "confirmed_on": today if key in erased else None,
            }
            for key in keys
        ],
    )


def lay_for_tasks(connection: Connection, ids: Collection[str], today: date) -> None:
    """Keep that tasks are destroyed; before they are, as their rows say whose they are."""
    rows = connection.execute(_TASKS, {"ids": list(ids)})
    lay_for_absent_tasks(connection, [(row.task_id, row.municipality) for row in rows], today)


def lay_for_absent_tasks(connection: Connection, tasks: Iterable[tuple[str, str]], today: date) -> None:
    """Keep that tasks, each with its municipality, are destroyed. Nobody else must confirm it."""
    _add(
        connection,
        [
            {
                "digest": digest_of_task(task_id),
                "municipality": municipality,
                "destroyed_on": today,
                "confirmed_on": today,
            }
            for task_id, municipality in tasks
        ],
    )


def _add(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        connection.execute(insert(retention_tombstones).on_conflict_do_nothing(), rows)


def among(connection: Connection, keys: Iterable[TrajectoryKey]) -> set[TrajectoryKey]:
    """Which of these trajectories are destroyed."""
    return _among(connection, {digest_of(key): key for key in keys})


def tasks_among(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these tasks are destroyed."""
    return _among(connection, {digest_of_task(task_id): task_id for task_id in ids})


def _among(connection: Connection, by_digest: Mapping[bytes, _Key]) -> set[_Key]:
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
