"""The pure parts of the growth benchmark: which cases are run, and what they come to."""

from tests.benchmarks.growth import _options, cases_of
from tests.benchmarks.growth_report import Case, Outcome, Start, summary, table


def outcome(
    residents: int, *rates: float, workers: int = 1, rss_mib: float = 100.0, asked: int = 0
) -> Outcome:
    made = Outcome(Case(residents, workers, "memory", asked), entries=2 * residents)
    for per_second in rates:
        made.cold.append(Start(ready_s=5.0, recovery_s=1.0, cpu_s=3.0, rss_mib=rss_mib))
        made.per_second.append(per_second)
        made.cpu_us.append(1e6 / per_second)
    return made


def test_the_fall_is_from_the_quickest_size_to_the_slowest_wherever_they_stand() -> None:
    told = summary([outcome(10, 900.0), outcome(100, 1000.0), outcome(1000, 800.0), outcome(3000, 950.0)])
    assert (told["fall_percent"], told["cpu_rise_percent"]) == (20.0, 25.0)


def test_a_size_counts_with_the_median_of_its_runs() -> None:
    told = summary([outcome(10, 10.0, 1000.0, 1000.0), outcome(100, 5000.0, 900.0, 900.0)])
    assert told["fall_percent"] == 10.0


def test_where_as_many_are_asked_at_each_size_the_fall_is_told_apart() -> None:
    told = summary(
        [
            outcome(10, 1000.0),
            outcome(100, 500.0),
            outcome(10, 1000.0, asked=10),
            outcome(100, 900.0, asked=10),
        ]
    )
    assert (told["fall_percent"], told["fall_percent_asked"]) == (50.0, 10.0)


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
    options = _options(["--residents", "10,20", "--two-workers", "0", "--rocksdb", "30", "--asked", "0"])
    assert cases_of(options) == [Case(10, 1, "memory"), Case(20, 1, "memory"), Case(30, 1, "rocksdb")]


def test_without_options_every_line_of_the_table_in_the_documentation_is_run() -> None:
    sizes = [10_000, 100_000, 1_000_000, 3_000_000]
    assert cases_of(_options([])) == [
        *(Case(residents, 1, "memory") for residents in sizes),
        Case(100_000, 2, "memory"),
        Case(630_000, 1, "rocksdb"),
        *(Case(residents, 1, "memory", 10_000) for residents in sizes),
    ]


def test_a_line_of_the_table_shows_the_case_and_its_medians() -> None:
    lines = table([outcome(100_000, 20_000.0, 40_000.0, 25_000.0, workers=2), outcome(5, asked=3)])
    assert lines[2:] == [
        "| 100,000 | 200,000 | memory | 2 | 25,000 | 40 µs | 1.0 (3.0) |  | 100 MiB, all |",
        "| 5, asked 3 | 10 | memory | 1 | not done | not done |  |  | not done |",
    ]
