"""A task update is known by its number and its task: two task systems may use the same number."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Let the same number stand under several tasks."""
    op.drop_constraint("pk_task_updates", "task_updates", type_="primary")
    op.create_primary_key("pk_task_updates", "task_updates", ["update_id", "task_id"])


def downgrade() -> None:
    """One number, one task again; of several the one with the lowest task id stays."""
    op.execute(
        "DELETE FROM task_updates USING task_updates AS other"
        " WHERE other.update_id = task_updates.update_id AND other.task_id < task_updates.task_id"
    )
    op.drop_constraint("pk_task_updates", "task_updates", type_="primary")
    op.create_primary_key("pk_task_updates", "task_updates", ["update_id"])
