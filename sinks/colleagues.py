"""The counsellors whom a municipality's records know: to whom a task can be handed over.

Flows in: a connection that sees somebody's municipalities. Flows out: ids of counsellors, in order.
"""

from sqlalchemy import Connection, text

# Who has open tasks and who runs trajectories is walked in an index each, one step for each of them, however many tasks
# and trajectories there are.
_KNOWN = text(
    """
    WITH RECURSIVE owners (assignee) AS (
        (
            SELECT assignee FROM tasks
            WHERE municipality = :municipality AND status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
                AND assignee IS NOT NULL
            ORDER BY assignee LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT tasks.assignee FROM tasks
            WHERE municipality = :municipality AND status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')
                AND tasks.assignee > owners.assignee
            ORDER BY tasks.assignee LIMIT 1
        )
        FROM owners WHERE owners.assignee IS NOT NULL
    ),
    running (counsellor_id) AS (
        (
            SELECT counsellor_id FROM trajectories
            WHERE municipality = :municipality AND counsellor_id IS NOT NULL
            ORDER BY counsellor_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT trajectories.counsellor_id FROM trajectories
            WHERE municipality = :municipality AND trajectories.counsellor_id > running.counsellor_id
            ORDER BY trajectories.counsellor_id LIMIT 1
        )
        FROM running WHERE running.counsellor_id IS NOT NULL
    )
    SELECT assignee FROM owners WHERE assignee IS NOT NULL
    UNION
    SELECT counsellor_id FROM running WHERE counsellor_id IS NOT NULL
    ORDER BY 1
    """
)


def known_counsellors(connection: Connection, municipality: str) -> list[str]:
    """Who runs a trajectory of the municipality, or has an open task there."""
    return list(connection.execute(_KNOWN, {"municipality": municipality}).scalars())
