"""What another policy would change, for people: one row per signal, and totals per kind of change."""

from collections.abc import Collection

from rich.console import Console
from rich.table import Table
from signaalwissel.processors.comparison import Answer, Comparison, Delivery

_LABELS = {
    "route": "another route",
    "reason": "another reason",
    "trajectory": "another trajectory",
    "owner": "another owner",
    "due_on": "another due date",
    "steps": "other days of reminders, team, offer or expiry",
    "accepted": "accepted by one of both only",
}


def show(comparison: Comparison, console: Console) -> None:
    """Print the differences and their totals."""
    changed = len(comparison.differences)
    if changed:
        table = Table(title=f"Signals that change: {changed} of {changed + comparison.unchanged}")
        for heading in ("Signal", "What changes", "Now", "Then"):
            table.add_column(heading, overflow="fold")
        for difference in comparison.differences:
            table.add_row(
                _name(difference.delivery),
                ", ".join(difference.kinds),
                _answer(difference.before, difference.kinds),
                _answer(difference.after, difference.kinds),
            )
        console.print(table)
    for kind, count in comparison.totals.items():
        if count:
            console.print(f"{_LABELS[kind]}: {count}")
    console.print(f"{changed} signals change, {comparison.unchanged} do not")


def _name(delivery: Delivery) -> str:
    name = f"{delivery.municipality}/{delivery.partner_id}/{delivery.signal_id}"
    return f"{name}\n{delivery.received_at[:10]}"


def _answer(answer: Answer | None, kinds: Collection[str]) -> str:
    if answer is None:
        return "refused"
    to = f" to {answer.trajectory_id}" if answer.trajectory_id else ""
    owner = " ".join(part for part in (answer.assignee, answer.team) if part) or "nobody"
    due = f", due {answer.due_on}" if answer.due_on else ""
    lines = [f"{answer.route}{to}", answer.reason, f"{owner}{due}"]
    if "steps" in kinds:
        lines += (f"{step.what} {step.on}" for step in answer.steps)
    return "\n".join(lines)
