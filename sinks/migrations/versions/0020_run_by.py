"""Who runs a municipality's trajectories, found without reading all of them."""

from alembic import op
from signaalwissel.sinks.online_indexes import create_index

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the index."""
    create_index(
        "ix_trajectories_run_by", "trajectories (municipality, counsellor_id) WHERE counsellor_id IS NOT NULL"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP INDEX ix_trajectories_run_by")
