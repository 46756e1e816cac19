"""What was done in Open Klant, told to the task: a task update through the outbox.

Flows in: an internetaak that was marked as done. Flows out: a row of the outbox for `task-updates`, once, however
often the same completion is seen.
"""

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_updates import TRANSITIONS
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdate, TaskUpdateKind
from signaalwissel.sinks import outbox
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.open_klant_step import Step
from signaalwissel.sinks.settings import TASK_UPDATES, SinkSettings
from signaalwissel.sinks.tables import outbox as outbox_rows
from sqlalchemy import Connection, func, select

TASK_REPORTED = "nl.schuldhulpverlening.taak-gemeld"
"""CloudEvents type of what we publish on `task-updates` ourselves."""
REPORTER = "open-klant"
"""`by` of such an update: internetaken do not say who marked them as done."""


def complete(connection: Connection, task: Task, done: Step, settings: SinkSettings) -> None:
    """Put the update for a completed internetaak into the outbox, in the caller's transaction.

    It tells of a contact only where Open Klant does: partners are told "taken up", and a plan is evaluated, after that
    alone.
    """
    handled_at, reached = done.completed or (None, None)
    contact = reached is True and TaskUpdateKind.CONTACT_MADE in TRANSITIONS[task.kind]
    now = connection.execute(select(func.transaction_timestamp())).scalar_one()
    # With its moment: a task that was cancelled, came back and was done again is completed again.
    moment = 0 if handled_at is None else millis_of(handled_at)
    update = TaskUpdate(
        update_id=f"{REPORTER}-{done.handover.internetaak}-{moment}",
        task_id=task.task_id,
        # A clock that runs ahead there must not put the contact on a day that is not there yet.
        occurred_at=millis_of(min(handled_at or now, now)),
        kind=TaskUpdateKind.CONTACT_MADE if contact else TaskUpdateKind.COMPLETED,
        trajectory_id=None,
        client=None,
        channel=None,
        reached=reached,
        outcome=None,
        by=REPORTER,
    )
    known = select(outbox_rows.c.id).where(outbox_rows.c.aggregate_id == update.update_id)
    if connection.execute(known).first() is None:
        entry = outbox.Entry(
            update.update_id,
            1,
            settings.topic(TASK_UPDATES),
            task.task_id.encode(),
            codec("TaskUpdate").encode(update),
            TASK_REPORTED,
        )
        outbox.put(connection, [entry], settings)
