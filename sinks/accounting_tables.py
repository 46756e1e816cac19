"""Tables of accountability: the buffer of the processing log, and the chains of the audit trail.

`processing_log` holds pages of lines until the collector has acknowledged them; then their content goes and their
count stays. `audit_blocks` holds digests only. Triggers of migrations 0005 and 0008 let nobody change what stands in
`audit_blocks`, let the oldest of them go once their chain starts after them, and let rows of `decisions`, `task_history`
and `audit_events` be taken away or changed only by a transaction that leaves a block that says so. Those of 0019 let
nothing of the trail go that is younger than `audit_kept` says.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_MOMENT = DateTime(timezone=True)

processing_log = Table(
    "processing_log",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", _MOMENT, nullable=False),
    Column("writer", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    # An OTLP request in protobuf, packed by gzip; null once it was acknowledged.
    Column("content", LargeBinary),
    Column("sent_at", _MOMENT),
    Index("ix_processing_log_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    Index("ix_processing_log_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
)

audit_chains = Table(
    "audit_chains",
    METADATA,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# Where a chain starts whose oldest blocks are over: after the block with this number and hash.
audit_starts = Table(
    "audit_starts",
    METADATA,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# One row: for so many days nothing of the trail goes, whoever asks. Only the owner of the tables writes it.
audit_kept = Table(
    "audit_kept",
    METADATA,
    Column("days", Integer, primary_key=True, autoincrement=False),
)

audit_blocks = Table(
    "audit_blocks",
    METADATA,
    Column("block_id", BigInteger, Identity(), primary_key=True),
    Column("chain", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text),
    Column("ids", ARRAY(Text), nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("chain", "seq"),
    Index("ix_audit_blocks_destroyed", "at", postgresql_where=text("kind = 'destroyed'")),
)

# Who did what that no other table tells: openings, exports, erasures, runs of retention, keys, replays, policies.
audit_events = Table(
    "audit_events",
    METADATA,
    Column("event_id", BigInteger, Identity(), primary_key=True),
    Column("at", _MOMENT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("municipality", Text),
    Column("actor", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("trace_id", LargeBinary),
    Column("details", JSONB(none_as_null=True)),
)
