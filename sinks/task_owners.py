"""Whose task it is: for whoever takes task updates over HTTP and must refuse those of another municipality.

Flows in: task ids, and for whom somebody may speak. Flows out: the municipality of those of the tasks that are theirs,
as the database shows them under row-level security.
"""

from collections.abc import Sequence

from signaalwissel.sinks.database import database_away
from signaalwissel.sinks.row_security import READER, RowScope, scoped
from signaalwissel.sinks.tables import tasks
from sqlalchemy import Engine, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

_OWNERS = select(tasks.c.task_id, tasks.c.municipality).where(
    tasks.c.task_id == any_(bindparam("ids", type_=ARRAY(Text)))
)


def municipalities_of(
    engine: Engine, ids: Sequence[str], municipalities: frozenset[str], role: str | None = READER
) -> dict[str, str]:
    """The municipality of each task that is one of those municipalities'; others are not in it.

    Raises:
        ServiceAway: PostgreSQL does not answer, or not in time.
    """
    # PostgreSQL has no text with a zero byte, so no task has such an id.
    possible = [one for one in ids if "\x00" not in one]
    if not possible or not municipalities:
        return {}
    with database_away(), scoped(engine, RowScope(municipalities), role) as connection:
        return {row.task_id: row.municipality for row in connection.execute(_OWNERS, {"ids": possible})}
