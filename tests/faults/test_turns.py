"""The turns in which the suite walks through the matrix leave nothing out."""

import pytest

from tests.faults.defects import DEFECTS
from tests.faults.matrix import ROWS
from tests.faults.product import STORES
from tests.faults.turns import ALWAYS, TURNS, WITHOUT_TURN, this_turn, turn_of


def test_every_other_row_and_every_defect_has_its_turn() -> None:
    turns = [turn_of(number) for number in range(max(len(TURNS), len(DEFECTS)))]
    assert {row for turn in turns for row in turn.rows} == ROWS.keys() - WITHOUT_TURN.keys()
    assert {turn.defect for turn in turns} == DEFECTS.keys()


def test_every_row_is_walked_with_tables_in_memory_and_on_disk() -> None:
    turns = [turn_of(number) for number in range(len(TURNS) * len(STORES))]
    walked = {(row, turn.store) for turn in turns for row in turn.rows}
    assert walked == {(row, store) for row in ROWS.keys() - WITHOUT_TURN.keys() for store in STORES}


def test_one_row_has_no_turn_because_every_run_has_it() -> None:
    assert all(ALWAYS in turn_of(number).rows for number in range(len(TURNS)))
    assert all(ALWAYS not in rows for rows in TURNS)


def test_a_turn_that_is_asked_for_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_FAULTS_TURN", "13")
    assert this_turn() == turn_of(13)
