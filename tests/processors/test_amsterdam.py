"""Days in Amsterdam and months on the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.amsterdam import add_months, amsterdam_day, start_of_day

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = st.dates(date(1900, 1, 1), date(2999, 12, 31))


@given(st.integers(-2_208_988_800_000, 32_503_679_999_999))
def test_every_moment_falls_on_the_day_that_the_calendar_of_amsterdam_says(moment: int) -> None:
    local = (EPOCH + timedelta(milliseconds=moment)).astimezone(ZoneInfo("Europe/Amsterdam"))
    if local.utcoffset().total_seconds() % 900 == 0:  # type: ignore[union-attr]
        assert amsterdam_day(moment) == local.date()


@given(st.dates(date(1941, 1, 1), date(2999, 12, 30)))
def test_a_day_begins_where_the_day_before_ends(day: date) -> None:
    begin = start_of_day(day)
    assert amsterdam_day(begin) == day
    assert amsterdam_day(begin - 1) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        pytest.param(date(2025, 8, 31), 6, date(2026, 2, 28), id="clamped to the end of February"),
        pytest.param(date(2023, 8, 31), 6, date(2024, 2, 29), id="of a leap year"),
        pytest.param(date(2025, 6, 30), 6, date(2025, 12, 30), id="the same day of the month"),
        pytest.param(date(2025, 7, 1), 6, date(2026, 1, 1), id="over the end of the year"),
        pytest.param(date(2024, 2, 29), 12, date(2025, 2, 28), id="a year after a leap day"),
        pytest.param(date(2025, 12, 15), 24, date(2027, 12, 15), id="two years"),
    ],
)
def test_months_are_calendar_months(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


@given(DAYS, st.integers(1, 24))
def test_months_never_skip_a_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
