"""Tasks in the database: how they are found for a batch, read, and written back.

Flows in: ids, signals and trajectories of a batch. Flows out: tasks as the rules know them; and the other way round
the rows that differ from what is stored. A few statements for a batch, however many tasks it has.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb
from signaalwissel.processors.followup_tasks import Report, Task
from signaalwissel.schemas.followup import ContactOutcome, TaskKind, TaskStatus, TaskStep
from signaalwissel.schemas.routing import Candidate
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.copying import copy_rows, millis_of, moment_of
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.ledger import Ledger
from signaalwissel.sinks.tables import task_history, task_signals, task_updates, tasks
from sqlalchemy import Connection, LargeBinary, Row, Text, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

_TASK_COLUMNS = tuple(column.name for column in tasks.columns)
_SIGNAL_COLUMNS = tuple(column.name for column in task_signals.columns)
_HISTORY_COLUMNS = tuple(column.name for column in task_history.columns)

_IDS = bindparam("ids", type_=ARRAY(Text))
_FIND = text(
    """
    SELECT task_id FROM tasks WHERE task_id = ANY(:ids)
    UNION SELECT task_id FROM task_signals WHERE signal_ref = ANY(:refs)
    UNION SELECT task_id FROM tasks JOIN unnest(:municipalities, :trajectories) AS wanted (municipality, trajectory_id)
        USING (municipality, trajectory_id)
    """
).bindparams(
    _IDS,
    bindparam("refs", type_=ARRAY(LargeBinary)),
    bindparam("municipalities", type_=ARRAY(Text)),
    bindparam("trajectories", type_=ARRAY(Text)),
)
_READ = {
    table: select(table).where(table.c.task_id == any_(_IDS)).order_by(table.c.task_id, *order)
    for table, order in (
        (tasks, ()),
        (task_signals, (task_signals.c.position,)),
        (task_history, (task_history.c.position,)),
    )
}
_DUE = text("SELECT task_id FROM tasks WHERE next_on <= :today ORDER BY next_on, task_id LIMIT :most")
_FORGET_SIGNALS = task_signals.delete().where(task_signals.c.task_id == any_(_IDS))
_NO_UPDATES = (
    task_updates.delete().where(task_updates.c.task_id == any_(_IDS)).returning(task_updates.c.update_id)
)
_NO_TASKS = tasks.delete().where(tasks.c.task_id == any_(_IDS))
_UPDATE = (
    tasks.update()
    .where(tasks.c.task_id == bindparam("the_task"))
    .values({name: bindparam(name) for name in _TASK_COLUMNS if name != "task_id"})
)


class Wanted(NamedTuple):
    """What to look tasks up by."""

    task_ids: Iterable[str] = ()
    refs: Iterable[bytes] = ()
    trajectories: Iterable[TrajectoryKey] = ()


def load(connection: Connection, wanted: Wanted) -> list[Task]:
    """Every task with one of these ids, signals or trajectories, in order of task id."""
    pairs = list(wanted.trajectories)
    found = connection.execute(
        _FIND,
        {
            "ids": list(wanted.task_ids),
            "refs": list(wanted.refs),
            "municipalities": [pair.municipality for pair in pairs],
            "trajectories": [pair.trajectory_id for pair in pairs],
        },
    )
    return by_ids(connection, list(found.scalars()))


def by_ids(connection: Connection, ids: Sequence[str]) -> list[Task]:
    """The tasks with these ids, in their order."""
    if not ids:
        return []
    rows = {table: connection.execute(statement, {"ids": ids}).all() for table, statement in _READ.items()}
    reports: defaultdict[str, list[Report]] = defaultdict(list)
    for row in rows[task_signals]:
        marks = {"repeated": row.repeated, "left": row.left, "offered": row.offered, "late": row.late}
        reports[row.task_id].append(report_of_row(row)._replace(**marks))
    steps: defaultdict[str, list[TaskStep]] = defaultdict(list)
    for row in rows[task_history]:
        steps[row.task_id].append(TaskStep(millis_of(row.at), row.what, row.by, row.note))
    return [_task(row, reports[row.task_id], steps[row.task_id]) for row in rows[tasks]]


def due(connection: Connection, today: date, most: int) -> list[str]:
    """Ids of tasks on which the clock must act on or before `today`: the longest overdue ones, at most so many."""
    return list(connection.execute(_DUE, {"today": today, "most": most}).scalars())


def save(connection: Connection, stored: Mapping[str, Task], changed: Sequence[Task], ledger: Ledger) -> None:
    """Write each changed task; what `stored` has of it already is not written again."""
    # A task that ends makes room for another one of its trajectory.
    known = sorted((task for task in changed if task.task_id in stored), key=lambda task: not task.ended)
    if known:
        connection.execute(_UPDATE, [_bound(task) for task in known])
    added = [task for task in changed if task.task_id not in stored]
    copy_rows(connection, tasks, _TASK_COLUMNS, map(_task_row, added))
    before = {task.task_id: (_signal_rows(task), _history_rows(task)) for task in stored.values()}
    now = [(task.task_id, _signal_rows(task), _history_rows(task)) for task in changed]
    nothing: tuple[list[Any], list[Any]] = ([], [])
    signals = [(task_id, before.get(task_id, nothing)[0], rows) for task_id, rows, _ in now]
    history = [(task_id, before.get(task_id, nothing)[1], rows) for task_id, _, rows in now]
    again, rows = _items_to_write(signals)
    if again:
        connection.execute(_FORGET_SIGNALS, {"ids": again})
    copy_rows(connection, task_signals, _SIGNAL_COLUMNS, rows)
    again, rows = _items_to_write(history)
    if again:
        _forget_history(Destruction(connection, ledger, Why.SIGNAL_TAKEN_OUT), again)
    copy_rows(connection, task_history, _HISTORY_COLUMNS, rows)
    ledger.recorded(task_history.name, rows)


def delete(destruction: Destruction, ids: Sequence[str]) -> list[str]:
    """Delete tasks with their signals, history, updates and hand-overs; gives the ids of the updates."""
    connection = destruction.connection
    updates = list(connection.execute(_NO_UPDATES, {"ids": list(ids)}).scalars())
    _forget_history(destruction, ids)
    connection.execute(_NO_TASKS, {"ids": list(ids)})
    return updates


def _forget_history(destruction: Destruction, ids: Sequence[str]) -> None:
    destruction.delete(task_history, task_history.c.task_id == any_(bindparam("ids", ids, ARRAY(Text))))


_Rows = list[tuple[Any, ...]]


def _items_to_write(items: Sequence[tuple[str, _Rows, _Rows]]) -> tuple[list[str], _Rows]:
    """The tasks whose rows are written anew, and all rows that are written."""
    again = []
    rows: _Rows = []
    for task_id, before, now in items:
        if now[: len(before)] == before:
            rows.extend(now[len(before) :])
        else:
            # A signal left or was erased: rare, so the task's rows are written anew.
            again.append(task_id)
            rows.extend(now)
    return again, rows


def _task(row: Row[Any], reports: list[Report], steps: list[TaskStep]) -> Task:
    return Task(
        task_id=row.task_id,
        kind=TaskKind(row.kind),
        municipality=row.municipality,
        trajectory_id=row.trajectory_id,
        team=row.team,
        due_on=row.due_on,
        assignee=row.assignee,
        status=TaskStatus(row.status),
        version=row.version,
        reports=tuple(reports),
        history=tuple(steps),
        candidates=tuple(Candidate(*candidate) for candidate in row.candidates),
        opened_on=row.opened_on,
        next_on=row.next_on,
        rung=row.rung,
        policy_version=row.policy_version,
        outcome=None if row.outcome is None else ContactOutcome(row.outcome),
    )


def report_of_row(row: Row[Any]) -> Report:
    """A signal as a row of `task_signals` or of `decisions` has it; `signal_ref` is among its columns."""
    return Report(
        ref=bytes(row.signal_ref),
        partner_id=row.partner_id,
        partner_kind=PartnerKind(row.partner_kind),
        signal_id=row.signal_id,
        received_at=millis_of(row.received_at),
        routing_id=row.routing_id,
        match_key=bytes(row.match_key),
        arrears=row.arrears_cents,
        arrears_since=row.arrears_since,
        last_day=row.last_day,
        crisis=row.crisis,
        client=row.client,
    )


def _task_row(task: Task) -> tuple[Any, ...]:
    return (
        task.task_id,
        task.version,
        task.kind.value,
        task.status.value,
        task.municipality,
        task.trajectory_id,
        task.assignee,
        task.team,
        task.due_on,
        Jsonb(task.candidates),
        task.opened_on,
        task.next_on,
        task.rung,
        task.policy_version,
        None if task.outcome is None else task.outcome.value,
    )


def _bound(task: Task) -> dict[str, Any]:
    row = dict(zip(_TASK_COLUMNS, _task_row(task), strict=True))
    row["the_task"] = row.pop("task_id")
    row["candidates"] = task.candidates
    return row


def _signal_rows(task: Task) -> _Rows:
    return [
        (
            task.task_id,
            position,
            report.ref,
            report.partner_id,
            report.partner_kind.value,
            report.signal_id,
            moment_of(report.received_at),
            report.routing_id,
            report.match_key,
            report.arrears,
            report.arrears_since,
            report.last_day,
            report.crisis,
            report.repeated,
            report.left,
            report.offered,
            report.late,
            report.client,
        )
        for position, report in enumerate(task.reports)
    ]


def _history_rows(task: Task) -> _Rows:
    return [
        (task.task_id, position, moment_of(step.at), str(step.what), step.by, step.note)
        for position, step in enumerate(task.history)
    ]
