"""The sink's tables: what it has read, decided, opened and still has to send.

Nothing here holds a person's data in the clear: `sealed_subject` and `sealed` are sealed by intake or by the sink,
`match_key` and the keyed hashes inside `state` are pseudonyms.
"""

from datetime import date

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}
METADATA = MetaData(naming_convention=NAMING)

_MOMENT = DateTime(timezone=True)


def _trajectory_key() -> tuple[Column[str], Column[str]]:
    return Column("municipality", Text, primary_key=True), Column("trajectory_id", Text, primary_key=True)


def _counsellor() -> tuple[Column[str], Column[str]]:
    return Column("counsellor_id", Text), Column("counsellor_team", Text)


def _partner() -> tuple[Column[str], Column[str]]:
    return Column("partner_id", Text, nullable=False), Column("partner_kind", Text, nullable=False)


def _arrears(*, erasable: bool) -> tuple[Column[int], Column[date]]:
    return Column("arrears_cents", BigInteger, nullable=erasable), Column("arrears_since", Date)


def _item_of_task() -> tuple[Column[str], Column[int]]:
    task = ForeignKey("tasks.task_id", ondelete="CASCADE")
    return Column("task_id", Text, task, primary_key=True), Column("position", Integer, primary_key=True)


consumed_offsets = Table(
    "consumed_offsets",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("updated_at", _MOMENT, nullable=False, server_default=func.now()),
)

# One row for every decision and every revision of it: the audit trail. Columns stand in the order of Decision.
# Those that are empty after an erasure may be null.
decisions = Table(
    "decisions",
    METADATA,
    Column("routing_id", Text, primary_key=True),
    Column("signal_id", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("route", Text, nullable=False),
    Column("reason", Text),
    Column("explanation", Text),
    Column("policy_version", Text, nullable=False),
    Column("reference_date", Date),
    Column("decided_at", _MOMENT, nullable=False),
    *_partner(),
    *_arrears(erasable=True),
    Column("signalled_on", Date),
    Column("received_at", _MOMENT, nullable=False),
    Column("crisis", Boolean),
    Column("warm_transfer", Boolean),
    Column("sealed_subject", LargeBinary),
    Column("trajectory_id", Text),
    Column("trajectory_state", Text),
    Column("client", Integer),
    *_counsellor(),
    Column("team", Text),
    Column("window_ends_on", Date),
    Column("debt_timing", Text),
    Column("matched_by", Text),
    Column("evidence", Text),
    Column("candidates", JSONB(none_as_null=True)),
    Column("match_key", LargeBinary),
    Column("last_day", Date, nullable=False),
    Column("action", Text),
    Column("cause", Text),
    Column("caused_by_event_id", Text),
    Column("previous_routing_id", Text),
    Index(None, "signal_id", "municipality"),
    # Retention goes by the day of receipt, and rows come in about that order.
    Index("ix_decisions_last_day", "last_day", postgresql_using="brin"),
    # What pages ask: the signals that were decided again, and the latest ones.
    Index(
        "ix_decisions_revised",
        *("municipality", "partner_id", "signal_id", "received_at", "revision"),
        postgresql_where=text("revision > 0"),
    ),
    Index("ix_decisions_latest", "municipality", "last_day", "received_at"),
)

# `state` is the whole TrajectoryState in wire format, so that a rule finds every fact without reading the topic again.
# `next_on` is the next day on which its agenda may change though nothing arrives.
trajectories = Table(
    "trajectories",
    METADATA,
    *_trajectory_key(),
    Column("version", BigInteger, nullable=False),
    Column("erased", Boolean, nullable=False),
    *_counsellor(),
    Column("state", LargeBinary, nullable=False),
    Column("next_on", Date),
    Index(None, "next_on", postgresql_where=text("next_on IS NOT NULL")),
    # Whom a task can be handed over to: one step for each counsellor, however many trajectories they run.
    Index(
        "ix_trajectories_run_by",
        "municipality",
        "counsellor_id",
        postgresql_where=text("counsellor_id IS NOT NULL"),
    ),
)

# Under which match keys each trajectory lies, out of its `state`: what the check before a signal is sent looks up.
# Rows of one trajectory go and come with that state, and go with the trajectory.
trajectory_keys = Table(
    "trajectory_keys",
    METADATA,
    Column("municipality", Text, primary_key=True),
    Column("match_key", LargeBinary, primary_key=True),
    Column("trajectory_id", Text, primary_key=True),
    ForeignKeyConstraint(
        ["municipality", "trajectory_id"],
        ["trajectories.municipality", "trajectories.trajectory_id"],
        ondelete="CASCADE",
        name="fk_trajectory_keys_trajectories",
    ),
    Index(None, "municipality", "trajectory_id"),
)

# Whose trajectory was found for a signal, by client: the duty to inform the resident counts from the first day.
found = Table(
    "found",
    METADATA,
    *_trajectory_key(),
    Column("client", Integer, primary_key=True, autoincrement=False),
    Column("first_found_on", Date, nullable=False),
)

_CONTACT_RUNS = text(
    "kind IN ('CONTACT_ON_RELAPSE', 'MONTHLY_CONTACT', 'AFTERCARE_CONTACT')"
    " AND status NOT IN ('DONE', 'CANCELLED', 'EXPIRED')"
)

tasks = Table(
    "tasks",
    METADATA,
    Column("task_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("trajectory_id", Text),
    Column("assignee", Text),
    Column("team", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("candidates", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("opened_on", Date, nullable=False),
    Column("next_on", Date),
    Column("rung", Integer, nullable=False, server_default="0"),
    Column("policy_version", Text, nullable=False),
    Column("outcome", Text),
    Index(None, "municipality", "trajectory_id"),
    # What the work list looks for.
    Index(None, "status", "due_on"),
    # What the clock looks for: an ended task has no next day.
    Index(None, "next_on", postgresql_where=text("next_on IS NOT NULL")),
    # Nobody calls a resident for two reasons at once: whatever goes wrong above, the database refuses a second one.
    Index(
        "uq_tasks_one_contact_task_runs",
        "municipality",
        "trajectory_id",
        unique=True,
        postgresql_where=_CONTACT_RUNS,
    ),
)

task_signals = Table(
    "task_signals",
    METADATA,
    *_item_of_task(),
    Column("signal_ref", LargeBinary, nullable=False),
    *_partner(),
    Column("signal_id", Text, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    Column("routing_id", Text, nullable=False),
    Column("match_key", LargeBinary, nullable=False),
    *_arrears(erasable=False),
    Column("last_day", Date, nullable=False),
    Column("crisis", Boolean, nullable=False),
    Column("repeated", Boolean, nullable=False),
    Column("left", Boolean, nullable=False),
    Column("offered", Boolean, nullable=False, server_default=false()),
    Column("late", Boolean, nullable=False, server_default=false()),
    Column("client", Integer),
    Index(None, "signal_ref"),
    UniqueConstraint("task_id", "signal_ref"),
)

task_history = Table(
    "task_history",
    METADATA,
    *_item_of_task(),
    Column("at", _MOMENT, nullable=False),
    Column("what", Text, nullable=False),
    Column("by", Text),
    Column("note", Text),
    Index(
        "ix_task_history_climbed",
        "task_id",
        postgresql_where=text("what IN ('ESCALATED', 'OFFERED_TO_REGULAR')"),
    ),
)

# Updates that were applied; one that is in here is not applied again. Task systems number locally, so the same number
# under another task is another update.
task_updates = Table(
    "task_updates",
    METADATA,
    Column("update_id", Text, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("occurred_at", _MOMENT, nullable=False),
    Column("channel", Text),
    Column("reached", Boolean),
    Column("outcome", Text),
    Column("by", Text, nullable=False),
    Index(None, "task_id"),
    Index(
        "ix_task_updates_contact_made",
        *("task_id", "occurred_at"),
        postgresql_where=text("kind = 'CONTACT_MADE'"),
    ),
)

# Every policy that this installation ever ran with: a task goes on under the one under which it was opened.
policies = Table(
    "policies",
    METADATA,
    Column("version", Text, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("first_seen_at", _MOMENT, nullable=False, server_default=func.now()),
)

# Notices that were made; one that is in here is not made again. `addressee` is a partner's id or a digest.
notices = Table(
    "notices",
    METADATA,
    Column("notice_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("addressee", Text, nullable=False),
    Column("legal_ground", Text, nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("due_on", Date),
    Column("trajectory_id", Text),
    Column("signal_id", Text),
    Column("feedback", Text),
    Column("made_at", _MOMENT, nullable=False, server_default=func.now()),
    Index(None, "municipality", "trajectory_id"),
    Index(None, "addressee"),
)

# Commands to the matcher that were given; one that is in here is not given again, but by a rebuild, as long as its
# signal can be corrected.
commands = Table(
    "commands",
    METADATA,
    Column("command_id", Text, primary_key=True),
    Column("signal_ref", LargeBinary, nullable=False),
    Column("match_key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("issued_at", _MOMENT, nullable=False),
    Column("stands_until", Date, nullable=False),
    Index(None, "signal_ref"),
)

dead_letters = Table(
    "dead_letters",
    METADATA,
    Column("dead_letter_id", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("timestamp", _MOMENT, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text),
    Column("rule", Text, nullable=False),
    Column("municipality", Text),
    Column("record_id", Text),
    Column("sealed", LargeBinary, nullable=False),
    Column("status", Text, nullable=False, server_default="open"),
    Column("replays", Integer, nullable=False, server_default="0"),
    Index(None, "status", "timestamp"),
    Index(None, "record_id"),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("aggregate_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("sent_at", _MOMENT),
    Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    UniqueConstraint("aggregate_id", "version"),
)
