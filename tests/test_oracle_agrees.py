"""The rules and the independent oracle agree on 200,000 generated records, every one of them.

Twenty months of some 10,000 lines each, every month from a seed of its own: about six seconds a seed, two minutes
together. They stay in every run: the oracle is the only reader of the rules that shares no code with them.
"""

import pytest
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.simulation import Simulation
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.security.throwaway_keys import ThrowawayKeys
from signaalwissel.sources.generator import generate

from tests.oracle import check

SEEDS = range(1, 21)
RESIDENTS, SIGNALS = 2_000, 3_800
LINES_MIN = 200_000


def month(seed: int) -> list[Line]:
    return list(generate(RESIDENTS, SIGNALS, seed))


@pytest.fixture(scope="module")
def lengths() -> dict[int, int]:
    """How many records the months had that were made: making them all again takes as long as three of them."""
    return {}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_of_a_month_is_decided_as_the_oracle_says(seed: int, lengths: dict[int, int]) -> None:
    lines = month(seed)
    lengths[seed] = len(lines)
    simulation = Simulation(packaged_policies(for_every_code=True), ThrowawayKeys(), fresh_nonce)
    outputs = [output for line in lines for output in simulation.feed(line)]
    problems = check(lines, outputs)
    assert problems == [], f"seed {seed}: {len(problems)} problems, first {problems[:3]}"


def test_the_months_together_are_two_hundred_thousand_records(lengths: dict[int, int]) -> None:
    made = [lengths[seed] if seed in lengths else len(month(seed)) for seed in SEEDS]
    assert sum(made) >= LINES_MIN
