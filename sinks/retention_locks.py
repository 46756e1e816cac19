"""Who waits for whom when data is destroyed: one run at a time, and no batch of the sink across a destruction.

Every one of these locks ends with its transaction. Order: the run's, then that of destruction, then that of the tasks.
"""

from sqlalchemy import Connection, text

RUN_LOCK = 7_223_007
DESTRUCTION_LOCK = 7_223_008
_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(:lock)")


def lock_run(connection: Connection) -> None:
    """Be the only one that destroys or places holds: a run by hand and the scheduled one take turns."""
    connection.execute(_ALONE, {"lock": RUN_LOCK})


def lock_destruction(connection: Connection) -> None:
    """Destroy trajectories while no sink is storing a batch."""
    connection.execute(_ALONE, {"lock": DESTRUCTION_LOCK})


def share_with_destruction(connection: Connection) -> None:
    """Store a batch while no trajectory is being destroyed; sinks do not wait for each other."""
    connection.execute(_TOGETHER, {"lock": DESTRUCTION_LOCK})
