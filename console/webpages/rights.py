"""Who may see and report what on the pages: targets for `may`, and the menu that follows.

In: a principal, a task or trajectory. Out: yes or no. A colleague's task is read when they are ill; it is changed by
its owner, by the team while it is the team's, and taken over by whoever leads the team.
"""

from typing import NamedTuple

from signaalwissel.processors.access import Action, Principal, Target, may, may_somewhere
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_updates import TRANSITIONS
from signaalwissel.schemas.followup import TaskUpdateKind

_TAKES_OVER = frozenset({TaskUpdateKind.ACCEPTED, TaskUpdateKind.REASSIGNED})


class MenuItem(NamedTuple):
    """A page in the menu."""

    path: str
    text: str


def menu(principal: Principal) -> tuple[MenuItem, ...]:
    """The pages that somebody may open, in the order of the menu."""
    items = [
        (Action.READ_TASK, "/taken", "Werkvoorraad"),
        (Action.READ_DECISION, "/signalen", "Signaal"),
        (Action.READ_TASK, "/dossiers", "Dossier"),
        (Action.READ_FIGURES, "/uitval", "Uitval"),
        (Action.READ_FIGURES, "/cijfers", "Cijfers"),
        (Action.READ_POLICY, "/beleid", "Beleid"),
        (Action.READ_DEAD_LETTER, "/berichten", "Vastgelopen berichten"),
        (Action.READ_STATUS, "/beheer", "Beheer"),
    ]
    return tuple(MenuItem(path, text) for action, path, text in items if may_somewhere(principal, action))


def whole_municipalities(principal: Principal) -> list[str]:
    """The municipalities of which somebody reads every task."""
    return municipalities_for(principal, Action.READ_TASK)


def municipalities_for(principal: Principal, action: Action) -> list[str]:
    """The municipalities in the whole of which somebody may do something."""
    return [
        code for code in sorted(principal.municipalities) if may(principal, action, Target(municipality=code))
    ]


def may_mend(principal: Principal, municipality: str | None) -> bool:
    """Whether somebody may see and mend the record of a dead letter; never one of which nobody knows whose it is."""
    return may(principal, Action.MEND_DEAD_LETTER, Target(municipality=municipality))


def reads_every_letter(principal: Principal) -> bool:
    """Whether somebody sees the dead letters of all municipalities and of none."""
    return may(principal, Action.READ_DEAD_LETTER, Target())


def read_target(task: Task) -> Target:
    """A task as something to read."""
    return Target(task.municipality, task.assignee, task.team)


def reports(principal: Principal, task: Task) -> list[TaskUpdateKind]:
    """What somebody may report of a task as it stands now, in the order of the schema."""
    allowed = TRANSITIONS[task.kind]
    return [
        kind
        for kind in TaskUpdateKind
        if task.status in allowed.get(kind, {})
        and _may_report(principal, task, kind)
        and _makes_sense(task, kind, principal)
    ]


def hands_over(principal: Principal, task: Task) -> bool:
    """Whether somebody may give a task to a colleague: who has it, the team while it is the team's, who leads the team."""
    if task.status not in TRANSITIONS[task.kind][TaskUpdateKind.REASSIGNED]:
        return False
    return _changes(principal, task) or may(principal, Action.REASSIGN_TASK, read_target(task))


def _changes(principal: Principal, task: Task) -> bool:
    mine = Target(task.municipality, task.assignee, task.team if task.assignee is None else None)
    return may(principal, Action.UPDATE_TASK, mine)


def _may_report(principal: Principal, task: Task, kind: TaskUpdateKind) -> bool:
    if kind in _TAKES_OVER and principal.counsellor_id is None:
        return False
    if _changes(principal, task):
        return True
    return kind is TaskUpdateKind.REASSIGNED and may(principal, Action.REASSIGN_TASK, read_target(task))


def _makes_sense(task: Task, kind: TaskUpdateKind, principal: Principal) -> bool:
    """Whether it would change anything: nobody takes over what is theirs, or gives back what is the team's."""
    if kind is TaskUpdateKind.REASSIGNED:
        return task.assignee is not None and task.assignee != principal.counsellor_id
    if kind is TaskUpdateKind.ACCEPTED:
        free = task.assignee in {None, principal.counsellor_id}
        return free and not (task.status == "ACCEPTED" and task.assignee == principal.counsellor_id)
    return kind is not TaskUpdateKind.REJECTED or task.assignee is not None
