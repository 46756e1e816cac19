"""What the check before a signal is sent looks up: the match keys of each trajectory, out of its state."""

import sqlalchemy as sa
from alembic import op
from signaalwissel.schemas.fact_codec import read_trajectory_state

revision = "0013"
down_revision = "0012"

_AT_ONCE = 1000
_MINE = "municipality = ANY (string_to_array(current_setting('signaalwissel.municipalities', true), ','))"
_STATES = sa.text(
    """
    SELECT municipality, trajectory_id, state FROM trajectories
    WHERE (municipality, trajectory_id) > (:municipality, :trajectory_id) AND NOT erased AND state <> ''
    ORDER BY municipality, trajectory_id LIMIT :most
    """
)


def upgrade() -> None:
    """Make the table and fill it."""
    keys = op.create_table(
        "trajectory_keys",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("match_key", sa.LargeBinary(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "municipality", "match_key", "trajectory_id", name=op.f("pk_trajectory_keys")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "trajectory_id"],
            ["trajectories.municipality", "trajectories.trajectory_id"],
            name=op.f("fk_trajectory_keys_trajectories"),
            ondelete="CASCADE",
        ),
    )
    _fill(keys)
    op.create_index(
        op.f("ix_trajectory_keys_municipality_trajectory_id"),
        "trajectory_keys",
        ["municipality", "trajectory_id"],
    )
    op.execute("ALTER TABLE trajectory_keys ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY readers ON trajectory_keys FOR SELECT USING ({_MINE})")


def downgrade() -> None:
    """Take it away."""
    op.drop_table("trajectory_keys")


def _fill(keys: sa.Table) -> None:
    connection = op.get_bind()
    municipality = trajectory_id = ""
    while True:
        after = {"municipality": municipality, "trajectory_id": trajectory_id, "most": _AT_ONCE}
        found = connection.execute(_STATES, after).all()
        if not found:
            return
        rows = [
            {"municipality": row.municipality, "match_key": key, "trajectory_id": row.trajectory_id}
            for row in found
            for key in sorted(set(read_trajectory_state(bytes(row.state)).match_keys))
        ]
        if rows:
            connection.execute(keys.insert(), rows)
        municipality, trajectory_id = found[-1].municipality, found[-1].trajectory_id
