"""What the tables can hold: a record that does not fit becomes a dead letter instead of breaking its batch (domain 8.16).

Flows in: a decoded record. Flows out: nothing, or Rejected or DoesNotFit with the first field that does not fit.
"""

from typing import NamedTuple

from signaalwissel.processors.followup_updates import check_update
from signaalwissel.processors.internal_records import check_decision
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_id, check_moment
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Decision

REVISION_MAX = 100_000
"""The highest revision of a signal that is taken: an erasure looks for each one before it."""

_CLIENTS = frozenset({None, 0, 1})
_NUL = "\x00"


def check_storable_decision(decision: Decision) -> None:
    """Refuse a decision that cannot be stored, or that follow-up could not reckon on with."""
    check_decision(decision)
    check_id(decision.routing_id, "routing_id")
    check_id(decision.signal_id, "signal_id")
    check_id(decision.municipality, "municipality")
    check_id(decision.partner.partner_id, "partner.partner_id")
    _check_client(decision.trajectory_id, decision.client, "")
    for index, candidate in enumerate(decision.candidates):
        _check_client(candidate.trajectory_id, candidate.client, f"candidates[{index}].")
    if decision.counsellor is not None:
        check_id(decision.counsellor.counsellor_id, "counsellor.counsellor_id")
        check_id(decision.counsellor.team, "counsellor.team")
    if not 0 <= decision.revision <= REVISION_MAX:
        raise _invalid("revision", f"must lie between 0 and {REVISION_MAX}")
    _check_texts(decision)


def check_storable_update(update: TaskUpdate) -> None:
    """Refuse an update that cannot be stored, or on whose day notices could not reckon; raises UpdateRefused too."""
    check_update(update)
    check_moment(update.occurred_at, "occurred_at")


def check_storable_letter(letter: DeadLetter) -> None:
    """Refuse a dead letter that cannot be stored."""
    check_id(letter.dead_letter_id, "dead_letter_id")
    check_moment(letter.timestamp, "timestamp")
    if letter.record_id is not None:
        check_id(letter.record_id, "record_id")
    _check_texts(letter)


def _check_client(trajectory_id: str | None, client: int | None, where: str) -> None:
    if trajectory_id is not None:
        check_id(trajectory_id, f"{where}trajectory_id")
    if client not in _CLIENTS:
        raise _invalid(f"{where}client", "must be the position of a client, 0 or 1")


def _check_texts(record: NamedTuple) -> None:
    # PostgreSQL stores every text but one with a zero character.
    for index, value in enumerate(record):
        if type(value) is str and _NUL in value:
            raise DoesNotFit(record._fields[index], "holds a zero character")


def _invalid(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.INVALID_FIELD, field, rule)
