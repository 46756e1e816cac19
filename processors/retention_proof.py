"""What tells that data was destroyed, and tells nothing of whom it was about (design 2, 7).

In: a trajectory or a day whose data is gone. Out: notices and commands whose ids are digests.
"""

from dataclasses import replace
from datetime import date

from signaalwissel.processors.followup_notices import Notice, digest, notice_id
from signaalwissel.processors.followup_tasks import Moment, Task
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.schemas.followup import NoticeKind, TaskStatus, TaskStep
from signaalwissel.schemas.internal import IntakeCommand, IntakeCommandKind

RETENTION_OVER = "De taak vervalt: de bewaartermijn van de gegevens is voorbij."
"""The last step of a task that still ran when its data was destroyed."""


def trajectory_destroyed(municipality: str, trajectory_id: str, today: date) -> Notice:
    """The notice that a trajectory was destroyed: the same, once, as when its case system erased it.

    Its addressee is a digest: whoever knows the trajectory can find its notice, the notice leads nowhere.
    """
    return Notice(
        notice_id=notice_id(NoticeKind.DATA_DESTROYED, municipality, "trajectory", trajectory_id),
        kind=NoticeKind.DATA_DESTROYED,
        municipality=municipality,
        addressee="trajectory-" + digest(municipality, trajectory_id),
        occurred_on=today,
    )


def day_destroyed(municipality: str, day: date, today: date) -> Notice:
    """The notice that the signals received on a day are destroyed, and the key that sealed them."""
    return Notice(
        notice_id=notice_id(NoticeKind.DATA_DESTROYED, municipality, "day", day.isoformat()),
        kind=NoticeKind.DATA_DESTROYED,
        municipality=municipality,
        addressee="day-" + digest(municipality, day.isoformat()),
        occurred_on=today,
    )


def destruction_command(municipality: str, trajectory_id: str, moment: Moment) -> IntakeCommand:
    """What makes intake, `trajectory-states` and the matcher forget a trajectory for good."""
    return IntakeCommand(
        command_id="destroyed-" + digest(municipality, trajectory_id),
        kind=IntakeCommandKind.ERASE,
        municipality=municipality,
        trajectory_id=trajectory_id,
        client=None,
        occurred_on=moment.today,
        issued_at=moment.at,
    )


def last_word(task: Task, moment: Moment, note: str) -> Task:
    """A task as task systems read it for the last time: ended, and without what it was about.

    Args:
        task: The task before it is destroyed.
        moment: Now.
        note: The Dutch sentence that says why it ends, for one that ran.
    """
    told = replace(task, reports=(), candidates=(), history=())
    if task.ended:
        return told
    ended = told.ending(TaskStatus.CANCELLED)
    return ended.with_step(TaskStep(moment.at, StepKind.CANCELLED, None, note)).next_version()
