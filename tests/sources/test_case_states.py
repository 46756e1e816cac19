"""Any row of exports folds, by the product's own fold, to what the last export alone gives."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.facts import fact_of, merged
from signaalwissel.processors.periods import Period
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.trajectory import Trajectory, fold
from signaalwissel.processors.validation import check_event
from signaalwissel.schemas.imports import CaseCourse, CaseService, CaseSpan, ImportedState
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import (
    Counsellor,
    ExitReason,
    Service,
    TrajectoryEvent,
    TrajectoryEventKind,
)
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.case_states import CaseState, Explained, explain, vanished

KEYS = ThrowawayKeys().pseudonym_keys("0344")
BASE = date(2025, 1, 1)
MOMENT = 1_760_000_000_000
PEOPLE = (
    Subject(bsn="111222333", postcode="3511AB", house_number=1),
    Subject(bsn="999990019", postcode="3511AB", house_number=1),
    Subject(bsn="999990342", postcode="3512CD", house_number=7),
)

days = st.integers(0, 60).map(lambda n: BASE + timedelta(days=n))


@st.composite
def spans(draw: st.DrawFn) -> CaseSpan:
    begin = draw(days)
    return CaseSpan(begin, draw(st.none() | days.map(lambda end: max(end, begin))))


@st.composite
def courses(draw: st.DrawFn, clients: int) -> CaseCourse:
    applied_on = draw(days)
    later = st.none() | days.map(lambda day: max(day, applied_on))
    refused_on, exited_on = draw(later), draw(later)
    reasons = st.sampled_from([one for one in ExitReason if clients == 1 or one is not ExitReason.DECEASED])
    services = draw(st.lists(st.builds(CaseService, st.sampled_from(list(Service)[:2]), spans()), max_size=3))
    return CaseCourse(
        applied_on=applied_on,
        # An admission and a counsellor that were told cannot be untold.
        admitted_on=draw(days),
        refused_on=refused_on,
        exited_on=exited_on,
        exit_reason=draw(reasons) if exited_on is not None else None,
        monitoring=draw(st.none() | spans()),
        aftercare=draw(st.none() | spans()),
        services=tuple(services),
        counsellor=Counsellor(draw(st.sampled_from(["c1", "c2"])), "team"),
    )


@st.composite
def states(draw: st.DrawFn, most: int = 2) -> CaseState:
    clients = tuple(draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=most, unique=True)))
    return CaseState("0344", "T1", clients, draw(courses(len(clients))))


def told_in_steps(exports: list[CaseState | None]) -> tuple[list[TrajectoryEvent], list[CaseState]]:
    """The events of exports one after the other (None: it vanished), and the states that could be told."""
    told: ImportedState | None = None
    events: list[TrajectoryEvent] = []
    reached: list[CaseState] = []
    for number, state in enumerate(exports):
        moment = MOMENT + number * 86_400_000
        try:
            if state is not None:
                step: Explained = explain(told, state, "stratech", KEYS.pseudonym, moment)
            elif told is not None:
                step = vanished(told, moment)
            else:
                continue
        except Rejected as refusal:
            if refusal.field not in {"services", "exit_reason"}:
                raise
            continue
        events += step.events
        told = step.told
        reached += [state] if state is not None else []
    return events, reached


def folded(events: list[TrajectoryEvent]) -> Trajectory | None:
    facts = ()
    for event in events:
        check_event(event)
        facts = merged(facts, fact_of(event, [KEYS.pseudonym(client) for client in event.clients]))
    return fold("T1", facts)


def lasted(periods: tuple[Period, ...]) -> list[Period]:
    """The periods without those that never were, in order."""
    stood = [period for period in periods if period.end is None or period.end >= period.begin]
    return sorted(stood, key=lambda period: (period.begin, period.end or date.max))


def told_of(trajectory: Trajectory | None) -> object:
    """What decides: periods, who is client now, counsellor, admission."""
    assert trajectory is not None
    now = [one for one in trajectory.clients if one.identity.member[-1].last is None]
    return (
        [lasted(one.running) for one in now],
        {(one.identity.bsn, one.identity.stays[-1].address) for one in now},
        lasted(trajectory.services),
        lasted(trajectory.monitoring),
        lasted(trajectory.aftercare),
        trajectory.counsellor,
        trajectory.admitted_on,
    )


@given(st.lists(states(), min_size=1, max_size=6))
@settings(max_examples=400, deadline=None)
def test_exports_in_steps_fold_to_what_the_last_alone_folds_to(exports: list[CaseState | None]) -> None:
    events, reached = told_in_steps(exports)
    alone, _ = told_in_steps([reached[-1]])
    assert told_of(folded(events)) == told_of(folded(alone))


def test_a_service_before_one_that_never_was_cannot_be_rewritten_by_mistake() -> None:
    first = CaseService(Service.BUDGET_COACHING, CaseSpan(BASE, BASE))
    second = CaseService(Service.BUDGET_COACHING, CaseSpan(BASE + timedelta(days=9)))
    longer = CaseService(Service.BUDGET_COACHING, CaseSpan(BASE, BASE + timedelta(days=3)))
    exports = [
        CaseState("0344", "T1", PEOPLE[:1], CaseCourse(BASE, services=services))
        for services in ((first,), (first, second), (first,), (longer,), (first, second))
    ]
    events, reached = told_in_steps(exports)
    assert reached == [exports[0], exports[1], exports[2], exports[4]]
    trajectory = folded(events)
    assert trajectory is not None
    assert [(one.begin, one.end) for one in lasted(trajectory.services)] == [first.span, second.span]


@given(st.lists(st.none() | states(most=1), min_size=1, max_size=6), states(most=1))
@settings(max_examples=200, deadline=None)
def test_what_vanished_and_came_back_folds_to_the_last_export(
    exports: list[CaseState | None], last: CaseState
) -> None:
    events, reached = told_in_steps([*exports, None, last])
    if reached[-1] is last:
        alone, _ = told_in_steps([last])
        assert told_of(folded(events)) == told_of(folded(alone))


@given(states())
@settings(deadline=None)
def test_the_same_export_again_tells_nothing(state: CaseState) -> None:
    first = explain(None, state, "stratech", KEYS.pseudonym, MOMENT)
    again = explain(first.told, state, "stratech", KEYS.pseudonym, MOMENT + 1)
    assert again.events == ()
    assert again.told == first.told


@given(st.lists(st.none() | states(), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_sequences_rise_and_ids_are_the_same_on_every_run(exports: list[CaseState | None]) -> None:
    events, _ = told_in_steps(exports)
    again, _ = told_in_steps(exports)
    assert [event.event_id for event in events] == [event.event_id for event in again]
    assert len({event.event_id for event in events}) == len(events)
    assert all(one.sequence + 1 == next_.sequence for one, next_ in pairwise(events))


@given(states())
@settings(deadline=None)
def test_what_vanished_makes_no_trajectory_and_is_told_once(state: CaseState) -> None:
    first = explain(None, state, "stratech", KEYS.pseudonym, MOMENT)
    gone = vanished(first.told, MOMENT)
    assert [event.kind for event in gone.events] == [TrajectoryEventKind.WITHDRAWN_IN_ERROR]
    assert folded([*first.events, *gone.events]) is None
    assert vanished(gone.told, MOMENT).events == ()


def test_an_ordinary_course_is_told_in_ordinary_events() -> None:
    applied = CaseState("0344", "T1", PEOPLE[:1], CaseCourse(BASE, counsellor=Counsellor("c1", "team")))
    exited = applied._replace(
        course=applied.course._replace(exited_on=BASE + timedelta(days=30), exit_reason=ExitReason.COMPLETED)
    )
    events, _ = told_in_steps([applied, exited])
    assert [event.kind.value for event in events] == ["APPLIED", "EXITED"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"exited_on": BASE - timedelta(days=1), "exit_reason": ExitReason.SELF}, "exited_on"),
        ({"exited_on": BASE}, "exit_reason"),
        ({"exit_reason": ExitReason.SELF}, "exited_on"),
        ({"monitoring": CaseSpan(BASE, BASE - timedelta(days=1))}, "monitoring"),
        ({"exited_on": BASE, "exit_reason": ExitReason.DECEASED}, "exit_reason"),
        ({"applied_on": date(1899, 1, 1)}, "applied_on"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(change: dict[str, object], field: str) -> None:
    state = CaseState("0344", "T1", PEOPLE[:2], CaseCourse(BASE)._replace(**change))
    with pytest.raises(Rejected) as refused:
        explain(None, state, "stratech", KEYS.pseudonym, MOMENT)
    assert refused.value.field == field


def test_no_state_shows_its_clients() -> None:
    assert "111222333" not in repr(CaseState("0344", "T1", PEOPLE, CaseCourse(BASE)))
