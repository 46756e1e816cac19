"""Which fields of a record a role reads: the field level under `access` (OWASP ASVS 8.2.3).

In: roles and a kind of record. Out: names of fields. A field that is not listed is read by nobody, so a new column
stays hidden until somebody decides who needs it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from signaalwissel.processors.access import Role


class Kind(StrEnum):
    """A kind of record that pages and interfaces show."""

    TASK = "task"
    TASK_SIGNAL = "task-signal"
    TASK_STEP = "task-step"
    DECISION = "decision"
    NOTICE = "notice"
    DEAD_LETTER = "dead-letter"


_TASK = frozenset(
    {"task_id", "version", "kind", "status", "municipality", "trajectory_id", "assignee", "team", "due_on"}
    | {"opened_on", "next_on", "rung", "outcome"}
)
_TASK_SIGNAL = frozenset(
    {"partner_id", "partner_kind", "signal_id", "received_at", "arrears_cents", "arrears_since", "crisis"}
    | {"repeated", "left", "offered", "late"}
)
_STEP = frozenset({"at", "what", "by", "note"})
_DECISION = frozenset(
    {
        "routing_id",
        "signal_id",
        "municipality",
        "revision",
        "route",
        "reason",
        "explanation",
        "reference_date",
    }
    | {"decided_at", "partner_id", "partner_kind", "received_at", "trajectory_id", "team", "window_ends_on"}
)
_AUDITED = frozenset(
    {"policy_version", "cause", "caused_by_event_id", "previous_routing_id", "action", "last_day"}
)
_NOTICE = frozenset(
    {
        "notice_id",
        "kind",
        "municipality",
        "legal_ground",
        "occurred_on",
        "due_on",
        "trajectory_id",
        "signal_id",
    }
    | {"feedback", "made_at"}
)
_DEAD_LETTER = frozenset(
    {"dead_letter_id", "stage", "topic", "partition", "offset", "timestamp", "code", "field", "rule"}
    | {"municipality", "status", "replays"}
)

FIELDS: Mapping[Role, Mapping[Kind, frozenset[str]]] = {
    Role.INTEGRATOR: {},
    Role.SIGNAL_SYSTEM: {},
    Role.COUNSELLOR: {
        Kind.TASK: _TASK | {"candidates"},
        Kind.TASK_SIGNAL: _TASK_SIGNAL,
        Kind.TASK_STEP: _STEP,
        Kind.DECISION: _DECISION,
        Kind.NOTICE: _NOTICE,
    },
    Role.TEAM_LEAD: {
        Kind.TASK: _TASK | {"candidates"},
        Kind.TASK_SIGNAL: _TASK_SIGNAL,
        Kind.TASK_STEP: _STEP,
        Kind.DECISION: _DECISION,
        Kind.NOTICE: _NOTICE,
    },
    # Oversees how decisions come about: needs their grounds, not the height of a debt or what was said in a call.
    Role.PRIVACY_OFFICER: {
        Kind.TASK: _TASK | {"policy_version"},
        Kind.TASK_SIGNAL: _TASK_SIGNAL - {"arrears_cents", "arrears_since"},
        Kind.TASK_STEP: _STEP - {"note"},
        Kind.DECISION: _DECISION | _AUDITED,
        Kind.NOTICE: _NOTICE | {"addressee"},
        Kind.DEAD_LETTER: _DEAD_LETTER,
    },
    Role.OPERATOR: {Kind.DEAD_LETTER: _DEAD_LETTER},
}


def readable(roles: Iterable[Role], kind: Kind) -> frozenset[str]:
    """The fields of a kind of record that somebody with these roles reads."""
    return frozenset().union(*(FIELDS[role].get(kind, frozenset()) for role in roles))


def shown(roles: Iterable[Role], kind: Kind, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the fields that these roles do not read."""
    fields = readable(roles, kind)
    return {name: value for name, value in record.items() if name in fields}
