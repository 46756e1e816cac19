"""The contacts of a municipality by the month in which they began are found without reading all tasks."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        "CREATE INDEX ix_tasks_figures ON tasks (municipality, opened_on) WHERE kind = 'CONTACT_ON_RELAPSE'"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP INDEX ix_tasks_figures")
