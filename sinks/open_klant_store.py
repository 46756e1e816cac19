"""What was handed over to Open Klant, as the database keeps it.

Flows in: how each hand-over went. Flows out: what is to be done next. The database's clock says what is due.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from signaalwissel.processors.followup_tasks import ENDED, Task
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.sinks import task_store
from signaalwissel.sinks.open_klant_tables import HandoverStatus, open_klant_handovers
from signaalwissel.sinks.tables import tasks
from sqlalchemy import Connection, Row, and_, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

_ERROR_MAX = 300
_H = open_klant_handovers.c
_WORKED_ON = (HandoverStatus.WAITING.value, HandoverStatus.OPEN.value, HandoverStatus.COMPLETED.value)


@dataclass(frozen=True, slots=True)
class Handover:
    """What Open Klant has of a task; `version` 0 where it may have none of it."""

    status: HandoverStatus = HandoverStatus.WAITING
    version: int = 0
    klantcontact: UUID | None = None
    internetaak: UUID | None = None
    attempts: int = 0

    def forgotten(self) -> "Handover":
        """The hand-over where Open Klant does not have it any more: to be made again."""
        return replace(self, status=HandoverStatus.WAITING, version=0, klantcontact=None, internetaak=None)


class Due(NamedTuple):
    """A task that something is to be done about; `handover` None before anything was."""

    task: Task
    handover: Handover | None


def due(connection: Connection, kinds: Iterable[TaskKind], most: int) -> list[Due]:
    """What is to be done now, what Open Klant does not have yet first."""
    runs = tasks.c.status.not_in([status.value for status in ENDED])
    handed = select(tasks.c.task_id, *_H).select_from(
        tasks.outerjoin(open_klant_handovers, _H.task_id == tasks.c.task_id)
    )
    untold = or_(_H.task_id.is_(None), _H.version < tasks.c.version)
    rows = connection.execute(
        handed.where(
            tasks.c.kind.in_([kind.value for kind in kinds]),
            or_(
                and_(runs, _H.task_id.is_(None)),
                and_(runs, _H.status != HandoverStatus.COMPLETED.value, _H.next_attempt_at <= func.now()),
                and_(~runs, _H.status.in_(_WORKED_ON), _H.next_attempt_at <= func.now()),
            ),
        )
        .order_by(case((untold, 0), else_=1), _H.next_attempt_at.nulls_first(), tasks.c.task_id)
        .limit(most)
    ).all()
    found = {row[0]: row for row in rows}
    loaded = {task.task_id: task for task in task_store.by_ids(connection, list(found))}
    return [Due(loaded[task_id], _handover(row)) for task_id, row in found.items() if task_id in loaded]


def intend(connection: Connection, task_id: str) -> None:
    """Note that a task is about to be handed over, so that one that ends meanwhile is looked for in Open Klant."""
    _upsert(connection, task_id, {"status": HandoverStatus.WAITING.value}, {})


def succeeded(connection: Connection, task_id: str, handover: Handover, look_again_s: float) -> None:
    """Keep how a hand-over stands, to be looked at again after a while."""
    values = {
        "status": handover.status.value,
        "version": handover.version,
        "klantcontact": handover.klantcontact,
        "internetaak": handover.internetaak,
        "attempts": 0,
        "last_error": None,
        "failing_since": None,
        "next_attempt_at": func.now() + timedelta(seconds=look_again_s),
    }
    _upsert(connection, task_id, values, values)


def failed(connection: Connection, task_id: str, handover: Handover, error: str, look_again_s: float) -> None:
    """Keep that a hand-over failed and why, to be tried again after a while."""
    values = {
        "status": handover.status.value,
        "version": handover.version,
        "klantcontact": handover.klantcontact,
        "internetaak": handover.internetaak,
        "attempts": handover.attempts + 1,
        "last_error": error[:_ERROR_MAX],
        "failing_since": func.now(),
        "next_attempt_at": func.now() + timedelta(seconds=look_again_s),
    }
    _upsert(
        connection, task_id, values, values | {"failing_since": func.coalesce(_H.failing_since, func.now())}
    )


def _upsert(connection: Connection, task_id: str, fresh: dict[str, Any], changes: dict[str, Any]) -> None:
    # From the task's own row: retention may have taken it away meanwhile.
    chosen = [
        value if hasattr(value, "self_group") else literal(value, _H[name].type)
        for name, value in fresh.items()
    ]
    there = select(tasks.c.task_id, *chosen).where(tasks.c.task_id == task_id)
    statement = insert(open_klant_handovers).from_select(["task_id", *fresh], there)
    if changes:
        connection.execute(statement.on_conflict_do_update(index_elements=["task_id"], set_=changes))
    else:
        connection.execute(statement.on_conflict_do_nothing())


def _handover(row: Row[Any]) -> Handover | None:
    if row.status is None:
        return None
    return Handover(HandoverStatus(row.status), row.version, row.klantcontact, row.internetaak, row.attempts)
