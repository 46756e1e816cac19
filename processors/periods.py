"""Periods: how beginnings and ends fold into what lasted when (design 2).

Running, each service, monitoring, aftercare and an objection are periods. A repeated beginning or end replaces the
one that stands; an end dated before the open period mends the last closed one; opened, closed and opened again keeps
both.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from signaalwissel.schemas.trajectory import ExitReason

_DAY: Final = timedelta(days=1)
_SECOND_DAY: Final = date.min + _DAY


class Days(NamedTuple):
    """A stretch of days, both ends included; None is open-ended on that side."""

    first: date | None
    last: date | None

    def meet(self, other: "Days") -> bool:
        """Whether the two have a day in common."""
        return meet(self.first, self.last, other.first, other.last)


class Period(NamedTuple):
    """Something that lasted. `exit_reason` says why running ended; a refusal has none."""

    begin: date
    end: date | None = None
    exit_reason: ExitReason | None = None

    def through_end(self) -> Days:
        """The days it was open, its last day included (domain 8.3)."""
        return Days(self.begin, self.end)

    def before_end(self) -> Days:
        """The days it ran: the day of the end belongs to what follows (domain 8.5)."""
        # Before the calendar's first day there is none to name; intake refuses such dates long before (domain 8.16).
        return Days(self.begin, None if self.end is None else max(self.end, _SECOND_DAY) - _DAY)


def meet(first: date | None, last: date | None, other_first: date | None, other_last: date | None) -> bool:
    """Whether two stretches, each from its first day to its last, have a day in common.

    The same as `overlap`, of two and without the days themselves: a decision asks for a dozen of them.
    """
    first, last = later(first, other_first), earlier(last, other_last)
    return first is None or last is None or first <= last


def overlap(stretches: Iterable[Days]) -> Days | None:
    """The days that all stretches have in common, or None."""
    first: date | None = None
    last: date | None = None
    for stretch in stretches:
        first, last = later(first, stretch.first), earlier(last, stretch.last)
    if first is not None and last is not None and first > last:
        return None
    return Days(first, last)


def later(first: date | None, other: date | None) -> date | None:
    """The later of two first days; None is before all days."""
    return other if first is None or (other is not None and other > first) else first


def earlier(last: date | None, other: date | None) -> date | None:
    """The earlier of two last days; None is after all days."""
    return other if last is None or (other is not None and other < last) else last


class PeriodFold:
    """Folds beginnings and ends, in the order of their facts, into periods."""

    def __init__(self) -> None:
        self._periods: list[Period] = []

    def begin(self, day: date) -> None:
        """A beginning: replaces that of an open period, or opens another."""
        if self._periods and self._periods[-1].end is None:
            self._periods[-1] = Period(day)
        else:
            self._periods.append(Period(day))

    def begin_first(self, day: date) -> None:
        """An application: dates the first period, and opens it where there is none."""
        if self._periods:
            first = self._periods[0]
            self._periods[0] = Period(day, first.end, first.exit_reason)
        else:
            self._periods.append(Period(day))

    def end(self, day: date, exit_reason: ExitReason | None = None) -> None:
        """An end: closes the open period, or mends the end of the last closed one; nothing without a beginning."""
        if not self._periods:
            return
        mended = -1
        last = self._periods[-1]
        if last.end is None and day < last.begin and len(self._periods) > 1:
            mended = -2
        self._periods[mended] = Period(self._periods[mended].begin, day, exit_reason)

    def ended_by(self, exit_reason: ExitReason) -> bool:
        """Whether the last end stands with this reason."""
        ended = [period for period in self._periods if period.end is not None]
        return bool(ended) and ended[-1].exit_reason is exit_reason

    def periods(self) -> tuple[Period, ...]:
        """What lasted, in order."""
        return tuple(self._periods)
