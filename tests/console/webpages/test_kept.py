"""What is counted beside a page: of this moment where that is quick, a short while old where it is not."""

import threading

import pytest
from signaalwissel.console.webpages.kept import KEPT_S, OLDEST_S, Kept

SECOND_S = 1.0


class Count:
    """A count that ends when it is let go, and gives how often it ran."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.ended = threading.Event()
        self.runs = 0

    def __call__(self) -> int:
        self.runs += 1
        self.let_go.wait(30)
        return self.runs


class Clock:
    """Seconds as a test sets them; each count takes a second."""

    now_s = 0.0

    def __call__(self) -> float:
        self.now_s += SECOND_S
        return self.now_s


def quick() -> Kept[int]:
    """For a page that waits longer than a count takes on the clock."""
    return Kept(patience_s=30, clock=Clock())


def slow(clock: Clock | None = None) -> Kept[int]:
    """For a page that waits for nothing."""
    return Kept(patience_s=0, clock=clock or Clock())


def test_what_is_counted_within_the_patience_is_counted_at_every_look() -> None:
    kept, count = quick(), Count()
    count.let_go.set()
    looks = [kept.look("0344", count) for _ in range(3)]
    assert [(one.value, one.age_s) for one in looks if one] == [(1, 0.0), (2, 0.0), (3, 0.0)]


def test_while_it_is_counted_for_the_first_time_there_is_nothing_to_show_and_no_second_count() -> None:
    kept, count = slow(), Count()
    assert [kept.look("0344", count), kept.look("0344", count)] == [None, None]
    count.let_go.set()
    assert kept.look("0344", count, whole=True) is not None
    assert count.runs == 1


def test_a_slow_count_is_shown_again_with_its_age_and_then_counted_anew() -> None:
    clock, count = Clock(), Count()
    kept = slow(clock)
    count.let_go.set()
    kept.look("0344", count, whole=True)
    again = kept.look("0344", count)
    assert again is not None
    assert again.value == 1
    assert again.age_s >= SECOND_S
    clock.now_s += KEPT_S
    count.let_go.clear()
    stale = kept.look("0344", count)
    assert stale is not None
    assert (stale.value, stale.age_s > KEPT_S) == (1, True)
    count.let_go.set()
    anew = kept.look("0344", count, whole=True)
    assert anew is not None
    assert anew.value == 2


def test_what_is_too_old_to_act_on_is_not_shown() -> None:
    clock, count = Clock(), Count()
    kept = slow(clock)
    count.let_go.set()
    kept.look("0344", count, whole=True)
    clock.now_s += OLDEST_S
    count.let_go.clear()
    assert kept.look("0344", count) is None
    count.let_go.set()


def test_each_key_has_a_count_of_its_own() -> None:
    kept = quick()
    mine, other = kept.look("0344", lambda: 1), kept.look("0363", lambda: 2)
    assert (mine, other) == ((1, 0.0), (2, 0.0))


def test_what_stands_in_the_way_is_told_once_and_then_it_is_counted_again() -> None:
    def away() -> int:
        raise ConnectionError

    kept = quick()
    with pytest.raises(ConnectionError):
        kept.look("0344", away)
    assert kept.look("0344", lambda: 1) == (1, 0.0)
