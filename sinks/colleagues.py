"""The counsellors whom a municipality's records know: to whom a task can be handed over.

Flows in: a connection that sees somebody's municipalities. Flows out: ids of counsellors, in order.
"""

from sqlalchemy import Connection, text

# The owners of open tasks are walked in their index, one step for each of them, however many tasks there are.
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
    )
    SELECT assignee FROM owners WHERE assignee IS NOT NULL
    UNION
    SELECT counsellor_id FROM trajectories WHERE municipality = :municipality AND counsellor_id IS NOT NULL
    ORDER BY 1
    """
)


def known_counsellors(connection: Connection, municipality: str) -> list[str]:
    """Who runs a trajectory of the municipality, or has an open task there."""
    return list(connection.execute(_KNOWN, {"municipality": municipality}).scalars())
