"""Days whose data key was destroyed, for whoever must destroy them again: a backup of keys may have brought them back."""

from datetime import date

from signaalwissel.sinks.access import Database
from signaalwissel.sinks.holds import holds
from sqlalchemy import text

# What retention destroyed, and what `keys destroy` did before its time: the latter stands in the audit trail alone.
_DESTROYED = text(
    """
    SELECT day FROM retention_days WHERE municipality = :municipality AND key_destroyed_at IS NOT NULL
    UNION
    SELECT substring(about FROM 5)::date FROM audit_events
    WHERE municipality = :municipality AND kind = 'KEY_DESTROYED' AND about ~ '^day [0-9]{4}-[0-9]{2}-[0-9]{2}$'
    ORDER BY 1
    """
)


def destroyed_days(engine: Database, municipality: str) -> list[date]:
    """The days of a municipality whose key is destroyed by what is on record, the earliest first."""
    with engine.connect() as connection:
        return list(connection.execute(_DESTROYED, {"municipality": municipality}).scalars())


def held(engine: Database, municipality: str, today: date) -> bool:
    """Whether a hold keeps anything of the municipality from destruction."""
    with engine.connect() as connection:
        return any(hold.in_force(today) for hold in holds(connection, municipality))
