"""Row-level security on what pages and interfaces read; the owner of the tables stays above it."""

from alembic import op

revision = "0008"
down_revision = "0007"

_OF_A_MUNICIPALITY = ("decisions", "trajectories", "found", "tasks", "notices")
# The policy of `tasks` holds inside these questions too.
_OF_A_TASK = {
    "task_signals": "EXISTS (SELECT FROM tasks WHERE tasks.task_id = task_signals.task_id)",
    "task_history": "EXISTS (SELECT FROM tasks WHERE tasks.task_id = task_history.task_id)",
    "task_updates": "EXISTS (SELECT FROM tasks WHERE tasks.task_id = task_updates.task_id)",
}
# Without the setting there is no row: null is equal to nothing.
_MINE = "municipality = ANY (string_to_array(current_setting('signaalwissel.municipalities', true), ','))"
_EVERY = "current_setting('signaalwissel.every_dead_letter', true) = 'on'"


def upgrade() -> None:
    """Switch it on, with one policy for reading on each table; nobody but the owner writes."""
    for table in _OF_A_MUNICIPALITY:
        _protect(table, _MINE)
    _protect("dead_letters", f"{_MINE} OR {_EVERY}")
    for table, seen in _OF_A_TASK.items():
        _protect(table, seen)


def downgrade() -> None:
    """Switch it off."""
    for table in (*_OF_A_MUNICIPALITY, "dead_letters", *_OF_A_TASK):
        op.execute(f"DROP POLICY readers ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _protect(table: str, seen: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY readers ON {table} FOR SELECT USING ({seen})")
