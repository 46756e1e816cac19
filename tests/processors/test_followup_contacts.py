from datetime import date, timedelta

import pytest
from signaalwissel.processors.amsterdam import amsterdam_day
from signaalwissel.processors.followup_agenda import TrajectoryView, reconcile
from signaalwissel.processors.policy_sections import Contacts
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import ExitReason

from tests.processors.agenda_support import ANNA, DAY, Kind, Office, applied, fact, moment
from tests.processors.followup_support import MUNICIPALITY, POLICY, decision, to_regular

MONTHLY, AFTERCARE = TaskKind.MONTHLY_CONTACT, TaskKind.AFTERCARE_CONTACT
RELAPSE, EVALUATE = TaskKind.CONTACT_ON_RELAPSE, TaskKind.EVALUATE_PLAN
MADE = TaskUpdateKind.CONTACT_MADE


def monitored(since: date = date(2026, 1, 15), today: date | None = None) -> Office:
    return Office().on(today or since, (applied(), fact(Kind.MONITORING_STARTED, since, 1)))


def monitored_until(end: date, today: date | None = None) -> Office:
    office = monitored(date(2025, 9, 15), date(2025, 9, 15))
    return office.on(today or end, (fact(Kind.MONITORING_ENDED, end),))


def statuses(office: Office, kind: TaskKind) -> list[TaskStatus]:
    return [task.status for task in office.of(kind)]


# --- Monthly contact ---


def test_open_monitoring_asks_for_a_contact_in_each_of_its_months() -> None:
    office = monitored()
    for day in (date(2026, 1, 20), date(2026, 2, 20), date(2026, 3, 20)):
        office.every_day(day).close(MONTHLY, MADE, day)
    stretches = [(task.opened_on, task.due_on) for task in office.of(MONTHLY)]
    assert stretches == [
        (date(2026, 1, 15), date(2026, 2, 14)),
        (date(2026, 2, 15), date(2026, 3, 14)),
        (date(2026, 3, 15), date(2026, 4, 14)),
    ]
    assert statuses(office, MONTHLY) == [TaskStatus.DONE] * 3


def test_months_that_began_on_the_31st_end_where_the_month_is_shorter() -> None:
    office = monitored(date(2026, 1, 31)).every_day(date(2026, 4, 30))
    assert [task.opened_on for task in office.of(MONTHLY)] == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]


def test_only_the_present_month_is_made_up_for() -> None:
    office = monitored(date(2024, 1, 15), today=date(2026, 3, 20))
    assert office.only(MONTHLY).opened_on == date(2026, 3, 15)


def test_a_missed_month_is_visible_and_the_next_one_is_the_teams() -> None:
    office = monitored().every_day(date(2026, 2, 15))
    first, second = office.of(MONTHLY)
    assert (first.status, first.history[-1].what) == (TaskStatus.EXPIRED, "MISSED")
    assert (second.status, second.assignee, second.team) == (TaskStatus.ESCALATED, None, "team-noord")
    assert "vorige maand" in (second.history[0].note or "")


def test_months_missed_while_nobody_looked_are_no_backlog_but_the_one_that_was_open_is_visible() -> None:
    office = monitored().on(date(2026, 6, 20))
    assert statuses(office, MONTHLY) == [TaskStatus.EXPIRED, TaskStatus.OPEN]
    assert office.of(MONTHLY)[1].opened_on == date(2026, 6, 15)


@pytest.mark.parametrize(
    "mended", [date(2026, 1, 12), date(2026, 1, 18), date(2026, 1, 3), date(2026, 1, 27)]
)
@pytest.mark.parametrize("done", [False, True])
def test_a_begin_that_is_mended_by_some_days_asks_for_no_second_contact_in_the_month(
    mended: date, done: bool
) -> None:
    office = monitored(today=date(2026, 1, 15)).every_day(date(2026, 1, 28))
    if done:
        office.close(MONTHLY, MADE, date(2026, 1, 28))
    office.on(date(2026, 1, 28), fact(Kind.MONITORING_STARTED, mended, 2))
    assert len(office.of(MONTHLY)) == 1
    # The months that follow count from the mended day, each once.
    office.every_day(date(2026, 5, 28))
    later = [task.opened_on for task in office.of(MONTHLY)[1:]]
    assert [day.day for day in later] == [mended.day] * len(later)
    assert len(later) in {3, 4}


def test_a_begin_that_is_mended_by_more_than_half_a_month_is_another_month() -> None:
    office = monitored().every_day(date(2026, 1, 28)).close(MONTHLY, MADE, date(2026, 1, 28))
    office.on(date(2026, 2, 6), fact(Kind.MONITORING_STARTED, date(2026, 2, 5), 2))
    assert [task.opened_on for task in office.of(MONTHLY)] == [date(2026, 1, 15), date(2026, 2, 5)]


def test_a_running_relapse_is_the_contact_of_the_month() -> None:
    office = monitored().on(date(2026, 1, 20), decision(received_on=date(2026, 1, 20)))
    assert office.only(MONTHLY).status is TaskStatus.CANCELLED
    assert "terugval" in (office.only(MONTHLY).history[-1].note or "")
    office.close(RELAPSE, MADE, date(2026, 1, 25)).every_day(date(2026, 2, 14))
    assert statuses(office, MONTHLY) == [TaskStatus.CANCELLED]
    office.every_day(date(2026, 2, 15))
    assert statuses(office, MONTHLY) == [TaskStatus.CANCELLED, TaskStatus.OPEN]


def test_a_relapse_that_runs_on_covers_the_month_in_which_it_is_done() -> None:
    office = monitored().on(date(2026, 1, 20), decision(received_on=date(2026, 1, 20)))
    office.every_day(date(2026, 2, 20)).close(RELAPSE, MADE, date(2026, 2, 20))
    assert statuses(office.every_day(date(2026, 3, 14)), MONTHLY) == [TaskStatus.CANCELLED]
    assert office.every_day(date(2026, 3, 15)).of(MONTHLY)[-1].status is TaskStatus.OPEN


def test_a_relapse_that_was_cancelled_was_no_contact() -> None:
    office = monitored().on(
        date(2026, 1, 20), decision(received_on=date(2026, 1, 20)), to_regular(received_on=date(2026, 1, 20))
    )
    task = office.only(MONTHLY)
    assert [step.what for step in task.history] == ["OPENED", "CANCELLED", "REOPENED"]
    assert (task.status, task.due_on) == (TaskStatus.OPEN, date(2026, 2, 14))


def test_a_months_contact_that_comes_back_sends_no_reminder_of_a_day_that_went_by() -> None:
    office = monitored().on(date(2026, 1, 20), decision(received_on=date(2026, 1, 20)))
    office.every_day(date(2026, 2, 10)).on(date(2026, 2, 10), to_regular(received_on=date(2026, 1, 20)))
    assert office.only(MONTHLY).next_on == date(2026, 2, 15)
    office.every_day(date(2026, 2, 15))
    steps = [str(step.what) for step in office.of(MONTHLY)[0].history]
    assert steps == ["OPENED", "CANCELLED", "REOPENED", "MISSED"]


def test_a_months_contact_that_comes_back_in_time_is_reminded_on_its_day() -> None:
    office = monitored().on(date(2026, 1, 20), decision(received_on=date(2026, 1, 20)))
    office.every_day(date(2026, 2, 7)).on(date(2026, 2, 7), to_regular(received_on=date(2026, 1, 20)))
    assert [str(step.what) for step in office.only(MONTHLY).history][-2:] == ["REOPENED", "REMINDED"]


def test_monitoring_that_ended_needs_no_monthly_contact() -> None:
    office = monitored().on(date(2026, 1, 20), fact(Kind.MONITORING_ENDED, date(2026, 1, 19)))
    assert office.only(MONTHLY).status is TaskStatus.CANCELLED


def test_monitoring_lasts_through_its_last_day() -> None:
    office = monitored().on(date(2026, 1, 18), fact(Kind.MONITORING_ENDED, date(2026, 1, 20)))
    assert office.every_day(date(2026, 1, 20)).only(MONTHLY).status is TaskStatus.OPEN
    assert office.every_day(date(2026, 1, 21)).only(MONTHLY).status is TaskStatus.CANCELLED


def test_an_exit_or_a_reopening_does_not_touch_monitoring() -> None:
    office = monitored().on(
        date(2026, 1, 20),
        fact(Kind.EXITED, date(2026, 1, 16), exit_reason=ExitReason.COMPLETED),
        fact(Kind.REOPENED, date(2026, 1, 18)),
    )
    assert office.only(MONTHLY).version == 1


def test_a_policy_may_do_without_monthly_and_aftercare_contacts() -> None:
    policy = POLICY.model_copy(update={"contacts": Contacts(monthly=False, aftercare=False)})
    facts = (applied(), fact(Kind.MONITORING_STARTED, date(2025, 9, 1)))
    ended = (*facts, fact(Kind.MONITORING_ENDED, date(2026, 3, 1)))
    for known in (facts, ended):
        view = TrajectoryView(MUNICIPALITY, "T-1", facts=known)
        assert reconcile(view, moment(date(2026, 3, 2)), policy).tasks == ()


# --- Aftercare contact ---


def test_one_aftercare_contact_follows_monitoring() -> None:
    office = monitored_until(date(2026, 3, 1)).every_day(date(2026, 3, 2))
    task = office.only(AFTERCARE)
    assert (task.opened_on, task.due_on) == (date(2026, 3, 2), date(2026, 3, 30))
    office.close(AFTERCARE, MADE, date(2026, 3, 9)).every_day(date(2026, 12, 31))
    assert statuses(office, AFTERCARE) == [TaskStatus.DONE]


def test_aftercare_that_starts_on_the_last_day_of_monitoring_opens_the_contact_that_day() -> None:
    office = Office().on(
        date(2026, 3, 1),
        (
            applied(),
            fact(Kind.MONITORING_STARTED, date(2025, 9, 15)),
            fact(Kind.MONITORING_ENDED, date(2026, 2, 28)),
            fact(Kind.AFTERCARE_STARTED, date(2026, 2, 28)),
        ),
    )
    assert office.only(AFTERCARE).opened_on == date(2026, 3, 1)


def test_aftercare_without_monitoring_asks_for_one_contact() -> None:
    office = Office().on(date(2026, 3, 1), (applied(), fact(Kind.AFTERCARE_STARTED, date(2026, 3, 1), 1)))
    office.close(AFTERCARE, MADE, date(2026, 3, 9))
    office.on(date(2026, 3, 10), fact(Kind.AFTERCARE_STARTED, date(2026, 2, 26), 2))
    office.on(date(2026, 3, 20), fact(Kind.AFTERCARE_ENDED, date(2026, 3, 20), 3))
    assert statuses(office.every_day(date(2026, 6, 1)), AFTERCARE) == [TaskStatus.DONE]


@pytest.mark.parametrize("mended", [Kind.MONITORING_STARTED, Kind.MONITORING_ENDED])
@pytest.mark.parametrize("days", [-5, 5])
def test_monitoring_mended_by_some_days_brings_no_second_aftercare_contact(mended: Kind, days: int) -> None:
    begin, end = date(2025, 9, 15), date(2026, 3, 1)
    office = Office().on(
        date(2026, 3, 3),
        (applied(), fact(Kind.MONITORING_STARTED, begin, 1), fact(Kind.MONITORING_ENDED, end, 3)),
    )
    office.close(AFTERCARE, MADE, date(2026, 3, 10))
    day = {Kind.MONITORING_STARTED: begin, Kind.MONITORING_ENDED: end}[mended] + timedelta(days=days)
    office.on(
        date(2026, 3, 12), fact(mended, day, {Kind.MONITORING_STARTED: 2, Kind.MONITORING_ENDED: 4}[mended])
    )
    assert statuses(office.every_day(date(2026, 6, 1)), AFTERCARE) == [TaskStatus.DONE]


@pytest.mark.parametrize(("today", "opens"), [(date(2026, 9, 1), True), (date(2026, 9, 2), False)])
def test_monitoring_that_ended_longer_ago_than_the_window_asks_for_nothing_at_first_sight(
    today: date, opens: bool
) -> None:
    facts = (
        applied(),
        fact(Kind.MONITORING_STARTED, date(2025, 9, 1)),
        fact(Kind.MONITORING_ENDED, date(2026, 3, 1)),
    )
    assert bool(Office().on(today, facts).of(AFTERCARE)) is opens


def test_a_relapse_goes_first_and_the_aftercare_contact_follows_it() -> None:
    office = monitored_until(date(2026, 3, 1)).every_day(date(2026, 3, 5))
    office.on(date(2026, 3, 6), decision(received_on=date(2026, 3, 6)))
    assert office.only(AFTERCARE).status is TaskStatus.CANCELLED
    office.close(RELAPSE, MADE, date(2026, 3, 12))
    task = office.only(AFTERCARE)
    assert (task.status, task.opened_on, task.due_on) == (
        TaskStatus.OPEN,
        date(2026, 3, 12),
        date(2026, 4, 9),
    )
    assert [step.what for step in task.history] == ["OPENED", "CANCELLED", "REOPENED"]


def test_an_aftercare_contact_that_comes_back_with_a_new_date_climbs_by_that_date() -> None:
    office = monitored_until(date(2026, 3, 1)).every_day(date(2026, 4, 2))
    assert office.only(AFTERCARE).status is TaskStatus.ESCALATED
    office.on(date(2026, 4, 3), decision(received_on=date(2026, 4, 3)))
    office.close(RELAPSE, MADE, date(2026, 4, 10)).every_day(date(2026, 5, 20))
    task = office.only(AFTERCARE)
    climbed = [(str(step.what), amsterdam_day(step.at)) for step in task.history]
    assert climbed[climbed.index(("REOPENED", date(2026, 4, 10))) :] == [
        ("REOPENED", date(2026, 4, 10)),
        ("REMINDED", date(2026, 5, 8)),
        ("ESCALATED", date(2026, 5, 9)),
        ("OVERDUE", date(2026, 5, 16)),
    ]


def test_monitoring_that_resumes_puts_the_aftercare_contact_off_until_it_ends_again() -> None:
    office = monitored_until(date(2026, 3, 1)).every_day(date(2026, 3, 5))
    office.on(date(2026, 3, 10), fact(Kind.MONITORING_STARTED, date(2026, 3, 10)))
    assert office.only(AFTERCARE).status is TaskStatus.CANCELLED
    assert not office.of(MONTHLY)[-1].ended
    office.on(date(2026, 8, 1), fact(Kind.MONITORING_ENDED, date(2026, 7, 31)))
    assert statuses(office, AFTERCARE) == [TaskStatus.CANCELLED, TaskStatus.OPEN]


def test_a_trajectory_that_runs_again_needs_no_aftercare_contact() -> None:
    office = monitored_until(date(2026, 3, 1)).on(
        date(2026, 3, 2), fact(Kind.EXITED, date(2026, 3, 1), exit_reason=ExitReason.COMPLETED)
    )
    office.on(date(2026, 3, 9), fact(Kind.REOPENED, date(2026, 3, 9)))
    assert office.only(AFTERCARE).status is TaskStatus.CANCELLED
    office.on(date(2026, 4, 9), fact(Kind.EXITED, date(2026, 4, 9), exit_reason=ExitReason.COMPLETED))
    assert office.only(AFTERCARE).status is TaskStatus.OPEN


# --- Evaluation of the plan ---


def relapsed(*facts: Fact) -> Office:
    return Office().on(date(2026, 3, 2), (applied(), *facts), decision())


PLAN = fact(Kind.PLAN_ADOPTED, date(2025, 3, 1))


def test_after_the_contact_on_a_relapse_the_plan_is_evaluated() -> None:
    office = relapsed(PLAN).close(RELAPSE, MADE, date(2026, 3, 10))
    task = office.only(EVALUATE)
    assert (task.opened_on, task.due_on) == (date(2026, 3, 10), date(2026, 4, 7))
    office.close(EVALUATE, TaskUpdateKind.PLAN_EVALUATED, date(2026, 3, 20)).every_day(date(2026, 5, 1))
    assert statuses(office, EVALUATE) == [TaskStatus.DONE]


def test_without_a_contact_there_is_nothing_to_evaluate() -> None:
    office = relapsed(PLAN).close(RELAPSE, TaskUpdateKind.COMPLETED, date(2026, 3, 10))
    assert office.of(EVALUATE) == []


def test_without_a_plan_there_is_nothing_to_evaluate() -> None:
    assert relapsed().close(RELAPSE, MADE, date(2026, 3, 10)).of(EVALUATE) == []


@pytest.mark.parametrize(("adopted_on", "count"), [(date(2026, 3, 10), 1), (date(2026, 3, 11), 0)])
def test_a_plan_adopted_after_the_contact_is_a_new_one(adopted_on: date, count: int) -> None:
    office = relapsed().close(RELAPSE, MADE, date(2026, 3, 10))
    office.on(date(2026, 3, 12), fact(Kind.PLAN_ADOPTED, adopted_on))
    assert len(office.of(EVALUATE)) == count


def test_an_evaluation_that_comes_back_after_its_deadline_begins_with_the_team() -> None:
    office = relapsed(PLAN).close(RELAPSE, MADE, date(2026, 3, 10))
    office.on(date(2026, 3, 12), fact(Kind.WITHDRAWN_IN_ERROR, date(2026, 3, 12)))
    office.every_day(date(2026, 4, 9))
    office.on(date(2026, 4, 9), fact(Kind.APPLIED, date(2025, 1, 10), 999_999, clients=(ANNA,)))
    task = office.only(EVALUATE)
    assert [str(step.what) for step in task.history] == ["OPENED", "CANCELLED", "REOPENED"]
    assert (task.status, task.assignee, task.next_on) == (TaskStatus.ESCALATED, None, date(2026, 4, 15))


def test_each_relapse_with_a_contact_has_its_own_evaluation() -> None:
    office = relapsed(PLAN).close(RELAPSE, MADE, date(2026, 3, 10))
    office.on(date(2026, 4, 1), decision("s-2", received_on=date(2026, 4, 1), arrears=90_000))
    office.close(RELAPSE, MADE, date(2026, 4, 8))
    assert len({task.task_id for task in office.of(EVALUATE)}) == 2


def test_a_day_without_news_changes_nothing() -> None:
    office = monitored()
    before = dict(office.tasks)
    assert office.every_day(office.today + 5 * DAY).tasks == before
