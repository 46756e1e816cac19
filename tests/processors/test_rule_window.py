"""Six months after completion, and the days that a signal speaks for (domain 8.1, 8.2)."""

from datetime import date

import pytest
from signaalwissel.schemas.routing import TrueReason

from tests.processors.given import Line, Story, completed, decision, exited, policy_with, running, signal

INSIDE, OUTSIDE = TrueReason.COMPLETED_WITHIN_WINDOW, TrueReason.COMPLETED_OUTSIDE_WINDOW
RUNNING, NOBODY = TrueReason.RUNNING_TRAJECTORY, TrueReason.NO_TRAJECTORY


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(completed(on="2025-08-31"), signal(on="2026-02-28"), INSIDE, id="the last day counts"),
        pytest.param(completed(on="2025-08-31"), signal(on="2026-03-01"), OUTSIDE, id="a day later does not"),
        pytest.param(
            completed(on="2023-08-31", since="2023-01-10"),
            signal(on="2024-02-29"),
            INSIDE,
            id="six months from 31 August end on 29 February in a leap year",
        ),
        pytest.param(
            completed(on="2025-08-29"),
            signal(on="2026-03-01"),
            OUTSIDE,
            id="29 August clamps to 28 February as well",
        ),
        pytest.param(
            completed(on="2025-02-28", since="2024-05-01"),
            signal(on="2025-08-28"),
            INSIDE,
            id="months count forward from the exit: 28 February reaches 28 August",
        ),
        pytest.param(
            completed(on="2025-02-28", since="2024-05-01"),
            signal(on="2025-08-29"),
            OUTSIDE,
            id="and not the end of August",
        ),
        pytest.param(
            completed(on="2025-03-01", since="2024-05-01"),
            signal(on="2025-09-01"),
            INSIDE,
            id="184 days are six months from 1 March",
        ),
        pytest.param(
            completed(on="2025-08-31"), signal(on="2025-08-31"), INSIDE, id="the exit day is in the window"
        ),
        pytest.param([], signal(on="2026-02-28"), NOBODY, id="nobody known"),
    ],
)
def test_window_runs_six_calendar_months_from_the_exit(given: Story, when: Line, then: TrueReason) -> None:
    assert decision(given, when).reason is then


def test_the_end_of_the_window_stands_on_the_routing() -> None:
    found = decision(completed(on="2025-08-31"), signal(on="2025-12-01"))
    assert found.window_ends_on == date(2026, 2, 28)


def test_the_window_is_a_setting() -> None:
    policy = policy_with(window={"months": 3})
    assert decision(completed(on="2025-08-31"), signal(on="2025-11-30"), policy).reason is INSIDE
    assert decision(completed(on="2025-08-31"), signal(on="2025-12-01"), policy).reason is OUTSIDE


@pytest.mark.parametrize(
    ("when", "then"),
    [
        pytest.param(
            signal(on="2026-03-15", signalled_on="2026-02-28"),
            INSIDE,
            id="the day on which the partner sent it counts, not that of receipt",
        ),
        pytest.param(
            signal(on="2026-03-15", signalled_on="2026-03-01"), OUTSIDE, id="sent a day after the window"
        ),
        pytest.param(signal(on="2026-03-01"), OUTSIDE, id="without that day the day of receipt counts"),
        pytest.param(
            signal(on="2026-02-28T22:59:59Z"), INSIDE, id="the last second of 28 February in Amsterdam"
        ),
        pytest.param(
            signal(on="2026-02-28T23:00:00Z"), OUTSIDE, id="1 March in Amsterdam, still February in UTC"
        ),
    ],
)
def test_window_is_tested_on_the_reference_date(when: Line, then: TrueReason) -> None:
    assert decision(completed(on="2025-08-31"), when).reason is then


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(
            running(since="2026-02-20"),
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            RUNNING,
            id="applied for on the day of receipt",
        ),
        pytest.param(
            running(since="2026-02-21"),
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            NOBODY,
            id="applied for the day after receipt: no trajectory for this signal",
        ),
        pytest.param(
            completed(on="2026-02-11", reason="SELF"),
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            RUNNING,
            id="ran on the first of the signal's days",
        ),
        pytest.param(
            completed(on="2026-02-10", reason="SELF"),
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            TrueReason.EXIT_NOT_COMPLETED,
            id="had ended on the first of the signal's days",
        ),
        pytest.param(
            [running(since="2026-02-12"), exited("2026-02-15", "SELF")],
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            RUNNING,
            id="ran for a few days in between",
        ),
    ],
)
def test_a_trajectory_that_ran_on_any_of_the_days_hits(given: Story, when: Line, then: TrueReason) -> None:
    assert decision(given, when).reason is then


@pytest.mark.parametrize(
    ("received", "last_day"),
    [
        pytest.param("2026-03-28T23:30:00Z", date(2026, 3, 29), id="winter time: UTC+1"),
        pytest.param(
            "2026-03-29T22:30:00Z", date(2026, 3, 30), id="the night after the clock went forward: UTC+2"
        ),
        pytest.param(
            "2026-10-24T22:30:00Z", date(2026, 10, 25), id="the night in which the clock goes back: UTC+2"
        ),
        pytest.param("2026-10-25T22:30:00Z", date(2026, 10, 25), id="the evening after it: UTC+1"),
    ],
)
def test_days_are_days_in_amsterdam(received: str, last_day: date) -> None:
    found = decision([], signal(on=received))
    assert (found.reference_date, found.last_day) == (last_day, last_day)
