"""The lock under which tasks are worked on: one transaction at a time, over all sinks and their clocks."""

from sqlalchemy import Connection, text

TASKS_LOCK = 7_223_002
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")


def lock_tasks(connection: Connection) -> None:
    """Be the only one that works on tasks until the end of the transaction; who waits gets it in turn."""
    connection.execute(_LOCK, {"lock": TASKS_LOCK})
