"""What the matcher and the sink refuse of records that only our own stages should write (domain 8.16).

Whoever may write to an internal topic can put there what intake never would, and what was kept would end the process
later, when it is used. So it is looked at before: dates that the calendar can reckon with, ids that outputs and tables
can hold, blocks that are whole.

In: a decoded record. Out: nothing, or Rejected with the first rule that it breaks.
"""

from datetime import date
from typing import Final

from signaalwissel.processors.matcher_index import MATCH_KEY_SIZE
from signaalwissel.processors.reading import RECORD_SIZE_MAX
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.validation import check_day, check_id, check_moment
from signaalwissel.schemas.internal import (
    Fact,
    KeyedSignal,
    KeyedTrajectory,
    ResidentCommand,
    TrajectoryState,
)
from signaalwissel.schemas.keyed_signal_codec import check_carried
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import TrajectoryEventKind

SIGNAL_SIZE_MAX: Final = 2 * RECORD_SIZE_MAX
"""Bytes of what a signal carries sealed: nearly all of its record as it came."""

TRAJECTORY_SIZE_MAX: Final = 8 << 20
"""Bytes of a KeyedTrajectory: half of what its topic and the matcher's table take, and several times what a thousand
facts need."""

_SIGNAL_REF_SIZE: Final = 16
_DAY_AFTER_LAST: Final = date(3000, 1, 1)
_CLIENTS: Final = frozenset({None, 0, 1})


def check_keyed_signal(match_key: bytes, signal: KeyedSignal) -> None:
    """Refuse a signal that intake cannot have sent; raises Rejected or DoesNotFit."""
    _check_match_key(match_key)
    if len(signal.signal_ref) != _SIGNAL_REF_SIZE:
        raise _invalid("signal_ref", f"must have {_SIGNAL_REF_SIZE} bytes")
    if len(signal.carried) > SIGNAL_SIZE_MAX:
        raise Rejected(RejectionCode.TOO_LARGE, None, f"must have at most {SIGNAL_SIZE_MAX} bytes")
    _check_day_of_moment(signal.reference_date, "reference_date")
    _check_day_of_moment(signal.last_day, "last_day")
    check_id(signal.signal_id, "signal_id")
    check_id(signal.municipality, "municipality")
    check_id(signal.partner_id, "partner.partner_id")
    check_carried(signal.carried)


def _check_day_of_moment(day: date, field: str) -> None:
    # The last hour of 2999 in UTC lies in 3000 in Amsterdam.
    if day != _DAY_AFTER_LAST:
        check_day(day, field)


def check_keyed_trajectory(match_key: bytes, size: int, trajectory: KeyedTrajectory) -> None:
    """Refuse a trajectory that intake cannot have sent; `size` is that of its record. Raises Rejected."""
    _check_match_key(match_key)
    if size > TRAJECTORY_SIZE_MAX:
        raise Rejected(RejectionCode.TOO_LARGE, None, f"must have at most {TRAJECTORY_SIZE_MAX} bytes")
    check_trajectory_state(trajectory)


def check_trajectory_state(trajectory: KeyedTrajectory | TrajectoryState) -> None:
    """Refuse a trajectory whose ids or days intake cannot have written; raises Rejected."""
    check_id(trajectory.municipality, "municipality")
    check_id(trajectory.trajectory_id, "trajectory_id")
    check_id(trajectory.caused_by_event_id, "caused_by_event_id")
    for index, fact in enumerate(trajectory.facts):
        try:
            _check_fact(fact)
        except Rejected as refusal:
            raise Rejected(refusal.code, f"facts[{index}].{refusal.field}", refusal.rule) from None


def check_resident_command(command: ResidentCommand) -> None:
    """Refuse a command that the sink cannot have sent; raises Rejected."""
    check_id(command.command_id, "command_id")
    if command.trajectory_id is not None:
        check_id(command.trajectory_id, "trajectory_id")


def check_decision(decision: Decision) -> None:
    """Refuse a decision with whose days and instants the sink could not reckon on; raises Rejected."""
    _check_day_of_moment(decision.reference_date, "reference_date")
    _check_day_of_moment(decision.last_day, "last_day")
    if decision.arrears_since is not None:
        check_day(decision.arrears_since, "arrears_since")
    if decision.signalled_on is not None:
        check_day(decision.signalled_on, "signalled_on")
    check_moment(decision.received_at, "received_at")
    check_moment(decision.decided_at, "decided_at")


def _check_fact(fact: Fact) -> None:
    check_id(fact.event_id, "event_id")
    check_day(fact.occurred_on, "occurred_on")
    check_moment(fact.recorded_at, "recorded_at")
    if fact.counsellor is not None:
        check_id(fact.counsellor.counsellor_id, "counsellor.counsellor_id")
        check_id(fact.counsellor.team, "counsellor.team")
    if fact.client not in _CLIENTS:
        raise _invalid("client", "must be the position of a client, 0 or 1")
    if fact.kind is TrajectoryEventKind.EXITED and fact.exit_reason is None:
        raise Rejected(RejectionCode.MISSING_FIELD, "exit_reason", "EXITED must say why")


def _check_match_key(match_key: bytes) -> None:
    if len(match_key) != MATCH_KEY_SIZE:
        raise _invalid("key", f"must be a match key of {MATCH_KEY_SIZE} bytes")


def _invalid(field: str, rule: str) -> Rejected:
    return Rejected(RejectionCode.INVALID_FIELD, field, rule)
