"""Rows of the fault matrix on one platform, a few at each turn (turns); `make faults` runs all of them."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.faults.load import Load
from tests.faults.matrix import ROWS
from tests.faults.run import Run, Settings, last_look, walk
from tests.faults.trials import load_of_trials, try_one
from tests.faults.turns import this_turn
from tests.faults.whole import running

pytestmark = pytest.mark.timeout(600)

_FULL_DISKS = 8
_NEIGHBOURS_MS = 5_000.0
"""What the other tests may add to a latency: less than a request takes that is given up, which is what row 7 looks for."""


class Walked(NamedTuple):
    """A run whose stages are at work, and the loads of the rows that were walked."""

    run: Run
    loads: list[Load]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The rows and the defect of the turn are named by the tests that try them."""
    turn = this_turn()
    for name, tried in (("number", turn.rows), ("defect", (turn.defect,))):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, tried)


@pytest.fixture(scope="module")
def matrix() -> Iterator[Walked]:
    """One platform for all rows of the turn."""
    seed = int(os.environ.get("SIGNAALWISSEL_FAULTS_SEED", "1"))
    settings = Settings(seed, slack_ms=_NEIGHBOURS_MS, store=this_turn().store)
    with running(settings, small_disks=_FULL_DISKS in this_turn().rows) as run, run.product.running():
        yield Walked(run, [])


def test_a_row_of_this_turn_holds_its_gate(matrix: Walked, number: int) -> None:
    row = ROWS[number]
    load = row.make(matrix.run.settings)
    gate = walk(row, load, matrix.run)
    if gate.skipped:
        pytest.skip(gate.skipped)
    matrix.loads.append(load)
    assert gate.passed, f"{this_turn()}: {gate}\n{matrix.run.product.installation.logs()}"


def test_no_row_harmed_the_signals_of_another_one(matrix: Walked) -> None:
    gate = last_look(matrix.run, matrix.loads)
    assert gate.passed, f"{this_turn()}: {gate}"


def test_the_checker_sees_the_defect_of_this_turn(matrix: Walked, defect: str) -> None:
    trial = try_one(matrix.run, load_of_trials(matrix.run.settings), defect)
    assert trial.as_it_must, f"{this_turn()}: nothing gives {defect} away"
