"""The pure parts of the benchmarks: windows over samples, goals, table and JSON lines."""

import io
import json

import pytest
from rich.console import Console

from tests.benchmarks.report import (
    Measurement,
    NoWindow,
    Place,
    Sample,
    records_before,
    table_of,
    window_of,
)

HERE, THERE = Place("decisions", 0), Place("decisions", 1)


def growing(*ends: int) -> list[Sample]:
    """One sample a second, two CPU seconds each, of one partition."""
    return [Sample(float(n), 2.0 * n, {HERE: end}) for n, end in enumerate(ends)]


def test_markers_of_transactions_are_no_records() -> None:
    offsets = {HERE: [0, 1, 3, 4], THERE: [7]}
    assert records_before(offsets, {HERE: 3, THERE: 7}) == 2
    assert records_before(offsets, {HERE: 6, THERE: 9}) == 5
    assert records_before(offsets, {}) == 0


def test_the_window_lies_between_the_samples_in_which_ten_and_ninety_percent_first_show() -> None:
    samples = growing(0, 0, 9, 10, 30, 50, 89, 95, 100, 100)
    window = window_of(samples, {HERE: range(100)}, 100)
    assert (window.records, window.seconds, window.cpu_s) == (85, 4.0, 8.0)
    assert window.per_second == pytest.approx(85 / 4)
    assert window.cpu_us == pytest.approx(8e6 / 85)


def test_waiting_before_the_first_and_after_the_last_output_changes_nothing() -> None:
    short, long = growing(0, 10, 30, 50, 70, 100), growing(0, 0, 0, 10, 30, 50, 70, 100, 100, 100)
    offsets = {HERE: range(100)}
    assert window_of(short, offsets, 100) == window_of(long, offsets, 100)


@pytest.mark.parametrize(
    "ends", [(), (0, 0), (0, 20, 30, 40, 50, 60, 80), (0, 100, 100), (0, 10, 40, 60, 100)]
)
def test_a_run_that_stops_short_or_comes_in_few_steps_has_no_window(ends: tuple[int, ...]) -> None:
    with pytest.raises(NoWindow):
        window_of(growing(*ends), {HERE: range(100)}, 100)


def test_a_run_without_output_has_no_window() -> None:
    with pytest.raises(NoWindow):
        window_of(growing(0, 1), {HERE: []}, 0)


@pytest.mark.parametrize(
    ("value", "unit", "goal", "reached"),
    [
        (40.0, "us", 40.0, True),
        (40.1, "us", 40.0, False),
        (4000.0, "1/s", 4000.0, True),
        (3999.0, "1/s", 4000.0, False),
        (1.0, "x", 1.0, True),
        (0.9, "x", 1.0, False),
        (1.0, "us", None, None),
    ],
)
def test_time_must_stay_under_its_goal_and_throughput_and_ratio_above(
    value: float, unit: str, goal: float | None, reached: bool | None
) -> None:
    assert Measurement("x", value, unit, goal).reached is reached


def test_a_line_is_one_json_object_with_goal_and_verdict() -> None:
    line = Measurement("sink", 5123.456, "1/s", 4000.0, {"window_s": 2.5}).line()
    assert "\n" not in line
    assert json.loads(line) == {
        "benchmark": "sink",
        "value": 5123.46,
        "unit": "1/s",
        "goal": 4000.0,
        "reached": True,
        "window_s": 2.5,
    }
    assert "goal" not in json.loads(Measurement("decode", 1.0, "us").line())


def test_the_table_says_plainly_whether_a_goal_is_reached() -> None:
    measurements = [
        Measurement("sink", 5123.4, "1/s", 4000.0),
        Measurement("matcher", 44.0, "us", 40.0),
        Measurement("decode", 7.19, "us"),
    ]
    shown = io.StringIO()
    Console(file=shown, width=100).print(table_of("figures", measurements))
    rows = {row.split()[1]: row for row in shown.getvalue().splitlines() if row.startswith("│")}
    assert "5,123" in rows["sink"]
    assert "reached" in rows["sink"]
    assert "not reached" not in rows["sink"]
    assert "not reached" in rows["matcher"]
    assert "reached" not in rows["decode"]
