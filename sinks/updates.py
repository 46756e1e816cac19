"""Task updates: each applied once, those that do not apply sealed as dead letters.

Flows in: the task updates of a batch. Flows out: changed tasks in the casebook, rows of what was applied, dead letters.
"""

from collections.abc import Sequence
from typing import Any

from signaalwissel.processors.followup_tasks import Outcome, Task
from signaalwissel.processors.followup_updates import (
    UpdateRefused,
    apply_update,
    check_colleague,
    is_handed_over,
)
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.sinks.casebook import Casebook
from signaalwissel.sinks.colleagues import known_counsellors
from signaalwissel.sinks.copying import copy_rows, moment_of
from signaalwissel.sinks.records import ReceivedUpdate
from signaalwissel.sinks.refusals import Seal, dead_letter_of
from signaalwissel.sinks.tables import task_updates
from sqlalchemy import Connection, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

_COLUMNS = tuple(column.name for column in task_updates.columns)
_APPLIED = select(task_updates.c.update_id, task_updates.c.task_id).where(
    task_updates.c.update_id == any_(bindparam("ids", type_=ARRAY(Text)))
)


def apply_all(
    connection: Connection, received: Sequence[ReceivedUpdate], casebook: Casebook, seal: Seal
) -> list[DeadLetter]:
    """Apply the updates that were not applied before, in order; give the dead letters of the others."""
    if not received:
        return []
    ids = [update.update_id for update, _ in received]
    applied = {(row.update_id, row.task_id) for row in connection.execute(_APPLIED, {"ids": ids})}
    rows = []
    refused = []
    for update, record in received:
        # Under another task the same number is another update: task systems number locally.
        if (update.update_id, update.task_id) in applied:
            continue
        task = casebook.task(update.task_id)
        municipality = None if task is None else task.municipality
        try:
            outcome = _applied(connection, update, task, casebook)
        except UpdateRefused as reason:
            # Not counted as applied: mended and replayed, it may still be.
            letter = dead_letter_of(
                record, reason, seal, municipality=municipality, record_id=update.update_id
            )
            refused.append(letter)
        else:
            casebook.take(outcome)
            applied.add((update.update_id, update.task_id))
            rows.append(_row(update))
    copy_rows(connection, task_updates, _COLUMNS, rows)
    return refused


def _applied(connection: Connection, update: TaskUpdate, task: Task | None, casebook: Casebook) -> Outcome:
    """What an update does; raises UpdateRefused where it does not apply."""
    outcome = apply_update(update, task, casebook.policy("" if task is None else task.municipality))
    if task is not None and is_handed_over(update):
        # The batch's trajectories are stored by now, its tasks are not.
        stored = known_counsellors(connection, task.municipality)
        check_colleague(update, casebook.owners(task.municipality).union(stored))
    return outcome


def _row(update: TaskUpdate) -> tuple[Any, ...]:
    return (
        update.update_id,
        update.task_id,
        update.kind.value,
        moment_of(update.occurred_at),
        update.channel,
        update.reached,
        update.outcome,
        update.by,
    )
