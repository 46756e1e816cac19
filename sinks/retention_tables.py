"""The tables of retention: holds, terms, what is destroyed, and what is kept of it without anybody in it.

`retention_tombstones` holds digests, `retention_proofs` and `retained_figures` hold counts. A hold names a trajectory by
its id, as long as the hold is needed.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

_MOMENT = DateTime(timezone=True)

# What must not be destroyed until a day, that day included: a trajectory, or all of a municipality.
retention_holds = Table(
    "retention_holds",
    METADATA,
    Column("hold_id", Text, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("trajectory_id", Text),
    Column("reason", Text, nullable=False),
    Column("until", Date, nullable=False),
    Column("placed_at", _MOMENT, nullable=False),
    Column("released_at", _MOMENT),
    Column("release_reason", Text),
    Index(None, "municipality", "trajectory_id"),
)

# From when the period of each trajectory counts, reckoned once for each version of it.
retention_terms = Table(
    "retention_terms",
    METADATA,
    Column("municipality", Text, primary_key=True),
    Column("trajectory_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("ended_on", Date),
    Column("entrepreneur", Boolean, nullable=False),
    Index(None, "municipality", "ended_on", postgresql_where=text("ended_on IS NOT NULL")),
)

# Trajectories that must not come back; `confirmed_on` once intake has told that it forgot them too. And tasks that must
# not be taken for lost, which nobody else needs to confirm.
retention_tombstones = Table(
    "retention_tombstones",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("destroyed_on", Date, nullable=False),
    Column("confirmed_on", Date),
)

# Days of receipt whose data is destroyed; the key goes when the last of it went.
retention_days = Table(
    "retention_days",
    METADATA,
    Column("municipality", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("key_destroyed_at", _MOMENT),
    Index(None, "municipality", "day", postgresql_where=text("key_destroyed_at IS NULL")),
)

# How much of each kind was destroyed on which day, under which period and why: the proof, without anybody in it.
retention_proofs = Table(
    "retention_proofs",
    METADATA,
    Column("municipality", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("destroyed_on", Date, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("months", Integer),
    Column("justification", Text),
    Column("policy_version", Text),
)

# The monthly figure of signals that are destroyed. A count below the threshold of then is not kept at all.
retained_figures = Table(
    "retained_figures",
    METADATA,
    Column("municipality", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("partner_kind", Text, primary_key=True),
    Column("partner_id", Text, primary_key=True),
    Column("after_admission", Integer),
    Column("after_exit", Integer),
    Column("suppress_below", Integer, nullable=False),
)
