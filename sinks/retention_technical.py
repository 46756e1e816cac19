"""Dead letters, what was sent, policies and tombstones: what retention destroys beside signals and trajectories.

Flows in: what is over. Flows out: none of it; the days of dead letters are kept, so that their keys follow.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from signaalwissel.processors.amsterdam import amsterdam_day, start_of_day
from signaalwissel.processors.retention import SENT_KEPT_DAYS, TOMBSTONE_MARGIN_DAYS, DataKind
from signaalwissel.sinks.copying import millis_of, moment_of
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.retention_scope import NOBODY, Scope, Step, Tally, tallied
from signaalwissel.sinks.retention_signals import remember_days
from signaalwissel.sinks.task_lock import lock_tasks
from sqlalchemy import BigInteger, Connection, LargeBinary, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_DAY = timedelta(days=1)
_LETTERS = text(
    """
    SELECT dead_letter_id, timestamp FROM dead_letters
    WHERE coalesce(municipality, '') = :municipality AND timestamp < :before
    ORDER BY timestamp, dead_letter_id LIMIT :most
    """
)
_LETTERS_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE timestamp < :before), 0 FROM dead_letters
    WHERE coalesce(municipality, '') = :municipality
    """
)
_NO_LETTERS = text("DELETE FROM dead_letters WHERE dead_letter_id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(Text))
)
_SENT = text("SELECT id FROM outbox WHERE sent_at < :before ORDER BY id LIMIT :most")
_SENT_TALLY = text("SELECT count(*), count(*) FILTER (WHERE sent_at < :before), 0 FROM outbox")
_NO_SENT = text("DELETE FROM outbox WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger))
)
# A policy is needed by what was opened or decided under it, and by a sink that was started with it not long ago.
_POLICIES = text(
    """
    SELECT version FROM policies AS p
    WHERE first_seen_at < :before AND version <> ALL(:own)
        AND NOT EXISTS (SELECT FROM tasks WHERE tasks.policy_version = p.version)
        AND NOT EXISTS (SELECT FROM decisions WHERE decisions.policy_version = p.version)
    ORDER BY version LIMIT :most
    """
).bindparams(bindparam("own", type_=ARRAY(Text)))
_POLICIES_KEPT = text("SELECT count(*) FROM policies")
_NO_POLICIES = text("DELETE FROM policies WHERE version = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(Text))
)
_TOMBSTONES = text(
    """
    SELECT digest FROM retention_tombstones
    WHERE municipality = :municipality AND confirmed_on < :before ORDER BY digest LIMIT :most
    """
)
_TOMBSTONES_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE confirmed_on < :before), 0 FROM retention_tombstones
    WHERE municipality = :municipality
    """
)
_NO_TOMBSTONES = text("DELETE FROM retention_tombstones WHERE digest = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(LargeBinary))
)


def _before_letters(scope: Scope) -> dict[str, object]:
    before = moment_of(start_of_day(scope.over(DataKind.DEAD_LETTER) + _DAY))
    return scope.about(DataKind.DEAD_LETTER, before=before)


def _destroy_letters(destruction: Destruction, scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_LETTERS, {"ids": [row.dead_letter_id for row in chosen]})
    for row in chosen:
        destruction.of(scope.municipality, scope.today, f"dead-letter/{row.dead_letter_id}", [None])
    if scope.known:
        # Of a municipality that we do not serve there are no keys.
        days = {amsterdam_day(millis_of(row.timestamp)) for row in chosen}
        remember_days(destruction.connection, scope.municipality, sorted(days))
    return len(chosen)


def _sent(scope: Scope) -> dict[str, object]:
    before = moment_of(start_of_day(scope.today - timedelta(days=SENT_KEPT_DAYS)))
    return {"before": before, "most": scope.settings.retention_batch}


def _choose_sent(connection: Connection, scope: Scope) -> Sequence[Any]:
    if scope.municipality != NOBODY:
        return []
    return list(connection.execute(_SENT, _sent(scope)).scalars())


def _tally_sent(connection: Connection, scope: Scope) -> Tally:
    return tallied(connection, _SENT_TALLY, _sent(scope)) if scope.municipality == NOBODY else Tally()


def _destroy_sent(destruction: Destruction, _scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_SENT, {"ids": list(chosen)})
    return len(chosen)


def _choose_policies(connection: Connection, scope: Scope) -> Sequence[Any]:
    if scope.municipality != NOBODY:
        return []
    before = moment_of(start_of_day(scope.over(DataKind.POLICY)))
    about = scope.about(DataKind.POLICY, before=before, own=list(scope.own_policies))
    return list(connection.execute(_POLICIES, about).scalars())


def _tally_policies(connection: Connection, scope: Scope) -> Tally:
    if scope.municipality != NOBODY:
        return Tally()
    return Tally(connection.execute(_POLICIES_KEPT).scalar_one(), len(_choose_policies(connection, scope)))


def _destroy_policies(destruction: Destruction, _scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_POLICIES, {"ids": list(chosen)})
    return len(chosen)


def _tombs(scope: Scope) -> dict[str, object]:
    days = scope.policy.corrections.period_days + TOMBSTONE_MARGIN_DAYS
    before = scope.today - timedelta(days=days)
    return {"municipality": scope.municipality, "before": before, "most": scope.settings.retention_batch}


def _destroy_tombstones(destruction: Destruction, _scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_TOMBSTONES, {"ids": list(chosen)})
    return len(chosen)


DEAD_LETTERS = Step(
    DataKind.DEAD_LETTER,
    lambda connection, scope: connection.execute(_LETTERS, _before_letters(scope)).all(),
    _destroy_letters,
    lambda connection, scope: tallied(connection, _LETTERS_TALLY, _before_letters(scope)),
)
OUTBOX = Step(DataKind.OUTBOX, _choose_sent, _destroy_sent, _tally_sent)
POLICIES = Step(DataKind.POLICY, _choose_policies, _destroy_policies, _tally_policies, lock_tasks)
TOMBSTONES = Step(
    DataKind.TOMBSTONE,
    lambda connection, scope: list(connection.execute(_TOMBSTONES, _tombs(scope)).scalars()),
    _destroy_tombstones,
    lambda connection, scope: tallied(connection, _TOMBSTONES_TALLY, _tombs(scope)),
)
