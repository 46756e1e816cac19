"""Nobody is told to contact somebody who died after the signal came (domain 8.12), and no hit ends in silence."""

from datetime import date, timedelta

import pytest
from signaalwissel.processors.followup_notices import Notice
from signaalwissel.schemas.followup import (
    ContactOutcome,
    Feedback,
    NoticeKind,
    TaskKind,
    TaskStatus,
    TaskUpdateKind,
)
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import ExitReason

from tests.processors.agenda_support import ANNA, BRAM, Kind, Office, applied, fact
from tests.processors.followup_support import decision, update

MONDAY = date(2026, 3, 2)
FRIDAY = MONDAY + timedelta(days=4)
DIED = ["OPENED", "RESIDENT_DIED"]


def death(*who: object, day: date = FRIDAY) -> Fact:
    return fact(Kind.EXITED, day, exit_reason=ExitReason.DECEASED, clients=tuple(who), event_id="d")


def steps(office: Office) -> list[str]:
    (task,) = office.of(TaskKind.CONTACT_ON_RELAPSE)
    return [str(step.what) for step in task.history]


def test_who_has_the_task_is_told_once_and_the_task_stays_until_somebody_closes_it() -> None:
    office = Office().on(MONDAY, applied(), decision()).on(FRIDAY, death(ANNA))
    office.clock(FRIDAY + timedelta(days=1))
    assert steps(office) == DIED
    (task,) = office.of(TaskKind.CONTACT_ON_RELAPSE)
    assert (task.status, task.assignee, task.version) == (TaskStatus.OPEN, "b-17", 2)
    closed = update(TaskUpdateKind.COMPLETED, task.task_id, outcome=ContactOutcome.DECEASED)
    office.on(FRIDAY + timedelta(days=2), closed)
    assert office.of(TaskKind.CONTACT_ON_RELAPSE)[0].status is TaskStatus.DONE
    told: list[Notice] = [n for n in office.notices.values() if n.kind is NoticeKind.PARTNER_FEEDBACK]
    assert [notice.feedback for notice in told] == [Feedback.NOT_TAKEN_UP]


@pytest.mark.parametrize(
    ("client", "expected"), [(0, DIED), (1, ["OPENED"])], ids=["whose arrears they are", "the other"]
)
def test_of_two_clients_only_the_death_of_whose_arrears_they_are_counts(
    client: int, expected: list[str]
) -> None:
    office = Office().on(MONDAY, applied(ANNA, BRAM), decision(client=client)).on(FRIDAY, death(ANNA))
    assert steps(office) == expected


def test_where_nobody_knows_whose_arrears_they_are_both_must_have_died() -> None:
    office = Office().on(MONDAY, applied(ANNA, BRAM), decision(client=None)).on(FRIDAY, death(ANNA))
    assert steps(office) == ["OPENED"]


def test_new_arrears_of_the_one_who_lives_are_to_be_contacted_about() -> None:
    office = Office().on(MONDAY, applied(ANNA, BRAM), decision()).on(FRIDAY, death(ANNA))
    office.on(FRIDAY, decision("s-2", client=1, received_on=FRIDAY))
    assert steps(office) == [*DIED, "ARREARS_ADDED", "RESIDENT_LIVES"]


def test_a_death_that_was_an_error_is_taken_back() -> None:
    office = Office().on(MONDAY, applied(), decision()).on(FRIDAY, death(ANNA))
    mended = fact(Kind.EXITED, FRIDAY, FRIDAY.toordinal() + 1, exit_reason=ExitReason.COMPLETED, event_id="m")
    office.on(FRIDAY, mended)
    assert steps(office) == [*DIED, "RESIDENT_LIVES"]
