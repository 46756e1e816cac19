"""What came of a task, and which of its signals came when it was done."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; what came of a task is what the last update that can end one said."""
    op.add_column("task_signals", sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("tasks", sa.Column("outcome", sa.Text(), nullable=True))
    op.execute(
        """
        UPDATE tasks SET outcome = (
            SELECT task_updates.outcome FROM task_updates
            WHERE task_updates.task_id = tasks.task_id
                AND task_updates.kind IN ('CONTACT_MADE', 'COMPLETED', 'PLAN_EVALUATED')
            ORDER BY task_updates.occurred_at DESC LIMIT 1
        )
        WHERE status = 'DONE'
        """
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("tasks", "outcome")
    op.drop_column("task_signals", "late")
