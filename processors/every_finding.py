"""Everything that is wrong with a record at once, by the very rules that intake refuses by (domain 8.16).

In: a record in its JSON form. Out: its findings, each with field and rule, never a value. Intake stops at the first; a
sender wants all. So what a rule names is mended with a value that passes, and the rules look again.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from signaalwissel.processors.policy import Policies
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.processors.simulation_lines import RECORDS, findings_in, kind_of
from signaalwissel.schemas.contract import field_names

_FINDINGS_MAX = 50
_STEP = re.compile(r"[^.\[\]]+")
_MUNICIPALITY = "municipality"

_SUBJECT = {"bsn": "999990019"}
_GOOD: Mapping[str, Mapping[str, Any]] = {
    "signals": {
        "signal_id": "x",
        "municipality": "0344",
        "partner": {"partner_id": "x", "kind": "OTHER"},
        "subject": _SUBJECT,
        "arrears": "1.00",
        "received_at": "2026-01-01T00:00:00Z",
    },
    "trajectories": {
        "event_id": "x",
        "trajectory_id": "x",
        "municipality": "0344",
        "sequence": 0,
        "occurred_on": "2026-01-01",
        "recorded_at": "2026-01-01T00:00:00Z",
        "kind": "ADMITTED",
        "clients": [_SUBJECT],
        "counsellor": {"counsellor_id": "x", "team": "x"},
        "exit_reason": "OTHER",
        "service": "BUDGET_COACHING",
    },
    "task-updates": {
        "update_id": "x",
        "task_id": "x",
        "occurred_at": "2026-01-01T00:00:00Z",
        "kind": "ACCEPTED",
        "by": "x",
    },
}
"""A value that passes for each field that may be missing or wrong; a field that is not here is left out instead."""


class Finding(NamedTuple):
    """One rule that a record breaks."""

    code: str
    field: str | None
    rule: str


def every_finding(topic: str, value: Any, policies: Policies) -> list[Finding]:
    """What is wrong with a record, in the order in which its fields stand; nothing where intake would take it.

    Args:
        topic: The input topic, without prefix.
        value: The record in its JSON form.
        policies: Those of the installation; a municipality without one is a finding.
    """
    kind = kind_of(topic)
    known = frozenset(field_names(RECORDS[kind]))
    mended = copy.deepcopy(value)
    found: list[Finding] = []
    seen: set[str | None] = set()
    while len(found) < _FINDINGS_MAX:
        finding = _first(topic, mended, policies)
        # A rule that the mended field still breaks would be told for ever.
        if finding is None or finding.field in seen:
            break
        found.append(finding)
        seen.add(finding.field)
        if not _mend(mended, finding.field, _GOOD[kind], known, _any_of(policies)):
            break
    return found


def _first(topic: str, value: Any, policies: Policies) -> Finding | None:
    code = value.get(_MUNICIPALITY) if isinstance(value, dict) else None
    if isinstance(code, str) and code.isdigit() and len(code) == 4 and policies.get(code) is None:
        return Finding(
            RejectionCode.UNKNOWN_MUNICIPALITY, _MUNICIPALITY, "is no municipality of this installation"
        )
    refused = findings_in({"topic": topic, "value": value}, policies)
    return (
        None
        if refused is None
        else Finding(refused.refusal.code.value, refused.refusal.field, refused.refusal.rule)
    )


def _any_of(policies: Policies) -> str:
    return next(iter(policies), "0344")


def _mend(
    value: Any, field: str | None, good: Mapping[str, Any], known: frozenset[str], municipality: str
) -> bool:
    """Put a value that passes where a rule says that one does not; whether that was possible."""
    if not isinstance(value, dict):
        return False
    steps = _STEP.findall(field or "")
    if not steps:
        # A field too many: what the schema knows stays.
        unknown = value.keys() - known
        for name in unknown:
            del value[name]
        return bool(unknown)
    at: Any = value
    for step in steps[:-1]:
        at = at[int(step)] if isinstance(at, list) else at.get(step)
        good = good.get(step, {}) if isinstance(good, Mapping) else (good[0] if good else {})
    last = steps[-1]
    if isinstance(at, list):
        at[int(last)] = dict(_SUBJECT)
    elif last == _MUNICIPALITY:
        at[last] = municipality
    elif isinstance(good, Mapping) and last in good:
        at[last] = copy.deepcopy(good[last])
    else:
        at.pop(last, None)
    return True
