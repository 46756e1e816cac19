"""What pages ask of decisions: the latest ones, those that were revised, and what became of contacts."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the indexes."""
    # Few signals are decided again: what was is found without reading and sorting the rest.
    op.execute(
        "CREATE INDEX ix_decisions_revised ON decisions"
        " (municipality, partner_id, signal_id, received_at, revision) WHERE revision > 0"
    )
    op.execute("CREATE INDEX ix_decisions_latest ON decisions (municipality, last_day, received_at)")
    op.execute(
        "CREATE INDEX ix_task_history_climbed ON task_history (task_id)"
        " WHERE what IN ('ESCALATED', 'OFFERED_TO_REGULAR')"
    )
    op.execute(
        "CREATE INDEX ix_task_updates_contact_made ON task_updates (task_id, occurred_at)"
        " WHERE kind = 'CONTACT_MADE'"
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        *("ix_task_updates_contact_made", "ix_task_history_climbed"),
        *("ix_decisions_latest", "ix_decisions_revised"),
    ):
        op.execute(f"DROP INDEX {name}")
