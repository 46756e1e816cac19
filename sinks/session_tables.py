"""The tables of sessions of the pages: those that run, and those that were ended before their time.

No part of METADATA's other rows: they say nothing of a resident, and of the staff only digests, for a day.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table

# Seconds since 1970 by the clock of whoever ended it, as sessions carry theirs.
ended_sessions = Table(
    "ended_sessions",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("ended_s", BigInteger, nullable=False),
)

running_sessions = Table(
    "running_sessions",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("person", LargeBinary, nullable=False),
    Column("began_s", BigInteger, nullable=False),
    Column("seen_s", BigInteger, nullable=False),
    Index("ix_running_sessions_person", "person"),
)
