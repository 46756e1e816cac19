"""The books of the fault runs hold the same whatever order the partitions of the topics are read in."""

import itertools

import pytest

from tests.faults.books import Delivery, Move, fold

FROM_ONE, TO_TWO, TO_REGULAR, FROM_TWO, FROM_REGULAR = (
    Move(1, False, False, "T-1"),
    Move(1, True, False, "T-2"),
    Move(2, True, True, None),
    Move(2, False, False, "T-2"),
    Move(3, False, True, None),
)


@pytest.mark.parametrize("order", [*itertools.permutations([FROM_ONE, TO_TWO, TO_REGULAR, FROM_TWO])])
def test_who_holds_a_signal_at_last_is_the_same_in_every_order_of_reading(order: tuple[Move, ...]) -> None:
    delivery = Delivery(first_counsellor="T-1")
    fold(delivery, order)
    assert (delivery.counsellor, delivery.regular) == (None, True)


def test_a_correction_that_was_read_before_the_first_route_counts_after_it() -> None:
    delivery = Delivery()
    fold(delivery, [FROM_ONE, TO_TWO])
    delivery.first_counsellor = "T-1"
    fold(delivery, [FROM_ONE, TO_TWO])
    assert delivery.counsellor == "T-2"


def test_who_is_not_told_to_let_go_goes_on_holding() -> None:
    delivery = Delivery(first_counsellor="T-1")
    fold(delivery, [FROM_TWO, TO_REGULAR, FROM_REGULAR])
    assert (delivery.counsellor, delivery.regular) == ("T-1", False)
