"""How `retention` shows what it found: tables for people, plain values for programs."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from signaalwissel.console.screen import instant
from signaalwissel.sinks.holds import Hold
from signaalwissel.sinks.retention_proofs import Proof
from signaalwissel.sinks.retention_report import Line, Report


def as_plain(report: Report) -> dict[str, Any]:
    """A report as JSON has it."""
    return {
        "today": report.today.isoformat(),
        "kinds": [_line_as_plain(line) for line in report.lines],
        "holds": [{**hold_as_plain(hold), "in_force": hold.in_force(report.today)} for hold in report.holds],
        "destroyed": [_proof_as_plain(proof) for proof in report.destroyed],
    }


def hold_as_plain(hold: Hold) -> dict[str, Any]:
    """A hold as JSON has it."""
    return {
        "hold_id": hold.hold_id,
        "municipality": hold.municipality,
        "trajectory_id": hold.trajectory_id,
        "reason": hold.reason,
        "until": hold.until.isoformat(),
        "placed_at": instant(hold.placed_at),
        "released_at": None if hold.released_at is None else instant(hold.released_at),
        "release_reason": hold.release_reason,
    }


def tables_of(report: Report) -> Iterator[Table]:
    """A report for people: what there is, what is held, what was destroyed last."""
    yield _kinds(report)
    if report.holds:
        yield _holds(report)
    if report.destroyed:
        yield _destroyed(report)


def _kinds(report: Report) -> Table:
    shown = Table("Municipality", "Kind", "Months", title=f"Kept on {report.today}")
    for name in ("Kept", "Over", "Held"):
        shown.add_column(name, justify="right")
    shown.add_column("Why so long")
    for line in report.lines:
        numbers = (str(line.kept), str(line.due), str(line.held))
        months = "" if line.months is None else str(line.months)
        shown.add_row(line.municipality or "-", line.kind.value, months, *numbers, line.justification or "")
    return shown


def _holds(report: Report) -> Table:
    shown = Table("Hold", "Municipality", "Trajectory", "Until", "In force", "Reason", title="Holds")
    for hold in report.holds:
        force = "yes" if hold.in_force(report.today) else "no"
        about = (hold.municipality, hold.trajectory_id or "all", hold.until.isoformat())
        shown.add_row(hold.hold_id, *about, force, hold.reason)
    return shown


def _destroyed(report: Report) -> Table:
    shown = Table("Municipality", "Kind", "Last on", title="Destroyed")
    shown.add_column("Count", justify="right")
    for proof in report.destroyed:
        day = proof.destroyed_on.isoformat()
        shown.add_row(proof.municipality or "-", proof.kind.value, day, str(proof.count))
    return shown


def _line_as_plain(line: Line) -> dict[str, Any]:
    return {
        "municipality": line.municipality or None,
        "kind": line.kind.value,
        "months": line.months,
        "justification": line.justification,
        "kept": line.kept,
        "due": line.due,
        "held": line.held,
    }


def _proof_as_plain(proof: Proof) -> dict[str, Any]:
    return {
        "municipality": proof.municipality or None,
        "kind": proof.kind.value,
        "destroyed_on": proof.destroyed_on.isoformat(),
        "count": proof.count,
        "months": proof.months,
        "justification": proof.justification,
        "policy_version": proof.policy_version,
    }
