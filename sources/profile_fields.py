"""What a profile may map to: per record its fields, the type of each, and those that must be mapped.

Out: tables that the profile is checked against at load, and that the mapper reads.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from signaalwissel.schemas.followup import ContactChannel, ContactOutcome, TaskUpdateKind
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.schemas.trajectory import ExitReason, Service, Solution, TrajectoryEventKind


class RecordKind(StrEnum):
    """What a row becomes."""

    SIGNAL = "signal"
    TRAJECTORY_STATE = "trajectory-state"
    TRAJECTORY_EVENT = "trajectory-event"
    TASK_UPDATE = "task-update"


class CellType(StrEnum):
    """How a cell is read."""

    TEXT = "text"
    BSN = "BSN"
    MUNICIPALITY = "municipality code"
    INTEGER = "whole number"
    MONEY = "amount"
    DAY = "date"
    MOMENT = "moment"
    FLAG = "yes or no"
    CODE = "code"


class TargetField(NamedTuple):
    """A field of a record. `codes` are what a code list must give; `needed` must be mapped."""

    type: CellType
    needed: bool = False
    codes: tuple[str, ...] = ()


Fields = Mapping[str, TargetField]


def _codes(kind: type[StrEnum], *, needed: bool = False) -> TargetField:
    return TargetField(CellType.CODE, needed, tuple(one.value for one in kind))


_TEXT = TargetField(CellType.TEXT)
_ID = TargetField(CellType.TEXT, needed=True)
_DAY = TargetField(CellType.DAY)
_FLAG = TargetField(CellType.FLAG)
_MOMENT = TargetField(CellType.MOMENT)
_MUNICIPALITY = TargetField(CellType.MUNICIPALITY, needed=True)

SUBJECT: Fields = {
    "bsn": TargetField(CellType.BSN),
    "postcode": _TEXT,
    "house_number": TargetField(CellType.INTEGER),
    "house_number_addition": _TEXT,
    "birth_date": _DAY,
    "initials": _TEXT,
    "surname": _TEXT,
    "phone": _TEXT,
    "email": _TEXT,
}
SERVICE: Fields = {
    "service": _codes(Service, needed=True),
    "begin": TargetField(CellType.DAY, needed=True),
    "end": _DAY,
}
FIELDS: Mapping[RecordKind, Fields] = {
    RecordKind.SIGNAL: {
        "signal_id": _ID,
        "municipality": _MUNICIPALITY,
        "partner_id": _ID,
        "partner_kind": _codes(PartnerKind, needed=True),
        **SUBJECT,
        "customer_reference": _TEXT,
        "arrears": TargetField(CellType.MONEY, needed=True),
        "arrears_since": _DAY,
        "signalled_on": _DAY,
        "received_at": _MOMENT,
        "crisis": _FLAG,
        "warm_transfer": _FLAG,
        "collection_effort_attested": _FLAG,
    },
    RecordKind.TRAJECTORY_STATE: {
        "trajectory_id": _ID,
        "municipality": _MUNICIPALITY,
        "applied_on": TargetField(CellType.DAY, needed=True),
        "admitted_on": _DAY,
        "refused_on": _DAY,
        "exited_on": _DAY,
        "exit_reason": _codes(ExitReason),
        "plan_on": _DAY,
        "stabilisation_on": _DAY,
        "settlement_on": _DAY,
        "solution_on": _DAY,
        "solution": _codes(Solution),
        "monitoring_begin": _DAY,
        "monitoring_end": _DAY,
        "aftercare_begin": _DAY,
        "aftercare_end": _DAY,
        "counsellor_id": _TEXT,
        "team": _TEXT,
        "entrepreneur": _FLAG,
        "recorded_at": _MOMENT,
    },
    RecordKind.TRAJECTORY_EVENT: {
        "event_id": _ID,
        "trajectory_id": _ID,
        "municipality": _MUNICIPALITY,
        "sequence": TargetField(CellType.INTEGER, needed=True),
        "occurred_on": TargetField(CellType.DAY, needed=True),
        "recorded_at": _MOMENT,
        "kind": _codes(TrajectoryEventKind, needed=True),
        "counsellor_id": _TEXT,
        "team": _TEXT,
        "exit_reason": _codes(ExitReason),
        "service": _codes(Service),
        "solution": _codes(Solution),
        "entrepreneur": _FLAG,
    },
    RecordKind.TASK_UPDATE: {
        "update_id": _ID,
        "task_id": _ID,
        "occurred_at": TargetField(CellType.MOMENT, needed=True),
        "kind": _codes(TaskUpdateKind, needed=True),
        "trajectory_id": _TEXT,
        "client": TargetField(CellType.INTEGER),
        "channel": _codes(ContactChannel),
        "reached": _FLAG,
        "outcome": _codes(ContactOutcome),
        "by": _ID,
        "assignee": _TEXT,
    },
}
WITH_CLIENTS = frozenset({RecordKind.TRAJECTORY_STATE, RecordKind.TRAJECTORY_EVENT})
"""Records whose persons stand in `[[clients]]`, not beside the other fields."""
