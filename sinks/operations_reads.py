"""What the operations page shows of the work done: how much, how soon, and what retention did.

Flows in: a database. Flows out: counts and moments; nothing of a resident or a municipality.
"""

from dataclasses import dataclass
from datetime import date, datetime

from signaalwissel.sinks.ledger import EventKind
from sqlalchemy import Engine, text

# The day of receipt is indexed, the moment of the decision is not: signals come on the day on which they are decided.
_PACE = text(
    """
    SELECT count(*) FILTER (WHERE decided_at > now() - interval '5 minutes'),
        count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - received_at))
            FILTER (WHERE revision = 0),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - received_at))
            FILTER (WHERE revision = 0)
    FROM decisions WHERE last_day >= current_date - 1 AND decided_at > now() - interval '1 hour'
    """
)
_RETENTION_RAN = text("SELECT max(at) FROM audit_events WHERE kind = :kind")
_DESTROYED = text(
    """
    SELECT kind, max(destroyed_on), CAST(sum(count) AS bigint) FROM retention_proofs
    WHERE destroyed_on > current_date - 31 GROUP BY kind ORDER BY kind
    """
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Decisions on signals of today and yesterday; the times are from receipt to decision, None where there is none."""

    last_five_minutes: int
    last_hour: int
    median_s: float | None
    slow_s: float | None


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What retention destroyed of a kind in the last 31 days."""

    kind: str
    last_on: date
    count: int


@dataclass(frozen=True, slots=True)
class RetentionState:
    """When retention last did something, None where it never did, and what."""

    ran_at: datetime | None
    destroyed: tuple[Destroyed, ...]


def pace(engine: Engine) -> Pace:
    """How much was decided in the last minutes, and how long after receipt."""
    with engine.connect() as connection:
        row = connection.execute(_PACE).one()
    return Pace(
        row[0],
        row[1],
        None if row[2] is None else float(row[2]),
        None if row[3] is None else float(row[3]),
    )


def retention_state(engine: Engine) -> RetentionState:
    """What retention did last."""
    with engine.connect() as connection:
        ran_at = connection.execute(_RETENTION_RAN, {"kind": EventKind.RETENTION_RAN.value}).scalar()
        destroyed = tuple(Destroyed(*row) for row in connection.execute(_DESTROYED))
    return RetentionState(ran_at, destroyed)
