"""The chunk engine under seeded faults. One seed again: `SIGNAALWISSEL_SEED=... .venv/bin/pytest tests/simulation`."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from signaalwissel.streams.transaction_manager import ChunkTransactions

from tests.simulation.defects import ENGINE_DEFECTS, on_disk_before_the_commit
from tests.simulation.seeds import seeds, stride
from tests.simulation.world import Violated, World, plan_of, simulate, small_plan

pytestmark = pytest.mark.timeout(7200)

ENOUGH_SEEDS = 200


def test_under_any_faults_nothing_is_lost_or_doubled_and_tables_are_what_their_changelogs_say() -> None:
    told = [simulate(plan_of(seed)) for seed in seeds(60)]
    print(
        f"\n{len(told)} runs, {sum(one.steps for one in told)} steps, {sum(one.records for one in told)} records, "
        f"{sum(one.kills for one in told)} kills, {sum(one.failures for one in told)} failures, "
        f"{sum(one.stalls for one in told)} stalls, {sum(one.rebalances for one in told)} rebalances, "
        f"{sum(one.compacted for one in told)} changelog records compacted"
    )
    assert any(one.compacted for one in told)


def test_tables_on_disk_that_outlive_kills_are_what_their_changelogs_say(tmp_path: Path) -> None:
    told = [simulate(plan_of(seed), tmp_path / str(seed)) for seed in seeds(15)]
    print(f"\n{len(told)} runs, {sum(one.kills for one in told)} kills")


def test_a_table_that_is_on_disk_before_its_commit_is_found(tmp_path: Path) -> None:
    for seed in range(ENOUGH_SEEDS):
        try:
            with on_disk_before_the_commit():
                simulate(plan_of(seed), tmp_path / str(seed))
        except Violated as violated:
            print(f"\nfound by seed {seed}: {str(violated)[:120]}")
            return
    pytest.fail(f"it was not found by {ENOUGH_SEEDS} seeds")


def test_a_crash_at_any_await_loses_and_doubles_nothing() -> None:
    steps = simulate(small_plan()).steps
    places = range(1, steps + 1, stride(20))
    kills = sum(simulate(small_plan(step)).kills for step in places)
    print(f"\nkilled at {kills} of {steps} steps")
    assert kills > len(places) // 2


def test_the_broker_aborts_nothing_of_a_worker_that_commits_as_seldom_as_it_may() -> None:
    plan = small_plan()
    seldom = {**plan.settings, "commit_interval_s": 5.0, "broker_timeout_s": 60.0}
    world = World(dataclasses.replace(plan, workers=1, records=500, load_s=60.0, settings=seldom))
    world.broker.timeout_s = 10.0  # the engine's own
    assert world.run().failures == 0


def test_a_seed_gives_the_same_run_again() -> None:
    for seed in seeds(5)[:20]:
        assert simulate(plan_of(seed)) == simulate(plan_of(seed)), seed


@pytest.mark.parametrize("defect", ENGINE_DEFECTS, ids=lambda defect: defect.__name__)
def test_a_planted_defect_is_found(defect: Callable[[], AbstractContextManager[None]]) -> None:
    for seed in range(ENOUGH_SEEDS):
        try:
            with defect():
                simulate(plan_of(seed))
        except Violated as violated:
            print(f"\n{defect.__name__}: found by seed {seed}: {str(violated)[:120]}")
            return
    pytest.fail(f"{defect.__name__} was not found by {ENOUGH_SEEDS} seeds")


def test_the_seed_of_a_failing_run_fails_in_the_same_way_again() -> None:
    told = []
    for _ in range(2):
        with ENGINE_DEFECTS[0](), pytest.raises(Violated, match="SIGNAALWISSEL_SEED=1 ") as violated:
            simulate(plan_of(1))
        told.append(str(violated.value))
    assert told[0] == told[1]


def test_a_commit_that_waited_for_one_that_failed_commits_nothing() -> None:
    attempts: list[str] = []

    async def commit(_group: str, _time: int | None) -> None:
        attempts.append("commit")
        await asyncio.sleep(0)
        raise TimeoutError

    async def run() -> list[Any]:
        transactions = ChunkTransactions.__new__(ChunkTransactions)
        transactions.broken = False
        stats, settings = SimpleNamespace(stream_times_ms={}), SimpleNamespace(app_id="app")
        transactions.app = SimpleNamespace(stats=stats, settings=settings)  # type: ignore[assignment]
        one: Any = SimpleNamespace(lock=asyncio.Lock(), partition=0, commit=commit)
        both = (transactions._commit(one), transactions._commit(one))
        return await asyncio.gather(*both, return_exceptions=True)

    assert [type(result) for result in asyncio.run(run())] == [TimeoutError, type(None)]
    assert attempts == ["commit"]
