"""The follow-up: when the clock looks at what, who was found when, policies, notices, standing commands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_WATCHED = sa.text("next_on IS NOT NULL")
_ENDED = "('DONE', 'CANCELLED', 'EXPIRED')"
_CONTACT_RUNS = sa.text(
    f"kind IN ('CONTACT_ON_RELAPSE', 'MONTHLY_CONTACT', 'AFTERCARE_CONTACT') AND status NOT IN {_ENDED}"
)
_RELAPSE_RUNS = sa.text(f"kind = 'CONTACT_ON_RELAPSE' AND status NOT IN {_ENDED}")

# A task that was there before is looked at on the first day, and its missed steps are caught up.
_FILL = (
    """
    UPDATE tasks SET
        opened_on = coalesce(
            (SELECT min(last_day) FROM task_signals WHERE task_signals.task_id = tasks.task_id),
            (SELECT (min(at) AT TIME ZONE 'Europe/Amsterdam')::date
                FROM task_history WHERE task_history.task_id = tasks.task_id),
            due_on),
        policy_version = coalesce(
            (SELECT decisions.policy_version FROM task_signals JOIN decisions USING (routing_id)
                WHERE task_signals.task_id = tasks.task_id ORDER BY position LIMIT 1),
            '')
    """,
    "UPDATE tasks SET next_on = opened_on WHERE status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')",
    "UPDATE trajectories SET next_on = '0001-01-01'",
    """
    INSERT INTO found (municipality, trajectory_id, client, first_found_on)
        SELECT municipality, trajectory_id, client, min(last_day) FROM decisions
        WHERE trajectory_id IS NOT NULL AND client IS NOT NULL
            AND reason NOT IN ('NO_TRAJECTORY', 'ADDRESS_ONLY_MATCH', 'DECEASED')
        GROUP BY municipality, trajectory_id, client
    """,
)


def upgrade() -> None:
    """Add columns and tables, and fill them from what is there."""
    _create_found()
    _create_policies()
    _create_notices()
    _create_commands()
    op.add_column("trajectories", sa.Column("next_on", sa.Date(), nullable=True))
    op.add_column("tasks", sa.Column("opened_on", sa.Date(), nullable=True))
    op.add_column("tasks", sa.Column("next_on", sa.Date(), nullable=True))
    op.add_column("tasks", sa.Column("rung", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tasks", sa.Column("policy_version", sa.Text(), nullable=True))
    op.add_column(
        "task_signals", sa.Column("offered", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    for statement in _FILL:
        op.execute(statement)
    for column in ("opened_on", "policy_version"):
        op.alter_column("tasks", column, nullable=False)
    op.create_index(op.f("ix_trajectories_next_on"), "trajectories", ["next_on"], postgresql_where=_WATCHED)
    op.create_index(op.f("ix_tasks_next_on"), "tasks", ["next_on"], postgresql_where=_WATCHED)
    _replace_unique("uq_tasks_one_relapse_task_runs", "uq_tasks_one_contact_task_runs", _CONTACT_RUNS)


def downgrade() -> None:
    """Drop what this migration made."""
    _replace_unique("uq_tasks_one_contact_task_runs", "uq_tasks_one_relapse_task_runs", _RELAPSE_RUNS)
    op.drop_column("task_signals", "offered")
    for column in ("policy_version", "rung", "next_on", "opened_on"):
        op.drop_column("tasks", column)
    op.drop_column("trajectories", "next_on")
    for table in ("commands", "notices", "policies", "found"):
        op.drop_table(table)


def _replace_unique(before: str, after: str, where: sa.TextClause) -> None:
    op.drop_index(before, table_name="tasks")
    op.create_index(after, "tasks", ["municipality", "trajectory_id"], unique=True, postgresql_where=where)


def _create_found() -> None:
    op.create_table(
        "found",
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("trajectory_id", sa.Text(), nullable=False),
        sa.Column("client", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_found_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "trajectory_id", "client", name=op.f("pk_found")),
    )


def _create_policies() -> None:
    op.create_table(
        "policies",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column(
            "first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policies")),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("addressee", sa.Text(), nullable=False),
        sa.Column("legal_ground", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("trajectory_id", sa.Text(), nullable=True),
        sa.Column("signal_id", sa.Text(), nullable=True),
        sa.Column("feedback", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
    )
    op.create_index(
        op.f("ix_notices_municipality_trajectory_id"), "notices", ["municipality", "trajectory_id"]
    )
    op.create_index(op.f("ix_notices_addressee"), "notices", ["addressee"])


def _create_commands() -> None:
    op.create_table(
        "commands",
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("signal_ref", sa.LargeBinary(), nullable=False),
        sa.Column("match_key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stands_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_commands")),
    )
    op.create_index(op.f("ix_commands_signal_ref"), "commands", ["signal_ref"])
