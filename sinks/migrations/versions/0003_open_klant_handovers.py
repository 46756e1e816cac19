"""The table of the hand-over to Open Klant."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "open_klant_handovers",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("klantcontact", sa.Uuid(), nullable=True),
        sa.Column("internetaak", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.task_id"], name=op.f("fk_open_klant_handovers_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_open_klant_handovers")),
    )
    op.create_index(
        "ix_open_klant_handovers_due",
        "open_klant_handovers",
        ["next_attempt_at"],
        postgresql_where=sa.text("status IN ('WAITING', 'OPEN')"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("open_klant_handovers")
