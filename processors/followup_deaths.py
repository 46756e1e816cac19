"""A resident who died after the signal came: nobody is contacted by us (domain 8.12), and a person closes the task.

In: a Case. Out: the relapses that run, with one more step where a death became known, or is none any more. A death on
or before the day of receipt is another matter: that signal goes to the regular flow, and its task is cancelled.
"""

from collections.abc import Iterable

from signaalwissel.processors import followup_texts as texts
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.followup_texts import StepKind
from signaalwissel.processors.followup_view import Case
from signaalwissel.schemas.followup import TaskKind, TaskStep

_TOLD = frozenset({StepKind.RESIDENT_DIED, StepKind.RESIDENT_LIVES})


def relapses_told_of_deaths(case: Case, changed: Iterable[Task]) -> tuple[Task, ...]:
    """The relapses that change, each in its next version.

    Args:
        case: The trajectory, with `changed` among its tasks.
        changed: Tasks that are in their next version already.
    """
    if case.trajectory is None:
        return ()
    renewed = {task.task_id for task in changed}
    running = [task for task in case.tasks(TaskKind.CONTACT_ON_RELAPSE) if not task.ended]
    told = [(task, _told(task, case)) for task in running]
    return tuple(
        after if task.task_id in renewed else after.next_version()
        for task, after in told
        if after is not None
    )


def _told(task: Task, case: Case) -> Task | None:
    steps = [step.what for step in task.history if step.what in _TOLD]
    known = bool(steps) and steps[-1] == StepKind.RESIDENT_DIED
    dead = all(_died(client, case) for client in {report.client for report in task.held})
    if dead == known:
        return None
    what, note = (
        (StepKind.RESIDENT_DIED, texts.RESIDENT_DIED)
        if dead
        else (StepKind.RESIDENT_LIVES, texts.RESIDENT_LIVES)
    )
    return task.with_step(TaskStep(case.moment.at, what, None, note))


def _died(position: int | None, case: Case) -> bool:
    """Whether that client died; where nobody knows whose arrears they are, whether all did."""
    clients = () if case.trajectory is None else case.trajectory.clients
    concerned = clients if position is None else clients[position : position + 1]
    return bool(concerned) and all(any(day <= case.today for day in one.deaths) for one in concerned)
