"""Which entries no rule can need any more (design 3)."""

from datetime import date, timedelta

import pytest
from signaalwissel.processors.housekeeping import (
    deliveries_are_over,
    last_day_that_matters,
    recent_is_over,
    sweep_match_key,
    trajectory_is_idle,
)
from signaalwissel.processors.matcher_state import KnownTrajectory, MatcherState
from signaalwissel.processors.periods import Days
from signaalwissel.processors.stamped import stamp
from signaalwissel.processors.standing import standing
from signaalwissel.processors.trajectory import fold
from signaalwissel.schemas.internal import Delivery, Fact, IntakeSignal
from signaalwissel.schemas.trajectory import ExitReason, Service, TrajectoryEventKind

from tests.processors.given import default_policies
from tests.processors.keyed import ANNA, KEY, RECEIVED_ON, facts, keyed_signal, noon, recent, trajectory

POLICIES = default_policies()
POLICY = POLICIES.default
DAY = timedelta(days=1)
ENDED = date(2025, 12, 1)
WINDOW_ENDS = date(2026, 6, 1)
SLACK = timedelta(days=POLICY.intake.signal_age_days_max + POLICY.corrections.period_days)
IDLE = timedelta(days=POLICY.state_idle_days)
Kind = TrajectoryEventKind


def more(kind: Kind, on: date, **fields: object) -> Fact:
    return Fact(f"e-{kind}", 5, on, 3000, kind, **fields)  # type: ignore[arg-type]


class TestTrajectories:
    """The matcher's copy of a trajectory."""

    @pytest.mark.parametrize(
        ("story", "then"),
        [
            pytest.param(facts(), WINDOW_ENDS, id="completed: to the end of the window"),
            pytest.param(facts(ended=None), None, id="running: no such day"),
            pytest.param(facts(reason=ExitReason.DECEASED), None, id="a death stops whatever else is found"),
            pytest.param((*facts(), more(Kind.OBJECTION_LODGED, ENDED)), None, id="so does an objection"),
            pytest.param((*facts(), more(Kind.AFTERCARE_STARTED, ENDED)), None, id="open aftercare"),
            pytest.param((*facts(), more(Kind.MONITORING_STARTED, ENDED)), None, id="open monitoring"),
            pytest.param(
                (*facts(), more(Kind.SERVICE_OPENED, ENDED, service=Service.BUDGET_COACHING)),
                None,
                id="open service",
            ),
            pytest.param(
                (
                    *facts(),
                    more(Kind.OBJECTION_LODGED, ENDED),
                    more(Kind.OBJECTION_WITHDRAWN, date(2026, 9, 1)),
                ),
                date(2026, 9, 1),
                id="a withdrawn objection: to its end",
            ),
            pytest.param(
                (*facts(), more(Kind.AFTERCARE_STARTED, ENDED), more(Kind.AFTERCARE_ENDED, date(2026, 8, 1))),
                date(2026, 8, 1),
                id="ended aftercare: to its end",
            ),
            pytest.param(
                (Fact("e1", 1, ENDED, 1, Kind.APPLIED),), None, id="without clients nothing can be told"
            ),
        ],
    )
    def test_the_last_day_that_matters(self, story: tuple[Fact, ...], then: date | None) -> None:
        found = fold("T1", story)
        assert found is not None
        assert last_day_that_matters(found, POLICY, at_address=False) == then

    @pytest.mark.parametrize(
        ("story", "then"),
        [
            pytest.param(facts(), None, id="she lives there still: no such day"),
            pytest.param(
                (
                    *facts(),
                    more(Kind.CLIENT_CHANGED, date(2026, 9, 1), clients=(ANNA._replace(address=None),)),
                ),
                date(2026, 9, 1),
                id="she left after the window",
            ),
            pytest.param(
                (*facts(), more(Kind.CLIENT_CHANGED, ENDED, clients=(ANNA._replace(address=None),))),
                WINDOW_ENDS,
                id="she left before it ended",
            ),
            pytest.param(
                (*facts(), more(Kind.CLIENT_CHANGED, ENDED, clients=(ANNA._replace(address=b"away"),))),
                None,
                id="she moved: nobody knows here which address this is",
            ),
        ],
    )
    def test_at_an_address_whoever_lives_there_matters(
        self, story: tuple[Fact, ...], then: date | None
    ) -> None:
        found = fold("T1", story)
        assert found is not None
        assert last_day_that_matters(found, POLICY, at_address=True) == then

    @pytest.mark.parametrize(("day", "then"), [(date.min, True), (date.max, False)])
    def test_a_day_at_the_edge_of_the_calendar_stops_no_sweep(self, day: date, then: bool) -> None:
        """Intake refuses such days; a changelog of other hands may hold them."""
        story = (*facts(), more(Kind.AFTERCARE_STARTED, date.min), *facts(ended=day)[1:])
        known = KnownTrajectory(
            stamp(trajectory(story=(*story, more(Kind.AFTERCARE_ENDED, day))), noon(ENDED))
        )
        for today in (date(2060, 1, 1), date(2999, 12, 31)):
            assert trajectory_is_idle(known, POLICY, noon(today), at_address=False) is then
            found = known.whole()
            assert found is not None
            standing(found, 0, Days(today, today), POLICY)

    @pytest.mark.parametrize(
        ("written_on", "today", "then"),
        [
            pytest.param(
                ENDED, WINDOW_ENDS + SLACK + DAY, True, id="no signal can need it and nobody wrote it"
            ),
            pytest.param(ENDED, WINDOW_ENDS + SLACK, False, id="a signal of that day still could"),
            pytest.param(date(2030, 1, 1), date(2030, 1, 1) + IDLE, False, id="a replay wrote it lately"),
            pytest.param(date(2030, 1, 1), date(2030, 1, 1) + IDLE + DAY, True, id="and not any more"),
        ],
    )
    def test_it_goes_when_nothing_can_need_it_and_nothing_wrote_it(
        self, written_on: date, today: date, then: bool
    ) -> None:
        known = KnownTrajectory(stamp(trajectory(), noon(written_on)))
        assert trajectory_is_idle(known, POLICY, noon(today), at_address=False) is then

    def test_a_running_one_never_goes(self) -> None:
        known = KnownTrajectory(stamp(trajectory(story=facts(ended=None)), noon(ENDED)))
        assert not trajectory_is_idle(known, POLICY, noon(date(2060, 1, 1)), at_address=False)

    def test_an_erased_one_goes_when_nobody_wrote_it(self) -> None:
        known = KnownTrajectory(stamp(trajectory(story=(), erased=True), noon(ENDED)))
        assert not trajectory_is_idle(known, POLICY, noon(ENDED + IDLE), at_address=True)
        assert trajectory_is_idle(known, POLICY, noon(ENDED + IDLE + DAY), at_address=True)


PERIOD = timedelta(days=35)


@pytest.mark.parametrize(
    ("written_on", "today", "then"),
    [
        pytest.param(RECEIVED_ON, RECEIVED_ON + PERIOD, False, id="on the last day of the correction period"),
        pytest.param(RECEIVED_ON, RECEIVED_ON + PERIOD + DAY, True, id="after it"),
        pytest.param(date(2030, 1, 1), date(2030, 1, 1) + PERIOD, False, id="old, and replayed lately"),
        pytest.param(date(2030, 1, 1), date(2030, 1, 1) + PERIOD + DAY, True, id="replayed long ago"),
        pytest.param(date(2020, 1, 1), RECEIVED_ON + PERIOD, False, id="its own dates count too"),
    ],
)
def test_a_recent_signal_goes_when_it_can_no_longer_be_corrected(
    written_on: date, today: date, then: bool
) -> None:
    assert recent_is_over(recent(written_at=noon(written_on)), RECEIVED_ON, POLICY, noon(today)) is then


@pytest.mark.parametrize(
    ("deliveries", "written_on", "today", "then"),
    [
        pytest.param([RECEIVED_ON], RECEIVED_ON, RECEIVED_ON + PERIOD, False, id="35 days later"),
        pytest.param([RECEIVED_ON], RECEIVED_ON, RECEIVED_ON + PERIOD + DAY, True, id="36 days later"),
        pytest.param(
            [ENDED, RECEIVED_ON], ENDED, RECEIVED_ON + PERIOD, False, id="the latest delivery counts"
        ),
        pytest.param([RECEIVED_ON], date(2030, 1, 1), date(2030, 1, 20), False, id="replayed lately"),
        pytest.param([], RECEIVED_ON, RECEIVED_ON + PERIOD + DAY, True, id="none"),
    ],
)
def test_deliveries_go_when_nothing_can_be_the_same_again(
    deliveries: list[date], written_on: date, today: date, then: bool
) -> None:
    known = IntakeSignal(tuple(Delivery(noon(day), b"x", KEY) for day in deliveries))
    assert deliveries_are_over(known, noon(written_on), POLICY, noon(today)) is then


def test_a_sweep_takes_what_is_over_and_leaves_the_rest() -> None:
    state = MatcherState({}, {}, {})
    now = noon(date(2028, 1, 1))
    state.put_trajectory(KEY, trajectory("OVER"), noon(ENDED))
    state.put_trajectory(KEY, trajectory("RUNS", story=facts(ended=None)), noon(ENDED))
    state.put_recent(b"over", recent(), known=False)
    state.put_recent(b"new", recent(signal=keyed_signal(received_on=date(2028, 1, 1))), known=False)
    sweep_match_key(state, KEY, POLICIES, now)
    assert ([one.trajectory_id for one in state.copies_at(KEY)], state.refs_at(KEY)) == (["RUNS"], (b"new",))


def test_a_sweep_forgets_a_key_of_which_nothing_is_left() -> None:
    state = MatcherState({}, {}, {})
    state.put_trajectory(KEY, trajectory(), noon(ENDED))
    state.put_recent(b"over", recent(), known=False)
    sweep_match_key(state, KEY, POLICIES, noon(date(2028, 1, 1)))
    assert list(state.match_keys()) == []
    sweep_match_key(state, KEY, POLICIES, noon(date(2028, 1, 1)))
