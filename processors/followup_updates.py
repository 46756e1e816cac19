"""What a task update does to a task: a state machine as a table (design 5: DONE by a task update, never by time).

In: a TaskUpdate, its task, the policy. Out: the task in its next version and the commands that follow, or
UpdateRefused with field and rule, for a dead letter.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_tasks import ENDED, Command, Outcome, Task, command_id
from signaalwissel.processors.policy import Policy
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskStep, TaskUpdate, TaskUpdateKind
from signaalwissel.schemas.internal import ResidentCommand, ResidentCommandKind
from signaalwissel.schemas.primitives import FIRST_MOMENT, LAST_MOMENT
from signaalwissel.schemas.routing import Candidate

Transition = Mapping[TaskStatus, TaskStatus]

_Is = TaskStatus
_STAYS: Transition = {_Is.OPEN: _Is.OPEN, _Is.ACCEPTED: _Is.ACCEPTED, _Is.ESCALATED: _Is.ESCALATED}
_TAKEN: Transition = dict.fromkeys(_STAYS, _Is.ACCEPTED)
_ENDS: Transition = dict.fromkeys(_STAYS, _Is.DONE)
_GIVEN_BACK: Transition = {_Is.OPEN: _Is.OPEN, _Is.ACCEPTED: _Is.OPEN, _Is.ESCALATED: _Is.ESCALATED}

_Said = TaskUpdateKind
_ANY: Mapping[TaskUpdateKind, Transition] = {
    _Said.ACCEPTED: _TAKEN,
    _Said.REASSIGNED: _STAYS,
    _Said.REJECTED: _GIVEN_BACK,
}
_CONTACT: Mapping[TaskUpdateKind, Transition] = {
    **_ANY,
    _Said.CONTACT_ATTEMPTED: _STAYS,
    _Said.CONTACT_MADE: _ENDS,
    _Said.COMPLETED: _ENDS,
}

TRANSITIONS: Mapping[TaskKind, Mapping[TaskUpdateKind, Transition]] = {
    TaskKind.CONTACT_ON_RELAPSE: _CONTACT,
    TaskKind.MONTHLY_CONTACT: _CONTACT,
    TaskKind.AFTERCARE_CONTACT: _CONTACT,
    TaskKind.EVALUATE_PLAN: {**_ANY, _Said.PLAN_EVALUATED: _ENDS, _Said.COMPLETED: _ENDS},
    TaskKind.INFORM_RESIDENT: {**_ANY, _Said.CONTACT_ATTEMPTED: _STAYS, _Said.COMPLETED: _ENDS},
    # A verification ends with an answer. Refuted, it goes on with the other candidates; see `_refuted`.
    TaskKind.VERIFY_IDENTITY: {**_ANY, _Said.IDENTITY_CONFIRMED: _ENDS, _Said.IDENTITY_REFUTED: _STAYS},
}
"""Task kind, what was reported, status before -> status after. What is not here is refused. No update leads out of
DONE, CANCELLED or EXPIRED, and none but an answer ends a verification."""

HANDED_OVER: Transition = _GIVEN_BACK
"""REASSIGNED to a named colleague, who has not taken it up yet: nobody may think so."""

_TAKES_OVER = frozenset({_Said.ACCEPTED, _Said.REASSIGNED})
_ANSWERS = frozenset({_Said.IDENTITY_CONFIRMED, _Said.IDENTITY_REFUTED})
_ID_LENGTH_MAX = 200
_CLIENT_MAX = 1
_NO_COLLEAGUE = "must be a counsellor who is there and may own a task"


class UpdateRefusal(StrEnum):
    """What is wrong with a task update; stands in its dead letter."""

    UNKNOWN_TASK = "UNKNOWN_TASK"
    ILLEGAL_UPDATE = "ILLEGAL_UPDATE"
    INVALID_FIELD = "INVALID_FIELD"


class UpdateRefused(ValueError):
    """A task update cannot be applied: code, field and rule, never a value of the record."""

    def __init__(self, code: UpdateRefusal, field: str, rule: str) -> None:
        super().__init__(f"{code}: {field}: {rule}")
        self.code = code
        self.field = field
        self.rule = rule


def check_update(update: TaskUpdate) -> None:
    """Refuse an update whose fields cannot be right, whatever its task; raises UpdateRefused."""
    _check_ids(update)
    if not FIRST_MOMENT <= update.occurred_at <= LAST_MOMENT:
        raise _invalid("occurred_at", "must be a moment of this calendar")
    if update.client is not None and not 0 <= update.client <= _CLIENT_MAX:
        raise _invalid("client", "must be 0 or 1")
    if update.kind is _Said.CONTACT_MADE and update.reached is False:
        raise _invalid("reached", "must not be false where contact was made; report CONTACT_ATTEMPTED")
    if update.assignee is not None and update.kind is not _Said.REASSIGNED:
        raise _invalid("assignee", "must be absent but on REASSIGNED")


def is_handed_over(update: TaskUpdate) -> bool:
    """Whether a task goes to a colleague who did not say so himself."""
    return update.kind is _Said.REASSIGNED and update.assignee not in {None, update.by}


def check_colleague(update: TaskUpdate, known: Collection[str]) -> None:
    """Refuse to give a task to somebody whom no record knows (domain 8.7): it would be nobody's.

    Args:
        update: A report that hands a task over.
        known: Who runs a trajectory of the task's municipality or has an open task there.

    Raises:
        UpdateRefused: The colleague is not among them.
    """
    if update.assignee not in known:
        raise _invalid("assignee", _NO_COLLEAGUE)


def apply_update(update: TaskUpdate, task: Task | None, policy: Policy) -> Outcome:
    """The task after an update that `check_update` let pass, and the commands that follow.

    Whoever reports ACCEPTED has the task from then on; on REASSIGNED the colleague whom it names, or else who reports.
    What remains of the ladder stays as it was, so a task that was accepted still goes to the team when the resident is
    not reached.

    Raises:
        UpdateRefused: There is no such task, or the table does not allow the update.
    """
    if task is None:
        raise UpdateRefused(UpdateRefusal.UNKNOWN_TASK, "task_id", "there is no task with this id")
    status = TRANSITIONS[task.kind].get(update.kind, {}).get(task.status)
    if status is None:
        raise UpdateRefused(
            UpdateRefusal.ILLEGAL_UPDATE,
            "kind",
            f"{update.kind} does not apply to a task {task.kind} that is {task.status}",
        )
    _check_owner(update, policy)
    if is_handed_over(update) and update.assignee != task.assignee:
        status = HANDED_OVER[task.status]
    step = TaskStep(update.occurred_at, update.kind, update.by, texts.update_note(update))
    task = _with_status(_owned(task, update), status).with_step(step)
    if status is TaskStatus.DONE:
        task = replace(task, outcome=update.outcome)
    if update.kind in _ANSWERS:
        return _answered(task, update)
    return Outcome((task.next_version(),))


def _with_status(task: Task, status: TaskStatus) -> Task:
    return task.ending(status) if status in ENDED else replace(task, status=status)


def _check_ids(update: TaskUpdate) -> None:
    given = ("update_id", "task_id", "by", "trajectory_id", "assignee")
    for field in given:
        value = getattr(update, field)
        if value is not None and not (1 <= len(value) <= _ID_LENGTH_MAX and value.isprintable()):
            raise _invalid(field, f"must have 1 to {_ID_LENGTH_MAX} printable characters")


def _check_owner(update: TaskUpdate, policy: Policy) -> None:
    if update.kind not in _TAKES_OVER:
        return
    if is_handed_over(update):
        if not policy.teams.may_own(_owner(update)):
            raise _invalid("assignee", _NO_COLLEAGUE)
    elif update.by in policy.teams.administrators:
        raise _invalid("by", "an administrator (bewindvoerder) never owns a task")


def _owner(update: TaskUpdate) -> str:
    return update.assignee or update.by


def _owned(task: Task, update: TaskUpdate) -> Task:
    if update.kind in _TAKES_OVER:
        return replace(task, assignee=_owner(update))
    if update.kind is _Said.REJECTED:
        return replace(task, assignee=None)
    return task


def _answered(task: Task, update: TaskUpdate) -> Outcome:
    candidate = _candidate(task, update)
    if update.kind is _Said.IDENTITY_REFUTED:
        rest = tuple(other for other in task.candidates if other != candidate)
        task = _with_status(replace(task, candidates=rest), task.status if rest else TaskStatus.DONE)
        kind = ResidentCommandKind.REFUTE_IDENTITY
    else:
        kind = ResidentCommandKind.CONFIRM_IDENTITY
    commands = tuple(
        Command(
            report.match_key,
            ResidentCommand(
                command_id=command_id(task.task_id, update.update_id),
                kind=kind,
                municipality=task.municipality,
                signal_ref=report.ref,
                trajectory_id=candidate.trajectory_id,
                client=candidate.client,
                issued_at=update.occurred_at,
            ),
        )
        for report in task.held
    )
    return Outcome((task.next_version(),), commands)


def _candidate(task: Task, update: TaskUpdate) -> Candidate:
    meant = [
        candidate
        for candidate in task.candidates
        if update.trajectory_id in {None, candidate.trajectory_id}
        and update.client in {None, candidate.client}
    ]
    if len(meant) != 1:
        raise _invalid("trajectory_id", "must name, with client, exactly one of the task's candidates")
    return meant[0]


def _invalid(field: str, rule: str) -> UpdateRefused:
    return UpdateRefused(UpdateRefusal.INVALID_FIELD, field, rule)
