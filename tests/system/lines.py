"""Lines as an integrator writes them by hand."""

from typing import Any

from signaalwissel.processors.simulation_lines import Line

BSN = "111222333"
OTHER_BSN = "999990019"


def event(kind: str, sequence: int, day: str, **fields: Any) -> Line:
    """A lifecycle event of trajectory T1 in municipality 0344, recorded on the day itself."""
    value = {
        "event_id": f"e{sequence}",
        "trajectory_id": "T1",
        "municipality": "0344",
        "sequence": sequence,
        "occurred_on": day,
        "recorded_at": f"{day}T12:00:00Z",
        "kind": kind,
    }
    return {"topic": "trajectories", "value": value | fields}


def applied(day: str, **fields: Any) -> Line:
    """An application of the resident with BSN."""
    return event("APPLIED", 1, day, clients=[{"bsn": BSN}], **fields)


def signal(signal_id: str, received_on: str, **fields: Any) -> Line:
    """A signal about the resident with BSN."""
    value = {
        "signal_id": signal_id,
        "municipality": "0344",
        "partner": {"partner_id": "woonstichting", "kind": "RENT"},
        "subject": {"bsn": BSN},
        "arrears": "250.00",
        "received_at": f"{received_on}T10:00:00Z",
    }
    return {"topic": "signals", "value": value | fields}


def contact_made(task_id: str) -> Line:
    """The resident of a task was reached."""
    value = {
        "update_id": f"{task_id}/1",
        "task_id": task_id,
        "occurred_at": "2026-02-12T10:00:00Z",
        "kind": "CONTACT_MADE",
        "channel": "PHONE",
        "reached": True,
        "by": "c-test",
    }
    return {"topic": "task-updates", "value": value}
