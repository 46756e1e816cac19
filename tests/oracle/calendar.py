"""Days and moments as Amsterdam sees them: texts in, dates and moments out."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CORRECTION_DAYS = 35
WINDOW_MONTHS = 6


@lru_cache(maxsize=65536)
def amsterdam_day(moment: datetime) -> date:
    """The day on the calendar in Amsterdam at that moment."""
    return moment.astimezone(AMSTERDAM).date()


@lru_cache(maxsize=4096)
def horizon(last_day: date) -> datetime:
    """The first moment that is too late: midnight after the last day and 35 more days (domain 8.11)."""
    first_day_too_late = last_day + timedelta(days=CORRECTION_DAYS + 1)
    return datetime.combine(first_day_too_late, time.min, AMSTERDAM).astimezone(UTC)


@lru_cache(maxsize=65536)
def days_from_to(first: date, last: date) -> tuple[date, ...]:
    """Every day from the first up to and including the last."""
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


@lru_cache(maxsize=4096)
def months_after(day: date, months: int = WINDOW_MONTHS) -> date:
    """The same day of a later month, or that month's last day where it has no such day (domain 8.1)."""
    years, month0 = divmod(day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(day.year + years, month0 + 1, number)
        except ValueError:
            continue
    return date(day.year + years, month0 + 1, day.day)


def moment_text(moment: datetime) -> str:
    """One spelling for each moment: UTC, a Z, milliseconds only where there are any."""
    text = moment.astimezone(UTC).replace(tzinfo=None)
    return text.isoformat(timespec="milliseconds" if text.microsecond else "seconds") + "Z"
