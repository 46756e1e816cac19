"""What one task needs of Open Klant now, done: made, changed, or read back.

Flows in: a task, what Open Klant has of it, a client. Flows out: how the hand-over stands after it, and whether
somebody marked the internetaak as done.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.open_klant_texts import texts_of
from signaalwissel.sinks.open_klant import DONE, TO_DO, InternalTask, OpenKlant
from signaalwissel.sinks.open_klant_store import Handover
from signaalwissel.sinks.open_klant_tables import HandoverStatus


class Completion(NamedTuple):
    """That somebody marked the internetaak as done: when, and whether the resident was reached, where that is said."""

    handled_at: datetime | None
    reached: bool | None


class Step(NamedTuple):
    """How a hand-over stands; `completed` where Open Klant says for the first time that the task is done."""

    handover: Handover
    completed: Completion | None = None


def step(api: OpenKlant, task: Task, handover: Handover) -> Step:
    """Do what a task needs; Open Klant's failures pass.

    Doing it again after a crash finds what was made before. What is not known to be in Open Klant is looked for even
    when the task has ended: a request that got no answer may have been carried out.
    """
    if handover.status is HandoverStatus.COMPLETED:
        return Step(replace(handover, status=HandoverStatus.CLOSED, version=task.version))
    if handover.internetaak is None:
        return Step(_ended_unseen(api, task, handover) if task.ended else _handed(api, task, handover))
    seen = api.read(handover.internetaak)
    if seen.done and not task.ended and handover.status is HandoverStatus.OPEN:
        reached = None if handover.klantcontact is None else api.reached(handover.klantcontact)
        return Step(replace(handover, status=HandoverStatus.COMPLETED), Completion(seen.handled_at, reached))
    if handover.version == task.version:
        return Step(handover)
    return Step(_brought_up_to_date(api, task, handover, seen))


def _handed(api: OpenKlant, task: Task, handover: Handover) -> Handover:
    texts = texts_of(task)
    contact = handover.klantcontact or api.contact(task, texts).uuid
    made = api.internal_task(contact, task, texts)
    # What was found may be of an earlier version: the next look brings it up to date.
    version = task.version if made.fresh else 0
    return replace(
        handover,
        status=HandoverStatus.OPEN,
        version=version,
        klantcontact=contact,
        internetaak=made.uuid,
    )


def _ended_unseen(api: OpenKlant, task: Task, handover: Handover) -> Handover:
    contact = handover.klantcontact or api.contact_of(task.task_id)
    found = None if contact is None else api.internal_task_of(contact)
    if found is not None:
        api.change(found, task, texts_of(task), DONE)
    return replace(
        handover,
        status=HandoverStatus.CLOSED,
        version=task.version,
        klantcontact=contact,
        internetaak=found,
    )


def _brought_up_to_date(api: OpenKlant, task: Task, handover: Handover, seen: InternalTask) -> Handover:
    reopened = handover.status is HandoverStatus.CLOSED and not task.ended
    status = DONE if task.ended else TO_DO if reopened else None
    # Nobody looks at what is done any more, and its moment of completion stays what it was.
    if not (task.ended and seen.done):
        assert handover.internetaak is not None  # noqa: S101 - the caller has read it
        api.change(handover.internetaak, task, texts_of(task), status)
    after = HandoverStatus.CLOSED if task.ended else HandoverStatus.OPEN
    return replace(handover, status=after, version=task.version)
