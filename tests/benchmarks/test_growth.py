"""The pure parts of the growth benchmark: which cases are run, and what they come to."""

from tests.benchmarks.growth import Case, Outcome, Start, _options, cases_of, summary


def outcome(residents: int, per_second: float, workers: int = 1, rss_mib: float = 100.0) -> Outcome:
    made = Outcome(Case(residents, workers, "memory"), entries=2 * residents)
    made.cold.append(Start(ready_s=5.0, recovery_s=1.0, cpu_s=3.0, rss_mib=rss_mib))
    made.per_second.append(per_second)
    made.cpu_us.append(1e6 / per_second)
    return made


def test_the_fall_is_from_the_smallest_size_to_the_largest() -> None:
    told = summary([outcome(10, 1000.0), outcome(100, 950.0), outcome(1000, 900.0)])
    assert (told["fall_percent"], told["cpu_rise_percent"]) == (10.0, 11.1)


def test_memory_is_counted_for_each_entry_that_came_between_the_sizes() -> None:
    told = summary([outcome(1024, 1.0, rss_mib=100.0), outcome(2 * 1024, 1.0, rss_mib=102.0)])
    assert told["bytes_per_entry"] == 1024


def test_two_workers_are_held_against_one_at_the_same_size() -> None:
    told = summary([outcome(10, 1000.0), outcome(100, 500.0), outcome(100, 900.0, workers=2)])
    assert told["two_workers"] == 1.8


def test_without_a_second_size_or_worker_nothing_is_said_about_them() -> None:
    assert set(summary([outcome(10, 1000.0)]).values()) == {None}


def test_a_signal_that_was_not_decided_once_makes_a_case_wrong() -> None:
    wrong = outcome(10, 1000.0)
    wrong.wrong.append("9 decisions, 9 different ones, for 10 signals")
    assert not wrong.told()["correct"]


def test_sizes_are_given_by_option_and_zero_leaves_a_case_out() -> None:
    options = _options(["--residents", "10,20", "--two-workers", "0", "--rocksdb", "30"])
    assert cases_of(options) == [Case(10, 1, "memory"), Case(20, 1, "memory"), Case(30, 1, "rocksdb")]
