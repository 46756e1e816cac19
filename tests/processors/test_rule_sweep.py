"""Housekeeping is invisible: what was swept changes no route (design 3)."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.housekeeping import sweep_match_key
from signaalwissel.processors.matcher import Clock
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.schemas.routing import TrueReason
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import ExitReason, TrajectoryEvent

from tests.processors.given import (
    ANNA,
    BRAM,
    Case,
    by_address,
    client_changed,
    completed,
    default_policies,
    running,
    signal,
    without,
)
from tests.processors.keyed import noon
from tests.processors.strategies import ANNA as ANNA_AT_HOME
from tests.processors.strategies import AWAY, DAYS, TWIN, Kind, Town, signal_of, towns
from tests.processors.worlds import Intake, World, answer_of

LONG_AGO = Clock(noon(date(2020, 1, 1)), noon(date(2020, 1, 1)))
"""Nothing was written lately, so that only its own dates keep an entry."""
SIGNAL_AGE, CORRECTION = timedelta(days=62), timedelta(days=35)
AFTER_ALL_WAS_TOLD = date(2026, 7, 1)


def sweep(state: MatcherState, today: date) -> int:
    """Sweep every key; how many copies of trajectories went."""
    keys = list(state.match_keys())
    before = copies(state)
    for key in keys:
        sweep_match_key(state, key, default_policies(), noon(today))
    return before - copies(state)


def copies(state: MatcherState) -> int:
    return sum(len(state.copies_at(key)) for key in state.match_keys())


class TestTwoPersonsAtOneAddress:
    """A second person with the birth date of a signal keeps it from being certain, however long ago he was helped."""

    NEIGHBOUR = without(BRAM, "surname", birth_date=ANNA["birth_date"])
    WHEN = signal(on="2026-02-20", about=by_address(ANNA, "birth_date"))

    def given(self) -> Case:
        case = Case()
        case.feed(completed("2019-06-01", self.NEIGHBOUR, since="2018-01-10", trajectory="T0"))
        return case

    def test_it_stays_a_match_on_address_alone(self) -> None:
        case = self.given()
        assert sweep(case.simulation._state, date(2025, 12, 1)) == 1  # the one under the neighbour's BSN
        case.feed(running("2025-01-10", ANNA), self.WHEN)
        assert case.decision().reason is TrueReason.ADDRESS_ONLY_MATCH

    def test_it_is_certain_once_he_has_moved(self) -> None:
        case = self.given()
        moved = without(self.NEIGHBOUR, "postcode", "house_number")
        case.feed(client_changed("2019-07-01", moved, trajectory="T0"))
        assert sweep(case.simulation._state, date(2025, 12, 1)) == 2
        case.feed(running("2025-01-10", ANNA), self.WHEN)
        assert case.decision().reason is TrueReason.RUNNING_TRAJECTORY


@st.composite
def streets(draw: st.DrawFn) -> Town:
    """People of one birth date who were helped at one address; some are done, some have moved."""
    events = []
    for name in ("T1", "T2", "T3")[: draw(st.integers(2, 3))]:
        who = draw(st.sampled_from([ANNA_AT_HOME, TWIN]))
        began = TrajectoryEvent(
            f"{name}-0", name, "0344", 0, DAYS[0], noon(DAYS[0]), Kind.APPLIED, clients=(who,)
        )
        events.append(began)
        on, done, moved = draw(st.sampled_from(DAYS)), draw(st.booleans()), draw(st.integers(0, 3)) == 0
        ended = began._replace(sequence=1, event_id=f"{name}-1", occurred_on=on, clients=())
        if done:
            events.append(ended._replace(kind=Kind.EXITED, exit_reason=ExitReason.COMPLETED))
        if moved:
            elsewhere = who._replace(postcode=AWAY[0], house_number=AWAY[1])
            changed = ended._replace(event_id=f"{name}-2", kind=Kind.CLIENT_CHANGED, clients=(elsewhere,))
            events.append(changed)
    return Town(tuple(events), ())


@st.composite
def days_around(draw: st.DrawFn) -> tuple[date, date, date]:
    """A signal that can still be corrected, a sweep, and a signal after it."""
    today = AFTER_ALL_WAS_TOLD + timedelta(days=draw(st.integers(0, 300)))
    earlier = today - timedelta(days=draw(st.integers(0, CORRECTION.days)))
    return earlier, today, today + timedelta(days=draw(st.integers(0, 60)))


def received(one: EarlySignal, day: date, age: int) -> EarlySignal:
    return one._replace(received_at=noon(day), signalled_on=day - timedelta(days=age))


def told(world: World) -> dict[str, list[Any]]:
    """Every revision of every signal, as far as it is about the route and who to verify."""
    return {
        world.signals[ref][1].signal_id: [(answer_of(one), one.candidates, one.evidence) for one in decided]
        for ref, decided in world.decisions.items()
    }


@settings(max_examples=300)
@given(st.one_of(towns(), streets()), days_around(), signal_of(7), signal_of(8), st.data())
def test_sweeping_at_any_moment_changes_no_later_answer(
    town: Town, days: tuple[date, date, date], before: EarlySignal, after: EarlySignal, data: st.DataObject
) -> None:
    """Also of signals that came before it, when the rest of the events comes after it."""
    earlier, today, later = days
    ages = st.integers(0, SIGNAL_AGE.days)
    events: list[TrajectoryEvent] = data.draw(st.permutations(town.events))
    cut = data.draw(st.integers(len(events) // 2, len(events)))
    first = [*events[:cut], received(before, earlier, data.draw(ages))]
    then = [received(after, later, data.draw(ages)), *events[cut:]]
    swept, kept = World(lambda _: LONG_AGO), World(lambda _: LONG_AGO)
    for world in (swept, kept):
        intake = Intake()
        world.deliver(intake.take(first))
        if world is swept:
            sweep(world._state, today)
        world.deliver(intake.take(then))
    assert told(swept) == told(kept)
