"""Domain 8.1 and 8.2: the window and the days that a signal speaks for."""

from datetime import date

import pytest

from tests.oracle.calendar import months_after
from tests.oracle.scenario import applied, exited, outcome, reason, signal

WITHIN, OUTSIDE, RUNNING = "COMPLETED_WITHIN_WINDOW", "COMPLETED_OUTSIDE_WINDOW", "RUNNING_TRAJECTORY"


@pytest.mark.parametrize(
    ("exit_day", "last_day"),
    [
        ("2025-08-31", "2026-02-28"),
        ("2023-08-31", "2024-02-29"),
        ("2025-08-29", "2026-02-28"),
        ("2025-08-28", "2026-02-28"),
        ("2025-03-31", "2025-09-30"),
        ("2025-12-31", "2026-06-30"),
        ("2025-06-30", "2025-12-30"),
        ("2025-02-28", "2025-08-28"),
    ],
)
def test_six_months_run_to_the_same_day_or_the_last_of_the_month(exit_day: str, last_day: str) -> None:
    assert months_after(date.fromisoformat(exit_day)) == date.fromisoformat(last_day)


@pytest.mark.parametrize(
    ("received", "expected"),
    [("2026-02-28", WITHIN), ("2026-03-01", OUTSIDE)],
)
def test_the_last_day_of_the_window_is_included(received: str, expected: str) -> None:
    assert reason(applied("2024-03-01"), exited("2025-08-31"), signal(received)) == expected


def test_the_window_is_tested_on_the_reference_date_not_on_the_day_of_receipt() -> None:
    lines = applied("2024-03-01"), exited("2025-08-31")
    late = outcome(*lines, signal("2026-03-20", signalled_on="2026-02-28"))
    assert (late.reason, late.window_ends_on) == (WITHIN, date(2026, 2, 28))
    assert reason(*lines, signal("2026-03-20", signalled_on="2026-03-01")) == OUTSIDE


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        ("2026-02-28T22:59:59Z", WITHIN),  # 23:59:59 in Amsterdam, winter
        ("2026-02-28T23:00:00Z", OUTSIDE),  # midnight in Amsterdam
    ],
)
def test_the_day_of_receipt_is_amsterdams_day_in_winter(received_at: str, expected: str) -> None:
    assert reason(applied("2024-03-01"), exited("2025-08-31"), signal(received_at)) == expected


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        ("2025-09-30T21:59:59Z", WITHIN),  # 23:59:59 in Amsterdam, summer
        ("2025-09-30T22:00:00Z", OUTSIDE),
    ],
)
def test_the_day_of_receipt_is_amsterdams_day_in_summer(received_at: str, expected: str) -> None:
    assert reason(applied("2024-03-01"), exited("2025-03-31"), signal(received_at)) == expected


@pytest.mark.parametrize(
    ("signalled_on", "received", "expected"),
    [
        ("2025-05-01", "2025-05-09", "NO_TRAJECTORY"),  # all days before the application
        ("2025-05-01", "2025-05-10", RUNNING),  # the day of receipt is the day of application
        ("2025-05-15", "2025-05-20", RUNNING),
        ("2025-05-31", "2025-06-20", RUNNING),  # only the first day is before the exit
        ("2025-06-01", "2025-06-20", WITHIN),  # the exit day belongs to what follows
    ],
)
def test_a_trajectory_that_ran_on_any_of_the_signals_days_hits(
    signalled_on: str, received: str, expected: str
) -> None:
    lines = applied("2025-05-10"), exited("2025-06-01")
    assert reason(*lines, signal(received, signalled_on=signalled_on)) == expected


def test_an_exit_between_the_days_of_the_signal_leaves_it_running() -> None:
    found = outcome(
        applied("2025-05-10"), exited("2025-06-01"), signal("2025-06-20", signalled_on="2025-05-20")
    )
    assert (found.reason, found.trajectory_state) == (RUNNING, "RUNNING")
    assert found.window_ends_on == date(2025, 12, 1)
