"""How the hand-over to Open Klant is doing, as the database tells it.

Flows in: a database. Flows out: plain values for `doctor`, `/readyz` and metrics.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from signaalwissel.sinks.open_klant_tables import open_klant_handovers
from sqlalchemy import Engine, Float, cast, func, select

_H = open_klant_handovers.c


@dataclass(frozen=True, slots=True)
class OpenKlantHealth:
    """What the database tells of the hand-over, by its own clock.

    Attributes:
        handovers: How many tasks there are of each status.
        failing: How many of them failed the last time.
        failing_s: For how long the first of these has been failing; 0 where none is.
        last_error: Why the latest of them failed; names no person and no token.
    """

    handovers: Mapping[str, int]
    failing: int
    failing_s: float
    last_error: str | None


def open_klant_health(engine: Engine) -> OpenKlantHealth:
    """What the database tells of the hand-over."""
    with engine.connect() as connection:
        counts = connection.execute(select(_H.status, func.count()).group_by(_H.status)).all()
        since = func.extract("epoch", func.now() - func.min(_H.failing_since))
        failing, failing_s = connection.execute(
            select(func.count(), func.coalesce(cast(since, Float), 0.0)).where(_H.last_error.is_not(None))
        ).one()
        latest = (
            select(_H.last_error)
            .where(_H.last_error.is_not(None))
            .order_by(_H.next_attempt_at.desc())
            .limit(1)
        )
        error = connection.execute(latest).scalar()
    return OpenKlantHealth({row[0]: row[1] for row in counts}, failing, failing_s, error)
