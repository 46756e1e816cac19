"""Slices go round all keys of a partition, none left out."""

from signaalwissel.streams.slices import Slices


def rounds(keys: dict[int, list[int]], size: int) -> Slices[int]:
    return Slices(lambda partition: keys[partition], size)


def test_a_round_gives_every_key_once_and_no_slice_is_larger_than_its_size() -> None:
    slices = rounds({0: list(range(10))}, 3)
    found = [slices.next(0) for _ in range(4)]
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_after_a_round_the_next_begins_with_the_keys_as_they_are_then() -> None:
    keys = {0: [1, 2, 3]}
    slices = rounds(keys, 2)
    assert [*slices.next(0), *slices.next(0)] == [1, 2, 3]
    keys[0] = [7]
    assert slices.next(0) == [7]


def test_a_round_that_ends_with_a_full_slice_ends_with_an_empty_one() -> None:
    slices = rounds({0: [1, 2]}, 2)
    assert [slices.next(0) for _ in range(3)] == [[1, 2], [], [1, 2]]


def test_every_partition_has_its_own_round() -> None:
    slices = rounds({0: [1, 2], 1: [8, 9]}, 1)
    assert [slices.next(0), slices.next(1), slices.next(0), slices.next(1)] == [[1], [8], [2], [9]]


def test_a_partition_that_left_begins_anew() -> None:
    slices = rounds({0: [1, 2, 3]}, 2)
    slices.next(0)
    slices.forget(0)
    assert slices.next(0) == [1, 2]
    slices.forget(5)


def test_keys_that_come_and_go_during_a_round_do_not_disturb_it() -> None:
    keys = {0: [1, 2, 3]}
    slices = rounds(keys, 2)
    slices.next(0)
    keys[0].clear()
    assert slices.next(0) == [3]
