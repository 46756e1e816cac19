"""Day keys: destroyed when nothing of their day is left here, so that every other copy is unreadable too (design 7).

Flows in: days whose data is destroyed. Flows out: keys that are gone at the key provider, the moment of it in
`retention_days`, and a notice. Destroying a key again does nothing, so a run that was killed in between goes on.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from signaalwissel.processors.retention import DataKind
from signaalwissel.processors.retention_proof import day_destroyed
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.destruction import Destruction, trace_of
from signaalwissel.sinks.forgetting import give_notice
from signaalwissel.sinks.ledger import Event, EventKind
from signaalwissel.sinks.retention_scope import NOBODY, Scope, Step, Tally
from signaalwissel.sinks.retention_signals import remember_days
from signaalwissel.sinks.timekeeping import Observer
from sqlalchemy import Connection, text

_BATCH = 10
"""Keys in one transaction: each is several requests to a key service, and nobody must wait long for the lock."""
_DAY = timedelta(days=1)
_LAST = text("SELECT max(day) FROM retention_days WHERE municipality = :municipality")
_PENDING = text(
    """
    SELECT day FROM retention_days AS gone
    WHERE municipality = :municipality AND key_destroyed_at IS NULL
        AND NOT EXISTS (
            SELECT FROM decisions WHERE municipality = gone.municipality AND last_day = gone.day
        )
        AND NOT EXISTS (
            SELECT FROM dead_letters WHERE municipality = gone.municipality
                AND timestamp >= gone.day::timestamp AT TIME ZONE 'Europe/Amsterdam'
                AND timestamp < (gone.day + 1)::timestamp AT TIME ZONE 'Europe/Amsterdam'
        )
    ORDER BY day LIMIT :most
    """
)
_WAITING = text(
    "SELECT count(*) FROM retention_days WHERE municipality = :municipality AND key_destroyed_at IS NULL"
)
_DONE = text(
    """
    UPDATE retention_days SET key_destroyed_at = :now
    WHERE municipality = :municipality AND day = :day AND key_destroyed_at IS NULL
    """
)


class DayKeys(Protocol):
    """Destroys day keys; raises KeyUnavailable where one is not destroyed for certain."""

    def knows(self, municipality: str) -> bool:
        """Whether the municipality has keys at all."""

    def destroy_day_key(self, municipality: str, day: date) -> None:
        """Destroy the key of a day; one that is destroyed, or was never made, stays without one."""


def remember_passed_days(connection: Connection, scope: Scope) -> int:
    """Keep every day that has become over since the last time, also one on which nothing was received.

    A late signal of such a day is refused by intake: there is no key to seal it with.
    """
    if not scope.known:
        return 0
    over = scope.over(DataKind.DAY_KEY)
    last = connection.execute(_LAST, {"municipality": scope.municipality}).scalar_one()
    first = over if last is None else last + _DAY
    days = [first + number * _DAY for number in range(max(0, (over - first).days + 1))]
    days = days[: scope.settings.retention_batch]
    remember_days(connection, scope.municipality, days)
    return len(days)


def day_keys(keys: DayKeys, observe: Observer, actor: str) -> Step:
    """The step that destroys keys, for somebody."""

    def choose(connection: Connection, scope: Scope) -> Sequence[Any]:
        if scope.municipality == NOBODY:
            return []
        about = {"municipality": scope.municipality, "most": _BATCH}
        return list(connection.execute(_PENDING, about).scalars())

    def destroy(destruction: Destruction, scope: Scope, days: Sequence[Any]) -> int:
        if not keys.knows(scope.municipality):
            # Keys of a code that nobody serves were never made, or the whole of them is gone already.
            _note(destruction.connection, scope, days)
            return len(days)
        for day in days:
            keys.destroy_day_key(scope.municipality, day)
            observe("retention.key.gone")
            trace_id = trace_of(scope.municipality, scope.today)
            about = f"day {day}"
            gone = Event(EventKind.KEY_DESTROYED, actor, about, scope.municipality, trace_id)
            destruction.ledger.event(gone)
        _note(destruction.connection, scope, days)
        return len(days)

    return Step(DataKind.DAY_KEY, choose, destroy, tally_keys)


def tally_keys(connection: Connection, scope: Scope) -> Tally:
    """How many keys are to go; those that a hold keeps have rows of their day left."""
    if scope.municipality == NOBODY:
        return Tally()
    waiting = connection.execute(_WAITING, {"municipality": scope.municipality}).scalar_one()
    free = len(connection.execute(_PENDING, {"municipality": scope.municipality, "most": None}).all())
    return Tally(waiting, waiting, waiting - free)


def _note(connection: Connection, scope: Scope, days: Sequence[date]) -> None:
    now = moment_of(scope.moment.at)
    for day in days:
        connection.execute(_DONE, {"municipality": scope.municipality, "day": day, "now": now})
    proofs = [day_destroyed(scope.municipality, day, scope.today) for day in days]
    give_notice(connection, proofs, scope.settings)
