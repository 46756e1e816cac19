"""The table of sessions that were ended before their time: by a logout, or by an administrator.

No part of METADATA's other rows: it says nothing of a resident, and of the staff only digests, for a day.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import BigInteger, Column, LargeBinary, Table

# Seconds since 1970 by the clock of whoever ended it, as sessions carry theirs.
ended_sessions = Table(
    "ended_sessions",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("ended_s", BigInteger, nullable=False),
)
