"""Days in Europe/Amsterdam, and months on the calendar: all dates in the rules are made here.

In: instants in UTC milliseconds, or dates. Out: dates, or instants. No clock (domain 8.2).
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from signaalwissel.schemas.units import Millis

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_MS: Final = 15 * 60 * 1000
_MILLISECOND: Final = timedelta(milliseconds=1)
_MONTHS: Final = 12


def amsterdam_day(moment: Millis) -> date:
    """The day in Amsterdam on which `moment` falls; OverflowError beyond the calendar."""
    # Since 1940 the offset is whole hours, so a quarter of an hour never spans midnight: one conversion serves
    # every signal of that quarter.
    return _day_of_quarter(moment // _QUARTER_MS)


@lru_cache(maxsize=65536)
def _day_of_quarter(quarter: int) -> date:
    return (_EPOCH + timedelta(milliseconds=quarter * _QUARTER_MS)).astimezone(AMSTERDAM).date()


@lru_cache(maxsize=65536)
def start_of_day(day: date) -> Millis:
    """The instant at which `day` begins in Amsterdam."""
    return (datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM) - _EPOCH) // _MILLISECOND


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, clamped to that month's last day (domain 8.1).

    Beyond the calendar it is the calendar's last day.
    """
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
