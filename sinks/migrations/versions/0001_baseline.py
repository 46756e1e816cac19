"""The first schema: what `sinks/tables.py` describes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_consumed_offsets()
    _create_dead_letters()
    _create_decisions()
    _create_outbox()
    _create_task_updates()
    _create_tasks()
    _create_trajectories()
    _create_task_history()
    _create_task_signals()


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "task_signals",
        "task_history",
        "trajectories",
        "tasks",
        "task_updates",
        "outbox",
        "decisions",
        "dead_letters",
        "consumed_offsets",
    ):
        op.drop_table(table)


def _create_consumed_offsets() -> None:
    op.create_table(
        "consumed_offsets",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_consumed_offsets")),
    )


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("dead_letter_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("replays", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_record_id"), "dead_letters", ["record_id"], unique=False)
    op.create_index(
        op.f("ix_dead_letters_status_timestamp"), "dead_letters", ["status", "timestamp"], unique=False
    )


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("routing_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("reference_date", sa.Date(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("partner_kind", sa.Text(), nullable=False),
        sa.Column("arrears_cents", sa.BigInteger(), nullable=True),
        sa.Column("arrears_since", sa.Date(), nullable=True),
        sa.Column("signalled_on", sa.Date(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("crisis", sa.Boolean(), nullable=True),
        sa.Column("warm_transfer", sa.Boolean(), nullable=True),
        sa.Column("sealed_subject", sa.LargeBinary(), nullable=True),
        sa.Column("trajectory_id", sa.Text(), nullable=True),
        sa.Column("trajectory_state", sa.Text(), nullable=True),
        sa.Column("client", sa.Integer(), nullable=True),
        sa.Column("counsellor_id", sa.Text(), nullable=True),
        sa.Column("counsellor_team", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("window_ends_on", sa.Date(), nullable=True),
        sa.Column("debt_timing", sa.Text(), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(), nullable=True),
        sa.Column("match_key", sa.LargeBinary(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("caused_by_event_id", sa.Text(), nullable=True),
        sa.Column("previous_routing_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("routing_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_last_day", "decisions", ["last_day"], unique=False, postgresql_using="brin")
    op.create_index(
        op.f("ix_decisions_signal_id_municipality"), "decisions", ["signal_id", "municipality"], unique=False
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("aggregate_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("aggregate_id", "version", name=op.f("uq_outbox_aggregate_id_version")),
    )
    op.create_index(
        "ix_outbox_unsent", "outbox", ["id"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
    )


def _create_task_updates() -> None:
    op.create_table(
        "task_updates",
        sa.Column("update_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("reached", sa.Boolean(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_task_updates")),
    )
    op.create_index(op.f("ix_task_updates_task_id"), "task_updates", ["task_id"], unique=False)


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "candidates",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_tasks")),
    )
    op.create_index(
        op.f("ix_tasks_municipality_trajectory_id"), "tasks", ["municipality", "trajectory_id"], unique=False
    )
    op.create_index(op.f("ix_tasks_status_due_on"), "tasks", ["status", "due_on"], unique=False)
    op.create_index(
        "uq_tasks_one_relapse_task_runs",
        "tasks",
        ["municipality", "trajectory_id"],
        unique=True,
        postgresql_where=sa.text(
            "kind = 'CONTACT_ON_RELAPSE' AND status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')"
        ),
    )


def _create_trajectories() -> None:
    op.create_table(
        "trajectories",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("counsellor_id", sa.Text(), nullable=True),
        sa.Column("counsellor_team", sa.Text(), nullable=True),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "trajectory_id", name=op.f("pk_trajectories")),
    )


def _create_task_history() -> None:
    op.create_table(
        "task_history",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.task_id"], name=op.f("fk_task_history_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_task_history")),
    )


def _create_task_signals() -> None:
    op.create_table(
        "task_signals",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("signal_ref", sa.LargeBinary(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("partner_kind", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routing_id", sa.Text(), nullable=False),
        sa.Column("match_key", sa.LargeBinary(), nullable=False),
        sa.Column("arrears_cents", sa.BigInteger(), nullable=False),
        sa.Column("arrears_since", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("crisis", sa.Boolean(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("left", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.task_id"], name=op.f("fk_task_signals_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_task_signals")),
        sa.UniqueConstraint("task_id", "signal_ref", name=op.f("uq_task_signals_task_id_signal_ref")),
    )
    op.create_index(op.f("ix_task_signals_signal_ref"), "task_signals", ["signal_ref"], unique=False)
    # ### end Alembic commands ###
