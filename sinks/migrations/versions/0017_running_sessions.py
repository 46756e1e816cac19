"""Sessions of the pages that run, so that people see and end their own."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "running_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("began_s", sa.BigInteger(), nullable=False),
        sa.Column("seen_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_running_sessions")),
    )
    op.create_index("ix_running_sessions_person", "running_sessions", ["person"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("running_sessions")
