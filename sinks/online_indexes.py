"""An index on a table to which programs of the version before write all the while, made without stopping them.

Flows in: a name and what the index is on. Flows out: an index that is whole, also after an attempt that broke off.
"""

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

_UNUSABLE = text(
    "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)"
)


def create_index(name: str, on: str) -> None:
    """Make an index outside a transaction; what the migration did before it is committed.

    Args:
        name: Of the index.
        on: Table, columns and condition, as SQL says them after `ON`.

    Raises:
        DBAPIError: What PostgreSQL said; an index that is not usable may be left, and the next attempt mends it.
    """
    try:
        with op.get_context().autocommit_block():
            _create(name, on)
    except PendingRollbackError as hidden:
        # At its end the block uses the connection whatever happened in it, and where that is gone hides why.
        if isinstance(hidden.__context__, DBAPIError):
            raise hidden.__context__ from None
        raise


def _create(name: str, on: str) -> None:
    # PostgreSQL leaves an index behind that was not finished: every writer keeps it up, and no query uses it.
    if op.get_bind().execute(_UNUSABLE, {"name": name}).scalar_one():
        op.execute(f"DROP INDEX CONCURRENTLY {name}")
    op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}")
