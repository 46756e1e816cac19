"""What pages ask of decisions: the latest ones, those that were revised, and what became of contacts."""

from alembic import op
from signaalwissel.sinks.online_indexes import create_index

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the indexes."""
    # Few signals are decided again: what was is found without reading and sorting the rest.
    create_index(
        "ix_decisions_revised",
        "decisions (municipality, partner_id, signal_id, received_at, revision) WHERE revision > 0",
    )
    create_index("ix_decisions_latest", "decisions (municipality, last_day, received_at)")
    create_index(
        "ix_task_history_climbed", "task_history (task_id) WHERE what IN ('ESCALATED', 'OFFERED_TO_REGULAR')"
    )
    create_index(
        "ix_task_updates_contact_made", "task_updates (task_id, occurred_at) WHERE kind = 'CONTACT_MADE'"
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        *("ix_task_updates_contact_made", "ix_task_history_climbed"),
        *("ix_decisions_latest", "ix_decisions_revised"),
    ):
        op.execute(f"DROP INDEX {name}")
