"""Days and instants of generated data. In: Amsterdam dates. Out: milliseconds since 1970 and their JSON form.

Instants are plain integers (milliseconds since 1970, UTC): a month has some hundred thousand of them, and
they are added to and sorted.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def midnight_ms(day: date) -> int:
    """Return the instant at which an Amsterdam day begins."""
    return (datetime.combine(day, time(), ZoneInfo("Europe/Amsterdam")) - EPOCH) // MILLISECOND


def day_of(instant_ms: int) -> date:
    """Return the Amsterdam day in which an instant lies."""
    return (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(ZoneInfo("Europe/Amsterdam")).date()


def iso(instant_ms: int) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds and Z."""
    return (EPOCH + timedelta(milliseconds=instant_ms)).isoformat(timespec="milliseconds")[:23] + "Z"


def days(count: int) -> timedelta:
    """Return a number of days; negative ones lie back."""
    return timedelta(days=count)


def add_months(day: date, months: int) -> date:
    """Return the same day so many calendar months on, clamped to the month's last day (domain 8.1)."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=4096)
def clock_change_after(day: date) -> date:
    """Return the first day, this one included, on which Amsterdam's clocks change (last Sunday of 3 and 10)."""
    for year in (day.year, day.year + 1):
        for month in (3, 10):
            last = date(year, month, 31)
            sunday = last - days((last.weekday() + 1) % 7)
            if sunday >= day:
                return sunday
    raise AssertionError(day)


@dataclass(frozen=True, slots=True)
class Month:
    """The calendar month whose signals are generated."""

    first: date

    @property
    def last(self) -> date:
        """The month's last day."""
        return add_months(self.first, 1) - days(1)

    @property
    def begin_ms(self) -> int:
        """The month's first instant."""
        return midnight_ms(self.first)

    @property
    def end_ms(self) -> int:
        """The first instant after the month."""
        return midnight_ms(add_months(self.first, 1))

    @property
    def today(self) -> date:
        """The day on which the story ends: nothing happens after it, though it may be recorded later."""
        return self.last + days(45)
