"""Retention: holds, terms, tombstones, destroyed days, proofs, and figures that outlive their signals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)
_TABLES = (
    "retention_holds",
    "retention_terms",
    "retention_tombstones",
    "retention_days",
    "retention_proofs",
    "retained_figures",
)


def upgrade() -> None:
    """Create the tables."""
    _create_holds()
    _create_terms()
    _create_destroyed()
    _create_kept()


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_holds() -> None:
    op.create_table(
        "retention_holds",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("placed_at", _MOMENT, nullable=False),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_retention_holds")),
    )
    op.create_index(
        op.f("ix_retention_holds_municipality_trajectory_id"),
        "retention_holds",
        ["municipality", "trajectory_id"],
    )


def _create_terms() -> None:
    op.create_table(
        "retention_terms",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("entrepreneur", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "trajectory_id", name=op.f("pk_retention_terms")),
    )
    op.create_index(
        op.f("ix_retention_terms_municipality_ended_on"),
        "retention_terms",
        ["municipality", "ended_on"],
        postgresql_where=sa.text("ended_on IS NOT NULL"),
    )


def _create_destroyed() -> None:
    op.create_table(
        "retention_tombstones",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("destroyed_on", sa.Date(), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_retention_tombstones")),
    )
    op.create_table(
        "retention_days",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key_destroyed_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("municipality", "day", name=op.f("pk_retention_days")),
    )
    op.create_index(
        op.f("ix_retention_days_municipality_day"),
        "retention_days",
        ["municipality", "day"],
        postgresql_where=sa.text("key_destroyed_at IS NULL"),
    )


def _create_kept() -> None:
    op.create_table(
        "retention_proofs",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("destroyed_on", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("justification", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("municipality", "kind", "destroyed_on", name=op.f("pk_retention_proofs")),
    )
    op.create_table(
        "retained_figures",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("partner_kind", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("after_admission", sa.Integer(), nullable=True),
        sa.Column("after_exit", sa.Integer(), nullable=True),
        sa.Column("suppress_below", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "municipality", "month", "partner_kind", "partner_id", name=op.f("pk_retained_figures")
        ),
    )
