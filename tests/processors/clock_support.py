"""Days, and what the clock does on them, for the tests of the ladder."""

from datetime import date, timedelta
from typing import Any

from signaalwissel.processors.followup_tasks import Task

from tests.processors.followup_support import Desk, decision

MONDAY = date(2026, 3, 2)
"""The day of receipt of a decision that says none."""
NOTHING: list[str] = []


def day(number: int, since: date = MONDAY) -> date:
    """That many days later."""
    return since + timedelta(days=number)


def what(task: Task) -> list[str]:
    """The steps of a task."""
    return [str(step.what) for step in task.history]


def relapse(**changes: Any) -> Desk:
    """A desk with one relapse."""
    desk = Desk()
    desk.follow(decision(**changes))
    return desk


def steps_on(desk: Desk, today: date) -> list[str]:
    """What the clock does on that day to the only task."""
    before = len(what(desk.only))
    desk.tick(today)
    return what(desk.only)[before:]
