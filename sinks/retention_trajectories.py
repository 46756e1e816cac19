"""Trajectories: from when their period counts, and their destruction with all that hangs on them.

Flows in: trajectories as the sink knows them. Flows out: rows of `retention_terms`; and of those whose period is over
nothing but a tombstone.
"""

from collections.abc import Sequence
from typing import Any

from signaalwissel.processors.retention import DataKind, Lapse, lapse_of
from signaalwissel.processors.retention_proof import RETENTION_OVER
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.forgetting import Farewell, forget_trajectories
from signaalwissel.sinks.retention_locks import lock_destruction
from signaalwissel.sinks.retention_scope import Scope, Step, Tally, tallied
from signaalwissel.sinks.retention_tables import retention_terms
from signaalwissel.sinks.task_lock import lock_tasks
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

_UNMEASURED = text(
    """
    SELECT trajectory_id, t.version, t.state FROM trajectories AS t
        LEFT JOIN retention_terms AS term USING (municipality, trajectory_id)
    WHERE municipality = :municipality AND term.version IS DISTINCT FROM t.version
    ORDER BY trajectory_id LIMIT :most
    """
)
_OVER = text(
    """
    SELECT trajectory_id FROM retention_terms AS term
        JOIN trajectories AS t USING (municipality, trajectory_id, version)
    WHERE municipality = :municipality AND term.ended_on <= :over AND term.entrepreneur = :entrepreneur
        AND NOT EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = t.municipality AND hold.trajectory_id = t.trajectory_id
                AND hold.released_at IS NULL AND hold.until >= :today
        )
    ORDER BY term.ended_on, trajectory_id LIMIT :most
    """
)
# What names a trajectory of which no state ever came, or none any more.
_ORPHANED = text(
    """
    SELECT trajectory_id FROM (
        SELECT trajectory_id, opened_on AS day FROM tasks
        WHERE municipality = :municipality AND trajectory_id IS NOT NULL AND kind <> 'VERIFY_IDENTITY'
        UNION ALL SELECT trajectory_id, first_found_on FROM found WHERE municipality = :municipality
        UNION ALL SELECT trajectory_id, occurred_on FROM notices
        WHERE municipality = :municipality AND trajectory_id IS NOT NULL
    ) AS named
    WHERE NOT EXISTS (
        SELECT FROM trajectories AS t
        WHERE t.municipality = :municipality AND t.trajectory_id = named.trajectory_id
    ) AND NOT EXISTS (
        SELECT FROM retention_holds AS hold
        WHERE hold.municipality = :municipality AND hold.trajectory_id = named.trajectory_id
            AND hold.released_at IS NULL AND hold.until >= :today
    )
    GROUP BY trajectory_id HAVING max(day) <= :over
    ORDER BY trajectory_id LIMIT :most
    """
)
_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE over), count(*) FILTER (WHERE over AND held) FROM (
        SELECT coalesce(term.ended_on <= :over, false) AS over, EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = term.municipality AND hold.trajectory_id = term.trajectory_id
                AND hold.released_at IS NULL AND hold.until >= :today
        ) AS held
        FROM retention_terms AS term JOIN trajectories USING (municipality, trajectory_id)
        WHERE municipality = :municipality AND term.entrepreneur = :entrepreneur
    ) AS every
    """
)


def measure(connection: Connection, scope: Scope) -> int:
    """Reckon from when the period of changed trajectories counts, a batch of them; gives how many there were."""
    most = scope.settings.retention_batch
    rows = connection.execute(_UNMEASURED, {"municipality": scope.municipality, "most": most}).all()
    if rows:
        statement = insert(retention_terms)
        replaced = {name: statement.excluded[name] for name in ("version", "ended_on", "entrepreneur")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["municipality", "trajectory_id"], set_=replaced),
            [_term(scope.municipality, row) for row in rows],
        )
    return len(rows)


def _term(municipality: str, row: Any) -> dict[str, object]:
    lapse: Lapse = lapse_of(read_trajectory_state(bytes(row.state)))
    return {
        "municipality": municipality,
        "trajectory_id": row.trajectory_id,
        "version": row.version,
        "ended_on": lapse.ended_on,
        "entrepreneur": lapse.entrepreneur,
    }


def _step(kind: DataKind, *, entrepreneur: bool) -> Step:
    def choose(connection: Connection, scope: Scope) -> Sequence[Any]:
        about = scope.about(kind, entrepreneur=entrepreneur)
        over = list(connection.execute(_OVER, about).scalars())
        if not over and not entrepreneur:
            over = list(connection.execute(_ORPHANED, scope.about(kind)).scalars())
        return over

    def tally(connection: Connection, scope: Scope) -> Tally:
        counted = tallied(connection, _TALLY, scope.about(kind, entrepreneur=entrepreneur))
        if entrepreneur:
            return counted
        everything = scope.about(kind, most=None)
        orphans = len(connection.execute(_ORPHANED, everything).all())
        return counted._replace(kept=counted.kept + orphans, due=counted.due + orphans)

    return Step(kind, choose, _destroy, tally, _lock)


def _lock(connection: Connection) -> None:
    lock_destruction(connection)
    lock_tasks(connection)


def _destroy(destruction: Destruction, scope: Scope, ids: Sequence[Any]) -> int:
    keys = [TrajectoryKey(scope.municipality, trajectory_id) for trajectory_id in ids]
    forget_trajectories(destruction, keys, Farewell(scope.settings, scope.moment, RETENTION_OVER))
    return len(keys)


TRAJECTORIES = _step(DataKind.TRAJECTORY, entrepreneur=False)
TRAJECTORIES_OF_ENTREPRENEURS = _step(DataKind.TRAJECTORY_OF_ENTREPRENEUR, entrepreneur=True)
