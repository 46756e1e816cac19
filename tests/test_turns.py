"""Heavy tests that take turns: at every turn exactly one of them is run, and on request all."""

import pytest

from tests.turns import ALL, has_its_turn


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("asked", range(6))
def test_at_every_turn_exactly_one_is_run(of: int, asked: int) -> None:
    assert sum(has_its_turn(number, of, str(asked)) for number in range(of)) == 1


def test_on_request_all_are_run() -> None:
    assert all(has_its_turn(number, 2, ALL) for number in range(2))
