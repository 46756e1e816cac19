"""The Kafka path against `simulate`: the same records give the same answers."""

from collections.abc import Callable

import pytest
from signaalwissel.processors.emissions import (
    COUNSELLOR_CORRECTIONS,
    COUNSELLOR_FOLLOWUP,
    REGULAR_CORRECTIONS,
    REGULAR_FLOW,
)
from signaalwissel.processors.simulation_lines import Line, kind_of
from signaalwissel.schemas.routing import Decision
from signaalwissel.sources.generator import generate

from tests.system.installation import Installation, gapless, last_of_each, outcome, simulated_decisions

RESIDENTS = 16_000
SIGNALS = 48_000
CORRECTIONS_PER_SIGNAL_MAX = 0.001

pytestmark = pytest.mark.timeout(900)


def comparable(decision: Decision) -> Decision:
    """A decision without what may differ from run to run."""
    return decision._replace(decided_at=0, sealed_subject=b"")


def trajectories_first(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    events = [line for line in lines if kind_of(line["topic"]) == "trajectories"]
    return events, [line for line in lines if kind_of(line["topic"]) == "signals"]


def test_two_workers_on_kafka_end_with_the_routes_of_simulate(install: Callable[..., Installation]) -> None:
    lines = list(generate(RESIDENTS, SIGNALS, 20260201))
    assert len(lines) > 100_000
    product = install()
    expected = last_of_each(simulated_decisions(product.simulated(lines)))
    product.start("worker")
    product.start("worker")
    product.publish(lines)
    product.settle()
    decisions = product.decisions()
    routed = [record for topic in (COUNSELLOR_FOLLOWUP, REGULAR_FLOW) for record in product.read(topic)]
    assert gapless(decisions)
    assert len(routed) == len(expected)
    found = last_of_each(decisions)
    assert found.keys() == expected.keys()
    differing = [key for key in expected if outcome(found[key]) != outcome(expected[key])]
    assert differing == []


def test_with_all_trajectories_first_every_decision_is_that_of_simulate_field_by_field(
    install: Callable[..., Installation],
) -> None:
    events, signals = trajectories_first(list(generate(3_000, 6_000, 7)))
    product = install()
    expected = list(simulated_decisions(product.simulated([*events, *signals])))
    product.start("worker")
    product.publish(events)
    product.settle()
    product.publish(signals)
    product.settle()
    found = {decision.routing_id: comparable(decision) for decision in product.decisions()}
    assert found == {decision.routing_id: comparable(decision) for decision in expected}


def test_a_cold_replay_ends_right_and_corrects_next_to_nothing(install: Callable[..., Installation]) -> None:
    lines = list(generate(3_000, 8_000, 11))
    product = install()
    expected = last_of_each(simulated_decisions(product.simulated(lines)))
    product.publish(lines)
    product.start("worker")
    product.settle()
    found = last_of_each(product.decisions())
    assert {key: outcome(value) for key, value in found.items()} == {
        key: outcome(value) for key, value in expected.items()
    }
    corrections = sum(len(product.read(topic)) for topic in (COUNSELLOR_CORRECTIONS, REGULAR_CORRECTIONS))
    assert corrections <= CORRECTIONS_PER_SIGNAL_MAX * len(expected)
