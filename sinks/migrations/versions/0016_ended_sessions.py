"""Sessions of the pages that were ended before their time."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ended_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("ended_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ended_sessions")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("ended_sessions")
