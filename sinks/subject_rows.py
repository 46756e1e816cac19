"""What the database holds of one resident, as plain values for an export: his rows, and of shared ones his part.

Flows in: what a search found. Flows out: by table, rows as JSON takes them. Match keys and other hashes are left out:
they are the same facts once more, and nobody can read them.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.subject_records import trajectory_shown
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks import subject_objections
from signaalwissel.sinks.open_klant_tables import open_klant_handovers
from signaalwissel.sinks.subject_search import Holdings, SignalRows
from signaalwissel.sinks.tables import commands, found, notices, outbox, task_updates
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, or_, select

Plain = dict[str, Any]
_HIDDEN = frozenset({"sealed_subject", "match_key", "candidates", "signal_ref", "value", "sealed", "key"})


def rows_of(connection: Connection, holdings: Holdings) -> dict[str, list[Plain]]:
    """Everything in the database that is his, by table."""
    person, memberships = holdings.person, holdings.memberships
    his = [task.task_id for task in holdings.tasks]
    places = [
        and_(found.c.trajectory_id == one.trajectory_id, found.c.client == one.client) for one in memberships
    ]
    given = _rows(connection, commands, commands.c.signal_ref.in_(holdings.signals.keys()))
    aggregates = [*his, *holdings.notice_ids, *(row["command_id"] for row in given)]
    return {
        "decisions": [row for one in holdings.signals.values() for row in _decisions(one, holdings)],
        "trajectories": [
            trajectory_shown(holdings.states[one.trajectory_id], one) for one in holdings.memberships
        ],
        "found": _rows(
            connection, found, and_(found.c.municipality == person.municipality, or_(False, *places))
        )
        if places
        else [],
        "tasks": [_task(task, holdings, shared=False) for task in holdings.tasks]
        + [_task(task, holdings, shared=True) for task in holdings.shared],
        "task_updates": _rows(connection, task_updates, task_updates.c.task_id.in_(his)),
        "open_klant_handovers": _rows(
            connection, open_klant_handovers, open_klant_handovers.c.task_id.in_(his)
        ),
        "notices": _rows(connection, notices, notices.c.notice_id.in_(holdings.notice_ids)),
        "commands": given,
        "outbox": _rows(connection, outbox, outbox.c.aggregate_id.in_(aggregates)),
        "objections": [
            {
                "objection_id": one.objection_id,
                "lodged_on": one.lodged_on.isoformat(),
                "withdrawn_on": None if withdrawn_on is None else withdrawn_on.isoformat(),
            }
            for one, withdrawn_on in subject_objections.kept_of_person(connection, person)
        ],
    }


def handed_over(connection: Connection, holdings: Holdings) -> list[str]:
    """The internetaken in Open Klant of tasks that are his: nobody but the municipality deletes them there."""
    c = open_klant_handovers.c
    ids = [task.task_id for task in holdings.tasks]
    statement = select(c.internetaak).where(c.task_id.in_(ids), c.internetaak.is_not(None))
    return sorted(str(one) for one in connection.execute(statement).scalars())


def outbox_left(connection: Connection) -> int:
    """How many entries of the outbox are still to be sent."""
    statement = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
    return int(connection.execute(statement).scalar_one())


def _decisions(signal: SignalRows, holdings: Holdings) -> Iterable[Plain]:
    places = {(one.trajectory_id, one.client) for one in holdings.memberships}
    subject = None if signal.subject is None else codec("SealedSubject").to_json(signal.subject)
    for row in signal.rows:
        candidates = [c for c in row.candidates or () if (c[0], c[1]) in places]
        yield _plain(row) | {"candidates": candidates, "subject": subject}


def _task(task: Task, holdings: Holdings, *, shared: bool) -> Plain:
    places = {(one.trajectory_id, one.client) for one in holdings.memberships}
    return {
        "task_id": task.task_id,
        "kind": task.kind.value,
        "status": task.status.value,
        "trajectory_id": task.trajectory_id if not shared or task.trajectory_id in holdings.states else None,
        "team": task.team,
        "assignee": task.assignee,
        "opened_on": task.opened_on.isoformat(),
        "due_on": task.due_on.isoformat(),
        "outcome": None if task.outcome is None else task.outcome.value,
        "candidates": [list(one) for one in task.candidates if tuple(one) in places],
        "signals": [
            {"partner_id": r.partner_id, "signal_id": r.signal_id, "arrears_cents": r.arrears}
            for r in task.reports
            if r.ref in holdings.signals
        ],
        # A note of a shared task may tell of the other's signals.
        "history": [
            {"at": step.at, "what": str(step.what), "by": step.by, "note": None if shared else step.note}
            for step in task.history
        ],
    }


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> list[Plain]:
    order = list(table.primary_key.columns)
    return [_plain(row) for row in connection.execute(select(table).where(where).order_by(*order))]


def _plain(row: Row[Any]) -> Plain:
    return {name: _value(value) for name, value in row._asdict().items() if name not in _HIDDEN}


def _value(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value
