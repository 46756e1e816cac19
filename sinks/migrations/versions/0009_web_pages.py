"""What the web pages walk: the work list in its order, and who looked at a signal; both under row-level security."""

from alembic import op

revision = "0009"
down_revision = "0008"

_OPEN = "status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')"
_LISTS = {
    "ix_tasks_work_list": "municipality, due_on, task_id",
    "ix_tasks_work_list_assignee": "municipality, assignee, due_on, task_id",
    "ix_tasks_work_list_team": "municipality, team, due_on, task_id",
}
_MINE = "municipality = ANY (string_to_array(current_setting('signaalwissel.municipalities', true), ','))"


def upgrade() -> None:
    """Make the indexes, and let readers see what was done with the data of their municipality."""
    for name, columns in _LISTS.items():
        op.execute(f"CREATE INDEX {name} ON tasks ({columns}) WHERE {_OPEN}")
    op.execute("CREATE INDEX ix_audit_events_trace_id ON audit_events (trace_id) WHERE trace_id IS NOT NULL")
    op.execute("ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY readers ON audit_events FOR SELECT USING ({_MINE})")


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP POLICY readers ON audit_events")
    op.execute("ALTER TABLE audit_events DISABLE ROW LEVEL SECURITY")
    op.execute("DROP INDEX ix_audit_events_trace_id")
    for name in _LISTS:
        op.execute(f"DROP INDEX {name}")
