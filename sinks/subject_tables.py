"""The tables of the resident's rights: what was asked and done, the erasure ledger, standing objections.

Nothing here names a person. The ledger holds keyed hashes of what was erased; an objection holds the resident's keyed
hashes, by which his trajectories to come are known.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import Column, Date, DateTime, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_MOMENT = DateTime(timezone=True)

# One row for each export, erasure, objection and withdrawal: who asked on which ground, when, and what was found.
subject_requests = Table(
    "subject_requests",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("municipality", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("handled_at", _MOMENT, nullable=False),
    Column("found", JSONB, nullable=False),
)

# What was erased. `opaque` is a keyed hash: of a signal, a client of a trajectory, a dead letter; or a match key.
erasure_ledger = Table(
    "erasure_ledger",
    METADATA,
    Column("erasure_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("opaque", LargeBinary, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("erased_at", _MOMENT, nullable=False),
)

# Objections that were lodged here: they stand also for trajectories that are not there yet.
objections = Table(
    "objections",
    METADATA,
    Column("objection_id", Text, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("bsn", LargeBinary),
    Column("birth_date", LargeBinary),
    Column("addresses", ARRAY(LargeBinary), nullable=False),
    Column("match_keys", ARRAY(LargeBinary), nullable=False),
    Column("lodged_on", Date, nullable=False),
    Column("lodged_at", _MOMENT, nullable=False),
    Column("withdrawn_on", Date),
    Column("withdrawn_at", _MOMENT),
    Index(None, "municipality"),
)
