"""From a form to a TaskUpdate, and what it will do to the task before the sink has applied it.

In: a task, who reports what. Out: the update, with an id that a form sent twice gives twice; the task as it will be.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from signaalwissel.console.webpages.parts import Page, Pages, Parts
from signaalwissel.processors.access import Principal
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_updates import UpdateRefused, apply_update, check_update
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.units import Millis

_SENT_MAX = 10_000
_SEPARATOR = "\x1f"
_REACHES = {TaskUpdateKind.CONTACT_ATTEMPTED: False, TaskUpdateKind.CONTACT_MADE: True}


class Report(NamedTuple):
    """What somebody filled in.

    Attributes:
        version: The task's version on their page.
        candidate: Of a verification: trajectory and client.
        colleague: To whom the task is handed over.
    """

    kind: TaskUpdateKind
    version: int
    channel: ContactChannel | None = None
    outcome: ContactOutcome | None = None
    candidate: tuple[str, int] | None = None
    colleague: str | None = None


def update_of(task_id: str, report: Report, principal: Principal, at: Millis) -> TaskUpdate:
    """The update; the same form sent twice has the same id, so that it counts once."""
    by = principal.counsellor_id or principal.subject
    trajectory_id, client = report.candidate or (None, None)
    said: tuple[object, ...] = (
        task_id,
        report.version,
        report.kind,
        report.channel,
        report.outcome,
        trajectory_id,
        client,
        by,
    )
    said += () if report.colleague is None else (report.colleague,)
    text = _SEPARATOR.join("" if one is None else str(one) for one in said)
    digest = hashlib.blake2b(text.encode(), digest_size=16, person=b"web-update").hexdigest()
    return TaskUpdate(
        update_id=f"web-{digest}",
        task_id=task_id,
        occurred_at=at,
        kind=report.kind,
        trajectory_id=trajectory_id,
        client=client,
        channel=report.channel,
        reached=_REACHES.get(report.kind),
        outcome=report.outcome,
        by=by,
        assignee=report.colleague,
    )


def foreseen(task: Task, updates: Sequence[TaskUpdate], policy: Policy) -> Task:
    """The task as it will be once these updates are applied; one that does not fit any more is passed over."""
    for update in updates:
        try:
            check_update(update)
            task = apply_update(update, task, policy).tasks[0]
        except UpdateRefused:
            continue
    return task


class Sent:
    """Updates that this process sent and that the sink has not applied yet, as far as is known; bounded."""

    def __init__(self) -> None:
        self._by_task: OrderedDict[str, tuple[TaskUpdate, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, update: TaskUpdate) -> None:
        """Remember one that Kafka has."""
        with self._lock:
            before = self._by_task.pop(update.task_id, ())
            others = tuple(one for one in before if one.update_id != update.update_id)
            self._by_task[update.task_id] = (*others, update)
            if len(self._by_task) > _SENT_MAX:
                self._by_task.popitem(last=False)

    def of(self, task_id: str) -> tuple[TaskUpdate, ...]:
        """Those of a task, in the order in which they were sent."""
        with self._lock:
            return self._by_task.get(task_id, ())

    def forget(self, update: TaskUpdate) -> None:
        """One was applied."""
        with self._lock:
            left = tuple(
                one for one in self._by_task.get(update.task_id, ()) if one.update_id != update.update_id
            )
            if left:
                self._by_task[update.task_id] = left
            else:
                self._by_task.pop(update.task_id, None)


class ReportingPage(Page):
    """A page that knows what was reported and is not applied yet.

    Args:
        parts: What it is made of.
        pages: Makes the page.
        sent: What was reported; shared by the pages that show it.
    """

    def __init__(self, parts: Parts, pages: Pages, sent: Sent) -> None:
        super().__init__(parts, pages)
        self._sent = sent
