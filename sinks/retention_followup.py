"""What follow-up keeps of signals: in tasks that ended, in verifications, in feedback, in commands to the matcher.

Flows in: a municipality and the last day that is over. Flows out: none of it. A task that still runs keeps its
signals; a task of a trajectory stays, without them, as long as its trajectory.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.followup_tasks import Report, Task
from signaalwissel.processors.processing_lines import resident, subject_of_notice
from signaalwissel.processors.retention import DataKind
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import ResidentCommand
from signaalwissel.sinks import outbox, task_store
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.forgetting import forget_tasks
from signaalwissel.sinks.holds import held_trajectories
from signaalwissel.sinks.retention_scope import Scope, Step, Tally, tallied
from signaalwissel.sinks.task_lock import lock_tasks
from sqlalchemy import Connection, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_IDS = bindparam("ids", type_=ARRAY(Text))
_TASK_SIGNALS = text(
    """
    SELECT DISTINCT task_id FROM task_signals AS s JOIN tasks AS t USING (task_id)
    WHERE t.municipality = :municipality AND s.last_day <= :over
        AND t.kind <> 'VERIFY_IDENTITY' AND t.status IN ('DONE', 'CANCELLED', 'EXPIRED')
        AND NOT EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = t.municipality AND hold.trajectory_id = t.trajectory_id
                AND hold.released_at IS NULL AND hold.until >= :today
        )
    ORDER BY task_id LIMIT :most
    """
)
_TASK_SIGNALS_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE over), count(*) FILTER (WHERE over AND held) FROM (
        SELECT s.last_day <= :over AND t.status IN ('DONE', 'CANCELLED', 'EXPIRED') AS over, EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = t.municipality AND hold.trajectory_id = t.trajectory_id
                AND hold.released_at IS NULL AND hold.until >= :today
        ) AS held
        FROM task_signals AS s JOIN tasks AS t USING (task_id)
        WHERE t.municipality = :municipality AND t.kind <> 'VERIFY_IDENTITY'
    ) AS every
    """
)
_VERIFICATIONS = text(
    """
    SELECT task_id FROM tasks AS t
    WHERE t.municipality = :municipality AND (t.kind = 'VERIFY_IDENTITY' OR t.trajectory_id IS NULL)
        AND t.status IN ('DONE', 'CANCELLED', 'EXPIRED') AND t.opened_on <= :over
        AND NOT EXISTS (SELECT FROM task_signals AS s WHERE s.task_id = t.task_id AND s.last_day > :over)
        AND NOT EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = t.municipality AND hold.released_at IS NULL AND hold.until >= :today AND (
                hold.trajectory_id = t.trajectory_id
                OR t.candidates @> jsonb_build_array(jsonb_build_array(hold.trajectory_id))
            )
        )
    ORDER BY task_id LIMIT :most
    """
)
_VERIFICATIONS_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE over), count(*) FILTER (WHERE over AND held) FROM (
        SELECT t.status IN ('DONE', 'CANCELLED', 'EXPIRED') AND t.opened_on <= :over AND NOT EXISTS (
            SELECT FROM task_signals AS s WHERE s.task_id = t.task_id AND s.last_day > :over
        ) AS over, EXISTS (
            SELECT FROM retention_holds AS hold
            WHERE hold.municipality = t.municipality AND hold.released_at IS NULL AND hold.until >= :today AND (
                hold.trajectory_id = t.trajectory_id
                OR t.candidates @> jsonb_build_array(jsonb_build_array(hold.trajectory_id))
            )
        ) AS held
        FROM tasks AS t
        WHERE t.municipality = :municipality AND (t.kind = 'VERIFY_IDENTITY' OR t.trajectory_id IS NULL)
    ) AS every
    """
)
_FEEDBACK = text(
    """
    SELECT notice_id FROM notices
    WHERE municipality = :municipality AND kind = 'PARTNER_FEEDBACK' AND occurred_on <= :over
    ORDER BY notice_id LIMIT :most
    """
)
_FEEDBACK_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE occurred_on <= :over), 0 FROM notices
    WHERE municipality = :municipality AND kind = 'PARTNER_FEEDBACK'
    """
)
_NO_FEEDBACK = text(
    "DELETE FROM notices WHERE notice_id = ANY(:ids) RETURNING notice_id, trajectory_id, signal_id, addressee"
).bindparams(_IDS)
# A command stands as long as its signal can be corrected.
_COMMANDS = text("SELECT command_id, value FROM commands WHERE issued_at < :before AND stands_until < :today")
_ALL_COMMANDS = text("SELECT value FROM commands")
_NO_COMMANDS = text(
    "DELETE FROM commands WHERE command_id = ANY(:ids) RETURNING command_id, match_key"
).bindparams(_IDS)


def _ids_by(statement: Any, kind: DataKind) -> Any:
    def choose(connection: Connection, scope: Scope) -> Sequence[Any]:
        return list(connection.execute(statement, scope.about(kind)).scalars())

    return choose


def _tally_by(statement: Any, kind: DataKind) -> Any:
    def tally(connection: Connection, scope: Scope) -> Tally:
        return tallied(connection, statement, scope.about(kind))

    return tally


def _without_signals(destruction: Destruction, scope: Scope, ids: Sequence[Any]) -> int:
    connection = destruction.connection
    over = scope.over(DataKind.TASK_SIGNAL)
    stored = {task.task_id: task for task in task_store.by_ids(connection, ids)}
    left = [
        replace(task, reports=tuple(report for report in task.reports if report.last_day > over))
        for task in stored.values()
    ]
    for task in stored.values():
        _of_reports(destruction, scope, task, [report for report in task.reports if report.last_day <= over])
    task_store.save(connection, stored, left, destruction.ledger)
    return sum(len(task.reports) for task in stored.values()) - sum(len(task.reports) for task in left)


def _without_verifications(destruction: Destruction, scope: Scope, ids: Sequence[Any]) -> int:
    for task in task_store.by_ids(destruction.connection, ids):
        _of_reports(destruction, scope, task, task.reports)
    forget_tasks(destruction, ids, scope.today)
    return len(ids)


def _of_reports(destruction: Destruction, scope: Scope, task: Task, reports: Sequence[Report]) -> None:
    whose = [resident(report.match_key) for report in reports]
    destruction.of(scope.municipality, scope.today, f"task/{task.task_id}", whose)


def _without_feedback(destruction: Destruction, scope: Scope, ids: Sequence[Any]) -> int:
    for row in destruction.connection.execute(_NO_FEEDBACK, {"ids": list(ids)}):
        whose = subject_of_notice(scope.municipality, row.trajectory_id, row.signal_id or row.addressee)
        destruction.of(scope.municipality, scope.today, f"notice/{row.notice_id}", [whose])
    outbox.forget(destruction.connection, ids)
    return len(ids)


def _without_commands(destruction: Destruction, scope: Scope, ids: Sequence[Any]) -> int:
    for row in destruction.connection.execute(_NO_COMMANDS, {"ids": list(ids)}):
        whose = resident(bytes(row.match_key))
        destruction.of(scope.municipality, scope.today, f"command/{row.command_id}", [whose])
    outbox.forget(destruction.connection, ids)
    return len(ids)


def _commands_over(connection: Connection, scope: Scope) -> tuple[list[str], int]:
    """Ids of a municipality's commands that are over and not held, and how many are held; it stands in the value."""
    before = moment_of(start_of_day(scope.over(DataKind.COMMAND) + timedelta(days=1)))
    rows = connection.execute(_COMMANDS, {"before": before, "today": scope.today}).all()
    held = held_trajectories(connection, scope) if rows else ()
    said = {row.command_id: _command(row) for row in rows}
    own = {key: one for key, one in said.items() if one.municipality == scope.municipality}
    free = [key for key, one in own.items() if one.trajectory_id not in held]
    return sorted(free), len(own) - len(free)


def _choose_commands(connection: Connection, scope: Scope) -> Sequence[Any]:
    return _commands_over(connection, scope)[0][: scope.settings.retention_batch]


def _tally_commands(connection: Connection, scope: Scope) -> Tally:
    every = connection.execute(_ALL_COMMANDS).all()
    kept = sum(_command(row).municipality == scope.municipality for row in every)
    free, held = _commands_over(connection, scope)
    return Tally(kept, len(free) + held, held)


def _command(row: Row[Any]) -> ResidentCommand:
    command: ResidentCommand = codec("ResidentCommand").decode(bytes(row.value))
    return command


TASK_SIGNALS = Step(
    DataKind.TASK_SIGNAL,
    _ids_by(_TASK_SIGNALS, DataKind.TASK_SIGNAL),
    _without_signals,
    _tally_by(_TASK_SIGNALS_TALLY, DataKind.TASK_SIGNAL),
    lock_tasks,
)
VERIFICATIONS = Step(
    DataKind.VERIFICATION,
    _ids_by(_VERIFICATIONS, DataKind.VERIFICATION),
    _without_verifications,
    _tally_by(_VERIFICATIONS_TALLY, DataKind.VERIFICATION),
    lock_tasks,
)
FEEDBACK = Step(
    DataKind.FEEDBACK,
    _ids_by(_FEEDBACK, DataKind.FEEDBACK),
    _without_feedback,
    _tally_by(_FEEDBACK_TALLY, DataKind.FEEDBACK),
)
COMMANDS = Step(DataKind.COMMAND, _choose_commands, _without_commands, _tally_commands)
