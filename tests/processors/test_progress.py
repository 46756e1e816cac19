"""Liveness by progress: work that is due and not done for a while, whatever else goes on."""

from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.progress import COUNTED_GAP_S, Idle, Part, Standing, record_age_ms

BOUND_S = 60.0

gaps = st.floats(0.0, 120.0, allow_nan=False)
looks = st.lists(st.tuples(gaps, st.booleans(), st.booleans()), max_size=80)


def fold(looked: list[tuple[float, bool, bool]]) -> Idle:
    at_s, moved = 0.0, 0
    idle = Idle(at_s, moved)
    for gap, due, moves in looked:
        at_s += gap
        moved += moves
        idle = idle.after(at_s, Standing("work" if due else None, moved))
    return idle


@given(looks)
def test_idle_time_is_that_of_the_unbroken_run_of_looks_at_work_that_does_not_move(
    looked: list[tuple[float, bool, bool]],
) -> None:
    run = 0.0
    for gap, due, moves in looked:
        run = run + min(gap, COUNTED_GAP_S) if due and not moves else 0.0
    assert abs(fold(looked).idle_s - run) < 1e-6


@given(looks)
def test_a_process_that_moves_or_has_nothing_due_is_never_stuck(
    looked: list[tuple[float, bool, bool]],
) -> None:
    for due, moves in ((True, True), (False, True), (False, False)):
        assert not fold([*looked, (1000.0, due, moves)]).stuck(1e-9)


@given(looks, st.integers(0, 200))
def test_a_process_that_does_nothing_about_its_work_is_stuck_after_the_bound_and_not_before(
    looked: list[tuple[float, bool, bool]], seconds: int
) -> None:
    silent = fold([*looked, (1.0, True, True), *[(1.0, True, False)] * seconds])
    assert silent.stuck(BOUND_S) == (seconds >= BOUND_S)


turns = st.lists(st.tuples(gaps, st.booleans(), st.booleans()), max_size=40)


@given(turns, st.integers(1, 5))
def test_a_part_has_a_clock_of_its_own_that_begins_when_it_is_due_and_is_shared_by_those_that_take_turns(
    looked: list[tuple[float, bool, bool]], sharing: int
) -> None:
    at_s, moved, run, was_due = 0.0, 0, 0.0, False
    idle = Idle(0.0, 0)
    for whole, (gap, due, moves) in enumerate(looked):
        at_s, moved = at_s + gap, moved + moves
        # The whole moves at each look.
        parts = (Part("one", "work", moved, sharing),) if due else ()
        idle = idle.after(at_s, Standing("all", whole + 1, parts=parts))
        run = run + min(gap, COUNTED_GAP_S) / sharing if due and was_due and not moves else 0.0
        was_due = due
    assert abs(idle.idle_s - run) < 1e-6


def test_what_has_waited_longest_is_told() -> None:
    idle = Idle(0.0, 0)
    for second in range(5):
        parts = (Part("one", "the first", second), Part("two", "the second", 0))
        idle = idle.after(float(second), Standing("all", second + 1, parts=parts))
    assert (idle.due, idle.idle_s) == ("the second", 4.0)
    assert idle.after(5.0, Standing("all", 6)).due == "all"
    assert idle.after(5.0, Standing(None, 6)).due is None


def test_the_clock_of_a_part_that_rests_stands_still_and_is_gone_when_the_part_moved_or_went() -> None:
    idle = Idle(0.0, 0).after(1.0, Standing("all", 1, parts=(Part("one", "work", 7),)))
    idle = idle.after(6.0, Standing("all", 2, parts=(Part("one", "work", 7),)))
    rested = idle.after(9.0, Standing("all", 3, resting={"one": 7, "two": 1}))
    assert (rested.idle_s, set(rested.parts)) == (5.0, {"one"})
    assert rested.after(11.0, Standing("all", 4, parts=(Part("one", "work", 7),))).idle_s == 7.0
    assert rested.after(11.0, Standing("all", 4, resting={"one": 8})).parts == {}
    assert rested.after(11.0, Standing("all", 4)).parts == {}


@given(st.floats(COUNTED_GAP_S, 1e6))
def test_one_long_pause_of_the_process_itself_makes_it_not_stuck(pause_s: float) -> None:
    assert not fold([(1.0, True, True), (pause_s, True, False)]).stuck(BOUND_S)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_unread_record_is_no_older_than_the_last_that_was_handled_or_the_last_moment_without_any(
    now: int, handled: int, caught_up: int
) -> None:
    assert record_age_ms(now, handled, None) == max(now - handled, 0)
    assert record_age_ms(now, handled, caught_up) == max(now - max(handled, caught_up), 0)
    assert record_age_ms(now, None, None) is None
