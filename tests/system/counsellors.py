"""Counsellors, teams and task systems as people are: most act in time, some late, some never.

In: the running tasks in the database. Out: the task updates of one day. The same seed gives the same people.
"""

import random
from datetime import timedelta
from typing import Any

from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.schemas.followup import ContactChannel, TaskKind, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.tables import tasks
from sqlalchemy import Connection, Row, select

Said = TaskUpdateKind
Plan = tuple[tuple[int, TaskUpdateKind], ...]

CONTACT: tuple[tuple[float, Plan], ...] = (
    (0.45, ((1, Said.ACCEPTED), (3, Said.CONTACT_MADE))),
    (0.15, ((2, Said.CONTACT_ATTEMPTED), (9, Said.CONTACT_ATTEMPTED), (12, Said.CONTACT_MADE))),
    (0.15, ((5, Said.CONTACT_ATTEMPTED), (19, Said.CONTACT_MADE))),
    (0.08, ((4, Said.REJECTED), (11, Said.ACCEPTED), (13, Said.CONTACT_MADE))),
    (0.07, ((27, Said.CONTACT_ATTEMPTED), (40, Said.COMPLETED))),
    (0.10, ()),
)
OTHER: tuple[tuple[float, Plan], ...] = (
    (0.7, ((6, Said.COMPLETED),)),
    (0.1, ((30, Said.COMPLETED),)),
    (0.2, ()),
)
VERIFY: tuple[tuple[float, Plan], ...] = (
    (0.35, ((2, Said.IDENTITY_CONFIRMED),)),
    (0.15, ((20, Said.IDENTITY_CONFIRMED),)),
    (0.3, ((3, Said.IDENTITY_REFUTED), (4, Said.IDENTITY_REFUTED))),
    (0.2, ()),
)
PLANS = {TaskKind.VERIFY_IDENTITY: VERIFY, TaskKind.EVALUATE_PLAN: OTHER, TaskKind.INFORM_RESIDENT: OTHER}


class Counsellors:
    """Everybody who acts on tasks.

    Args:
        seed: Who they are.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._since: dict[str, int] = {}
        self.said: dict[str, list[TaskUpdateKind]] = {}

    def act(self, connection: Connection, at: Millis) -> list[TaskUpdate]:
        """What they report today about the tasks that run."""
        today = amsterdam_day(at)
        running = connection.execute(
            select(tasks).where(tasks.c.next_on.is_not(None)).order_by(tasks.c.task_id)
        )
        updates = []
        for row in running:
            first = self._since.setdefault(row.task_id, today.toordinal())
            age = timedelta(days=today.toordinal() - first).days
            updates += [self._update(row, what, at) for day, what in self._plan(row) if day == age]
        return updates

    def _plan(self, row: Row[Any]) -> Plan:
        drawn = random.Random(f"{self._seed} {row.task_id}").random()
        plans = PLANS.get(TaskKind(row.kind), CONTACT)
        for share, plan in plans:
            drawn -= share
            if drawn < 0:
                return plan
        return plans[-1][1]

    def _update(self, row: Row[Any], what: TaskUpdateKind, at: Millis) -> TaskUpdate:
        self.said.setdefault(row.task_id, []).append(what)
        count = len(self.said[row.task_id])
        answer = what in {Said.IDENTITY_CONFIRMED, Said.IDENTITY_REFUTED}
        trajectory_id, client = row.candidates[0] if answer else (None, None)
        return TaskUpdate(
            update_id=f"{row.task_id}/{count}",
            task_id=row.task_id,
            occurred_at=at,
            kind=what,
            trajectory_id=trajectory_id,
            client=client,
            channel=ContactChannel.PHONE if what is Said.CONTACT_ATTEMPTED else None,
            reached=None,
            outcome=None,
            by=row.assignee or f"{row.team}-lid",
        )
