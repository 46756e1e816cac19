"""Sinks that want the same partitions, under seeded faults: the database holds each record once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.seeds import seeds
from tests.simulation.sink_world import (
    SinkRun,
    simulate_sinks,
    without_compare,
    without_rows_in_the_transaction,
)
from tests.simulation.world import Violated

pytestmark = pytest.mark.timeout(3600)

ENOUGH_SEEDS = 200


def test_under_any_faults_the_database_holds_each_record_once() -> None:
    told = [simulate_sinks(seed) for seed in seeds(300)]
    sums = SinkRun(*map(sum, zip(*told, strict=True)))
    print(f"\n{len(told)} runs: {sums}")


def test_a_seed_gives_the_same_run_of_sinks_again() -> None:
    for seed in seeds(5)[:20]:
        assert simulate_sinks(seed) == simulate_sinks(seed), seed


@pytest.mark.parametrize("defect", [without_compare, without_rows_in_the_transaction])
def test_a_planted_defect_of_the_sink_is_found(defect: Callable[[], Any]) -> None:
    for seed in range(ENOUGH_SEEDS):
        try:
            with defect():
                simulate_sinks(seed)
        except Violated as violated:
            print(f"\n{defect.__name__}: found by seed {seed}: {str(violated)[:120]}")
            return
    pytest.fail(f"{defect.__name__} was not found by {ENOUGH_SEEDS} seeds")
