"""The table of what is told to partners in channels of their own: what waits, and what was sent.

A row goes with its notice: of a signal that was erased nobody is told any more.
"""

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Text, func, text

_MOMENT = DateTime(timezone=True)

# `attempts` and `last_error` are about the failures so far; what is told stands in the notice.
feedback_deliveries = Table(
    "feedback_deliveries",
    METADATA,
    Column("notice_id", Text, ForeignKey("notices.notice_id", ondelete="CASCADE"), primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("partner_id", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", _MOMENT, nullable=False, server_default=func.now()),
    Column("last_error", Text),
    Column("failing_since", _MOMENT),
    Column("sent_at", _MOMENT),
    Index("ix_feedback_deliveries_due", "next_attempt_at", postgresql_where=text("sent_at IS NULL")),
)
