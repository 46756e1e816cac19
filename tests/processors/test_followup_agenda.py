from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.followup_agenda import Agenda, TrajectoryView, reconcile
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.schemas.followup import TaskKind, TaskStatus, TaskUpdateKind
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.trajectory import Counsellor, ExitReason

from tests.processors.agenda_support import (
    ANNA,
    BRAM,
    CONTACTS,
    DAY,
    Kind,
    Office,
    Record,
    applied,
    fact,
    moment,
)
from tests.processors.followup_support import (
    COUNSELLOR,
    MUNICIPALITY,
    POLICY,
    at_noon,
    decision,
    to_regular,
    update,
)

START = date(2025, 12, 30)
END = START + timedelta(days=400)


def with_everything(day: date = date(2026, 3, 2)) -> Office:
    """Monitoring is open, the resident is to be informed, and a plan is to be evaluated after a relapse."""
    office = Office().on(
        date(2026, 2, 1),
        applied(ANNA, BRAM),
        fact(Kind.PLAN_ADOPTED, date(2025, 3, 1)),
        fact(Kind.MONITORING_STARTED, date(2026, 1, 15)),
        decision(received_on=date(2026, 2, 1)),
    )
    office.close(TaskKind.CONTACT_ON_RELAPSE, TaskUpdateKind.CONTACT_MADE, date(2026, 2, 10))
    return office.on(day)


def running(office: Office) -> set[TaskKind]:
    return {task.kind for task in office.tasks.values() if not task.ended}


def test_a_trajectory_of_which_no_state_came_yet_is_left_alone() -> None:
    task = with_everything().of(TaskKind.MONTHLY_CONTACT)[-1]
    view = TrajectoryView(MUNICIPALITY, "T-1", tasks=(task,), found={0: date(2026, 3, 1)})
    assert reconcile(view, moment(date(2026, 3, 2)), POLICY) == Agenda()


def test_an_erased_trajectory_keeps_no_calendar_task() -> None:
    office = with_everything()
    assert running(office) == {TaskKind.MONTHLY_CONTACT, TaskKind.EVALUATE_PLAN, TaskKind.INFORM_RESIDENT}
    office.on(date(2026, 3, 5), fact(Kind.ERASED, date(2026, 3, 5)))
    assert running(office) == set()
    assert office.next_on is None
    for kind in (TaskKind.MONTHLY_CONTACT, TaskKind.EVALUATE_PLAN, TaskKind.INFORM_RESIDENT):
        last = office.of(kind)[-1]
        assert last.status is TaskStatus.CANCELLED
        assert last.history[-1].note == "De taak vervalt: de gegevens van het traject zijn gewist."


def test_a_trajectory_withdrawn_in_error_keeps_no_calendar_task_and_an_application_brings_them_back() -> None:
    office = with_everything().on(date(2026, 3, 5), fact(Kind.WITHDRAWN_IN_ERROR, date(2026, 3, 5)))
    assert running(office) == set()
    again = fact(Kind.APPLIED, date(2025, 1, 10), 999_999, clients=(ANNA, BRAM))
    office.on(date(2026, 3, 6), again)
    assert running(office) == {TaskKind.MONTHLY_CONTACT, TaskKind.EVALUATE_PLAN, TaskKind.INFORM_RESIDENT}
    reopened = [
        task for task in office.tasks.values() if any(step.what == "REOPENED" for step in task.history)
    ]
    assert len(reopened) == 3


def test_a_task_that_comes_back_with_the_date_that_it_had_goes_on_where_it_was() -> None:
    office = with_everything(date(2026, 3, 4)).on(
        date(2026, 3, 5), fact(Kind.WITHDRAWN_IN_ERROR, date(2026, 3, 5))
    )
    office.on(date(2026, 3, 6), fact(Kind.APPLIED, date(2025, 1, 10), 999_999, clients=(ANNA, BRAM)))
    task = office.only(TaskKind.INFORM_RESIDENT)
    assert [step.what for step in task.history] == ["OPENED", "ESCALATED", "CANCELLED", "REOPENED"]
    assert (task.status, task.assignee, task.team) == (TaskStatus.ESCALATED, None, "team-noord")


def test_when_one_of_two_clients_died_the_tasks_go_on_and_when_both_died_nobody_is_contacted() -> None:
    def died(client: Any, day: date) -> Fact:
        return fact(Kind.EXITED, day, clients=(client,), exit_reason=ExitReason.DECEASED)

    office = with_everything().on(date(2026, 3, 5), died(BRAM, date(2026, 3, 4)))
    assert running(office) == {TaskKind.MONTHLY_CONTACT, TaskKind.EVALUATE_PLAN, TaskKind.INFORM_RESIDENT}
    office.on(date(2026, 3, 6), died(ANNA, date(2026, 3, 5)))
    assert running(office) == set()


def test_an_objection_is_against_the_test_and_stops_no_contact() -> None:
    office = with_everything().on(
        date(2026, 3, 5), fact(Kind.OBJECTION_LODGED, date(2026, 3, 5), clients=(ANNA,))
    )
    assert TaskKind.MONTHLY_CONTACT in running(office)
    assert office.every_day(date(2026, 3, 20)).of(TaskKind.MONTHLY_CONTACT)[-1].opened_on == date(2026, 3, 15)


@pytest.mark.parametrize(
    ("counsellor", "owner"),
    [
        (COUNSELLOR, ("b-17", "team-noord")),
        (Counsellor("b-weg", "team-noord"), (None, "wijkteam")),
        (Counsellor("bewindvoerder-1", "team-noord"), (None, "wijkteam")),
        (None, (None, "wijkteam")),
    ],
)
def test_a_calendar_task_has_an_owner_always(
    counsellor: Counsellor | None, owner: tuple[str | None, str]
) -> None:
    facts = (applied(), fact(Kind.MONITORING_STARTED, date(2026, 1, 15)))
    view = TrajectoryView(MUNICIPALITY, "T-1", facts=facts, counsellor=counsellor)
    (task,) = reconcile(view, moment(date(2026, 3, 2)), POLICY).tasks
    assert (task.assignee, task.team) == owner
    assert (task.version, task.policy_version) == (1, POLICY.version)


def test_years_of_history_bring_no_backlog() -> None:
    history = (
        applied(),
        fact(Kind.ADMITTED, date(2021, 3, 1)),
        fact(Kind.MONITORING_STARTED, date(2022, 3, 1)),
        fact(Kind.MONITORING_ENDED, date(2023, 3, 1)),
        fact(Kind.AFTERCARE_STARTED, date(2023, 3, 1)),
        fact(Kind.AFTERCARE_ENDED, date(2023, 9, 1)),
        fact(Kind.EXITED, date(2023, 3, 1), exit_reason=ExitReason.COMPLETED),
    )
    office = Office().on(date(2026, 3, 2), history)
    assert office.tasks == {}
    assert office.next_on is None
    assert running(Office().on(date(2026, 3, 2), *history)) == set()


# --- Properties ---

_DAYS = [START + timedelta(days=23 * number) for number in range(-6, 16)]
_EVENTS = [
    *[Kind.MONITORING_STARTED, Kind.MONITORING_ENDED] * 8,
    *[Kind.AFTERCARE_STARTED, Kind.ADMITTED, Kind.PLAN_ADOPTED, Kind.EXITED] * 3,
    *[Kind.AFTERCARE_ENDED, Kind.RESIDENT_INFORMED, Kind.REOPENED, Kind.CLIENT_CHANGED] * 2,
    *[Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN, Kind.WITHDRAWN_IN_ERROR, Kind.APPLIED, Kind.ERASED],
]


@st.composite
def events(draw: st.DrawFn) -> Fact:
    kind = draw(st.sampled_from(_EVENTS))
    changes: dict[str, Any] = {}
    if kind in {Kind.APPLIED, Kind.CLIENT_CHANGED}:
        changes["clients"] = draw(st.sampled_from([(ANNA,), (ANNA, BRAM), (BRAM,)]))
    elif kind in {Kind.OBJECTION_LODGED, Kind.OBJECTION_WITHDRAWN}:
        changes["clients"] = (ANNA,)
    elif kind is Kind.EXITED:
        reason = draw(st.sampled_from([ExitReason.COMPLETED, ExitReason.DECEASED]))
        changes |= {"exit_reason": reason, "clients": draw(st.sampled_from([(), (ANNA,), (BRAM,)]))}
    shift = timedelta(days=draw(st.integers(-3, 3)))
    return fact(kind, draw(st.sampled_from(_DAYS)) + shift, draw(st.integers(1, 9)), **changes)


def signals() -> st.SearchStrategy[tuple[str, int]]:
    return st.tuples(st.sampled_from(["hit", "regular"]), st.integers(0, 2))


# What somebody reports about the contact that runs on that day.
_REPORTS = st.sampled_from(
    [TaskUpdateKind.CONTACT_MADE, TaskUpdateKind.COMPLETED, TaskUpdateKind.ACCEPTED, TaskUpdateKind.REJECTED]
)
Item = Fact | tuple[str, int] | TaskUpdateKind


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[date, Item]]:
    """What comes in on which day within a year; records come late, early and twice."""
    item = st.one_of(events(), events(), events(), signals(), _REPORTS, _REPORTS)
    items = draw(st.lists(item, min_size=4, max_size=14))
    days = draw(st.lists(st.integers(0, 365), min_size=len(items), max_size=len(items)))
    return [
        (START + timedelta(days=day), item) for day, item in sorted(zip(days, items, strict=True), key=_first)
    ]


def _first(pair: tuple[int, Item]) -> int:
    return pair[0]


def play(story: Sequence[tuple[date, Item]], *, daily: bool) -> Office:
    office = Office().on(START, applied())
    for day, item in story:
        _pass_time(office, day, daily=daily)
        office.on(day, *_records(office, day, item))
    _pass_time(office, END, daily=daily)
    return office


def _pass_time(office: Office, until: date, *, daily: bool) -> None:
    if daily:
        office.every_day(until)
    else:
        office.when_asked(until)


def _records(office: Office, day: date, item: Item) -> list[Record]:
    if isinstance(item, Fact):
        return [item]
    if isinstance(item, TaskUpdateKind):
        return _reports(office, day, item)
    route, number = item
    known = [
        report
        for task in office.tasks.values()
        for report in task.reports
        if report.signal_id == f"s-{number}"
    ]
    if route == "regular" and known:
        report = known[-1]
        received_on = report.last_day
        revision = int(report.routing_id.rsplit("-", 1)[1]) + 1
        return [to_regular(f"s-{number}", revision, received_on=received_on, decided_at=at_noon(day))]
    if known:
        return []
    return [decision(f"s-{number}", received_on=day, arrears=10_000 * (number + 1))]


def _reports(office: Office, day: date, said: TaskUpdateKind) -> list[Record]:
    task = next((task for task in office.tasks.values() if not task.ended and task.kind in CONTACTS), None)
    if task is None:
        return []
    return [update(said, task.task_id, occurred_at=at_noon(day))]


@settings(max_examples=40)
@given(stories())
def test_asked_for_days_are_all_the_days_that_the_clock_must_come_by(story: list[tuple[date, Item]]) -> None:
    """Office checks on every step: one running contact task at most, no notice twice, reconciled again nothing."""
    daily, asked = play(story, daily=True), play(story, daily=False)
    assert asked.tasks == daily.tasks
    assert asked.notices == daily.notices


@settings(max_examples=50)
@given(stories(), st.data())
def test_a_record_that_comes_twice_changes_nothing(
    story: list[tuple[date, Item]], data: st.DataObject
) -> None:
    facts = [(day, item) for day, item in story if isinstance(item, Fact)]
    if not facts:
        return
    day, again = data.draw(st.sampled_from(facts))
    # Not after the end of what is compared: there a later day would tell of its own.
    repeated = sorted([*story, (min(day + 40 * DAY, END), again)], key=lambda each: each[0])
    once, twice = play(story, daily=False), play(repeated, daily=False)
    assert twice.tasks == once.tasks
    assert twice.notices == once.notices


@given(stories(), st.randoms(use_true_random=False))
def test_on_one_day_the_order_of_the_facts_is_all_the_same(story: list[tuple[date, Item]], dice: Any) -> None:
    facts = [item for _, item in story if isinstance(item, Fact)]
    shuffled = list(facts)
    dice.shuffle(shuffled)
    day = START + timedelta(days=200)

    def standing(order: list[Fact]) -> tuple[set[Any], set[str]]:
        office = Office().on(day, (applied(), *order))
        return {_shown(task) for task in office.tasks.values()}, set(office.notices)

    assert standing(facts) == standing(shuffled)


def _shown(task: Task) -> Any:
    return replace(task, history=())
