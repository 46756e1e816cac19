"""What holds for every history: order, time, corrections, audiences, and what the regular side may know."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.processors.decision import Verdict
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.facts import fact_of, merged
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.trajectory import fold
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import Fact
from signaalwissel.schemas.routing import RoutedSignal
from signaalwissel.schemas.trajectory import TrajectoryEvent

from tests.processors.audiences import CounsellorSide, RegularSide
from tests.processors.given import default_policies
from tests.processors.strategies import Town, commands, events_of, towns
from tests.processors.worlds import Delivery, FixedKeys, Intake, World, answer_of, deliveries_of, steady

SIDES = ("counsellor-corrections", "regular-corrections")


def facts_of(events: list[TrajectoryEvent]) -> list[Fact]:
    keys = FixedKeys().pseudonym_keys("0344")
    return [fact_of(event, map(keys.pseudonym, event.clients)) for event in events]


def all_merged(facts: list[Fact]) -> tuple[Fact, ...]:
    found: tuple[Fact, ...] = ()
    for fact in facts:
        found = merged(found, fact)
    return found


@given(events_of("T1"), events_of("T1"), st.data())
def test_the_fold_is_the_same_for_every_order_and_duplication(
    events: list[TrajectoryEvent], mended: list[TrajectoryEvent], data: st.DataObject
) -> None:
    """Both lists bear the same event ids: what differs under one id is an event that was mended."""
    facts = facts_of([*events, *mended])
    arrived = data.draw(st.permutations(facts)) + data.draw(st.lists(st.sampled_from(facts), max_size=4))
    assert all_merged(arrived) == all_merged(facts)
    assert fold("T1", all_merged(arrived)) == fold("T1", all_merged(facts))


@settings(max_examples=200)
@given(towns(), st.data())
def test_every_order_of_delivery_to_the_matcher_ends_in_the_same_answers(
    town: Town, data: st.DataObject
) -> None:
    """Also versions of one trajectory the wrong way round, and some records twice."""
    deliveries = deliveries_of(town)
    twice = data.draw(st.lists(st.sampled_from(deliveries), max_size=3))
    shuffled = data.draw(st.permutations([*deliveries, *twice]))
    assert World().deliver(shuffled).answers() == World().deliver(deliveries).answers()


@settings(max_examples=200)
@given(towns(), st.data())
def test_every_order_of_arrival_at_intake_ends_in_the_same_answers(town: Town, data: st.DataObject) -> None:
    records = [*town.events, *town.signals]
    shuffled = data.draw(st.permutations(records))
    arrived = World().deliver(Intake().take(shuffled)).answers()
    assert arrived == World().deliver(Intake().take(records)).answers()


def whole(emission: Emission) -> tuple[Any, ...]:
    """All that is published of an emission."""
    return (
        emission.topic,
        emission.key,
        emission.value,
        emission.event_type,
        emission.event_id,
        emission.headers,
    )


def timeless(emission: Emission) -> tuple[Any, ...]:
    """An emission without the moment of deciding."""
    if emission.topic == "decisions":
        return emission.topic, emission.key, codec("Decision").decode(emission.value)._replace(decided_at=0)
    if emission.topic in SIDES:
        told = codec("RouteCorrection").decode(emission.value)
        to = None if told.to is None else told.to._replace(decided_at=0)
        return emission.topic, emission.key, told._replace(to=to)
    routed = codec("RoutedSignal").decode(emission.value)
    return emission.topic, emission.key, routed._replace(decided_at=0)


@given(towns(), commands(), st.data())
def test_no_answer_depends_on_a_clock(town: Town, said: list[Any], data: st.DataObject) -> None:
    order = data.draw(st.permutations(deliveries_of(town, said)))
    times = data.draw(st.lists(st.integers(0, 4_000_000_000_000), min_size=2, max_size=2))
    backwards = World(lambda step: Clock(times[0] // step, times[1] // step)).deliver(order)
    assert [timeless(e) for e in backwards.emissions] == [
        timeless(e) for e in World().deliver(order).emissions
    ]


@settings(max_examples=200)
@given(towns(), commands(), st.data())
def test_a_correction_is_made_exactly_when_a_fresh_decision_differs(
    town: Town, said: list[Any], data: st.DataObject
) -> None:
    world = World()
    for delivery in data.draw(st.permutations(deliveries_of(town, said))):
        before = {ref: decided[-1] for ref, decided in world.decisions.items()}
        offered, erased = set(world.offered), set(world.erased)
        came = world.step(delivery)
        told = {codec("RouteCorrection").decode(e.value).signal_id for e in came if e.topic in SIDES}
        for ref, last in before.items():
            if ref in erased or ref in world.erased or ref in world.offered - offered:
                continue
            fresh, now = world.fresh(ref), world.decisions[ref][-1]
            assert answer_of(now) == answer_of(fresh)
            changed = answer_of(fresh) != answer_of(last)
            assert (now is not last) is changed
            assert (last.signal_id in told) is (changed and now.action == "MOVED")
            if changed:
                assert (now.action is None) is only_verifying(last, fresh)
        for decided in world.decisions.values():
            assert [d.revision for d in decided] == list(range(len(decided)))
            assert [d.previous_routing_id for d in decided[1:]] == [d.routing_id for d in decided[:-1]]


def only_verifying(last: Any, fresh: Verdict) -> bool:
    """Whether nothing but the question who the resident is changed."""
    return answer_of(last)[:2] == answer_of(fresh)[:2]


@settings(max_examples=200)
@given(towns(), commands(), st.data())
def test_each_audience_holds_what_the_last_decision_says(
    town: Town, said: list[Any], data: st.DataObject
) -> None:
    """Each reads its own topics alone; a signal is routed once and corrected after that."""
    world = World().deliver(data.draw(st.permutations(deliveries_of(town, said))))
    counsellors, regular = CounsellorSide(), RegularSide()
    for emission in world.emissions:
        counsellors.read(emission)
        regular.read(emission)
    routed = [e.event_id for e in world.emissions if e.topic in {"counsellor-followup", "regular-flow"}]
    assert sorted(routed) == sorted(f"{ref.hex()}-0" for ref in world.signals)
    for ref, (_, signal) in world.signals.items():
        name, last = signal.signal_id, world.decisions[ref][-1]
        hit = last.route == "COUNSELLOR_FOLLOWUP"
        here = ref not in world.erased
        assert counsellors.holds.get(name) == (last.trajectory_id if hit and here else None)
        assert (name in regular.holds) is (here and (not hit or ref in world.offered))


@given(towns(), commands(), st.data())
def test_no_two_records_of_a_topic_bear_one_name(town: Town, said: list[Any], data: st.DataObject) -> None:
    world = World().deliver(data.draw(st.permutations(deliveries_of(town, said))))
    names = [(emission.topic, emission.event_id) for emission in world.emissions if emission.event_id]
    assert len(names) == len(set(names))


@settings(max_examples=200)
@given(towns(), commands(), st.data())
def test_the_regular_side_learns_nothing_of_a_trajectory(
    town: Town, said: list[Any], data: st.DataObject
) -> None:
    """Its first record is, byte for byte, that of a signal about somebody whom nobody knows."""
    order = data.draw(st.permutations(deliveries_of(town, said)))
    unknown = {first.key: first for first in map(alone, (d for d in order if d.is_signal))}
    for emission in World().deliver(order).emissions:
        if emission.topic == "regular-flow":
            assert whole(emission) == whole(unknown[emission.key])
        elif emission.topic == "regular-corrections":
            told = codec("RouteCorrection").decode(emission.value)
            first: RoutedSignal = codec("RoutedSignal").decode(unknown[emission.key].value)
            assert told.cause is None
            if told.to is not None:
                same = told.to._replace(
                    routing_id=first.routing_id, revision=0, sealed_subject=first.sealed_subject
                )
                assert same == first


def alone(delivery: Delivery) -> Emission:
    """What becomes of a signal where nothing is known."""
    first, _ = Matcher(default_policies()).step(
        MatcherState({}, {}, {}), delivery.match_key, delivery.value, steady(0)
    )
    return first


@given(towns(), st.data())
def test_a_restart_forgets_nothing(town: Town, data: st.DataObject) -> None:
    order = data.draw(st.permutations(deliveries_of(town)))
    cut = data.draw(st.integers(0, len(order)))
    world = World().deliver(order[:cut])
    world.restart()
    assert world.deliver(order[cut:]).answers() == World().deliver(order).answers()
