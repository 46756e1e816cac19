"""The table of what was handed over to Open Klant: for each task what Open Klant has of it, and how far it is."""

from enum import StrEnum

from signaalwissel.sinks.tables import METADATA
from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Text, Uuid, func, text


class HandoverStatus(StrEnum):
    """How far the hand-over of a task is.

    WAITING: nothing is known to be there yet. OPEN: the internetaak is there, to be done. COMPLETED: it was marked as
    done there, and the task was told so. CLOSED: the task ended, and Open Klant says so too.
    """

    WAITING = "WAITING"
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"


_MOMENT = DateTime(timezone=True)

# `version` is the version of the task that Open Klant has; `attempts` and `last_error` are about the failures since
# the last success.
open_klant_handovers = Table(
    "open_klant_handovers",
    METADATA,
    Column("task_id", Text, ForeignKey("tasks.task_id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("klantcontact", Uuid),
    Column("internetaak", Uuid),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", _MOMENT, nullable=False, server_default=func.now()),
    Column("last_error", Text),
    Column("failing_since", _MOMENT),
    Index(
        "ix_open_klant_handovers_due",
        "next_attempt_at",
        postgresql_where=text("status IN ('WAITING', 'OPEN')"),
    ),
)
