"""Updates by number and task, whose arrears a task's signals are, and row-level security of the kept figures."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_MINE = "municipality = ANY (string_to_array(current_setting('signaalwissel.municipalities', true), ','))"


def upgrade() -> None:
    """Let the same number stand under several tasks; whose arrears they are, the decision knows."""
    op.drop_constraint("pk_task_updates", "task_updates", type_="primary")
    op.create_primary_key("pk_task_updates", "task_updates", ["update_id", "task_id"])
    op.add_column("task_signals", sa.Column("client", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE task_signals SET client = decisions.client FROM decisions"
        " WHERE decisions.routing_id = task_signals.routing_id"
    )
    op.execute("ALTER TABLE retained_figures ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY readers ON retained_figures FOR SELECT USING ({_MINE})")


def downgrade() -> None:
    """One number, one task again; of several the one with the lowest task id stays."""
    op.execute("DROP POLICY readers ON retained_figures")
    op.execute("ALTER TABLE retained_figures DISABLE ROW LEVEL SECURITY")
    op.drop_column("task_signals", "client")
    op.execute(
        "DELETE FROM task_updates USING task_updates AS other"
        " WHERE other.update_id = task_updates.update_id AND other.task_id < task_updates.task_id"
    )
    op.drop_constraint("pk_task_updates", "task_updates", type_="primary")
    op.create_primary_key("pk_task_updates", "task_updates", ["update_id"])
