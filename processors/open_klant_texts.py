"""What a counsellor reads in Open Klant about a task: Dutch, and nothing of a person but opaque ids.

In: a task. Out: texts that fit the fields of klantcontact and internetaak. An internetaak has no due date, so the
deadline stands in its text; we keep it ourselves.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.followup import TaskKind, TaskStatus

SUBJECT_MAX = 200
"""Most characters of `onderwerp` and `gevraagdeHandeling`."""
CONTENT_MAX = 1000
"""Most characters of `inhoud` and `toelichting`."""

HANDED_OVER = frozenset(
    {
        TaskKind.CONTACT_ON_RELAPSE,
        TaskKind.EVALUATE_PLAN,
        TaskKind.MONTHLY_CONTACT,
        TaskKind.AFTERCARE_CONTACT,
        TaskKind.INFORM_RESIDENT,
    }
)
"""Kinds that can be handed over. A verification cannot: it ends with an answer, which an internetaak has no field for."""

_ACTIONS: Mapping[TaskKind, str] = {
    TaskKind.CONTACT_ON_RELAPSE: "Neem persoonlijk contact op met de inwoner: mogelijke terugval",
    TaskKind.EVALUATE_PLAN: "Evalueer het plan van aanpak met de inwoner",
    TaskKind.MONTHLY_CONTACT: "Neem het maandelijkse contact op met de inwoner",
    TaskKind.AFTERCARE_CONTACT: "Neem contact op met de inwoner: afronding van de nazorg",
    TaskKind.INFORM_RESIDENT: "Informeer de inwoner over de verwerking van vroegsignalen",
    TaskKind.VERIFY_IDENTITY: "Controleer de identiteit van de inwoner",
}
_STATES: Mapping[TaskStatus, str] = {
    TaskStatus.OPEN: "",
    TaskStatus.ACCEPTED: "",
    TaskStatus.ESCALATED: "De taak is overgedragen aan het team.",
    TaskStatus.DONE: "De taak is afgerond; u hoeft niets meer te doen.",
    TaskStatus.CANCELLED: "De taak is vervallen; u hoeft niets meer te doen.",
    TaskStatus.EXPIRED: "De termijn van de taak is verlopen; u hoeft niets meer te doen.",
}


class TaskTexts(NamedTuple):
    """The texts of a task; `content` goes on the klantcontact, `explanation` on the internetaak."""

    action: str
    content: str
    explanation: str


def texts_of(task: Task) -> TaskTexts:
    """The texts of a task as it is now."""
    action = _ACTIONS[task.kind]
    explanation = [
        _STATES[task.status],
        f"Uiterlijk {_dutch(task.due_on)}." if not task.ended else "",
        "Bedreigende situatie." if any(report.crisis for report in task.held) else "",
        f"Aantal signalen: {len(task.held)}." if task.held else "",
        _about(task),
        _last_note(task),
    ]
    return TaskTexts(
        action=_cut(action, SUBJECT_MAX),
        content=_cut(f"{action}. {_about(task)}", CONTENT_MAX),
        explanation=_cut(" ".join(filter(None, explanation)), CONTENT_MAX),
    )


def _about(task: Task) -> str:
    trajectory = "" if task.trajectory_id is None else f", traject {task.trajectory_id}"
    return f"Gemeente {task.municipality}{trajectory}, taak {task.task_id}."


def _last_note(task: Task) -> str:
    note = task.history[-1].note if task.history else None
    return "" if note is None else f"Laatste stap: {note}"


def _dutch(day: date) -> str:
    return f"{day.day:02d}-{day.month:02d}-{day.year}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
