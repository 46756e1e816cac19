"""By when a task must be done (domain 8.8, 8.9): all deadlines count from the day of receipt.

In: the day of receipt and the policy. Out: a date. The days in between are Amsterdam dates; no clock.
"""

from datetime import date, timedelta
from functools import lru_cache

import holidays
from signaalwissel.processors.policy import Policy

_SATURDAY = 5
_DAY = timedelta(days=1)
_GOOD_FRIDAY = "Goede vrijdag"


def contact_due_on(received_on: date, *, crisis: bool, policy: Policy) -> date:
    """Last day for the contact on a relapse; in a threatening situation that is some working days off."""
    if crisis:
        return working_days_after(received_on, policy.deadlines.crisis_working_days)
    return received_on + timedelta(days=policy.deadlines.contact_days)


def verify_due_on(received_on: date, *, named: bool, policy: Policy) -> date:
    """Last day to verify who the resident is; with the same surname that is the day of receipt itself."""
    if named:
        return received_on
    return received_on + timedelta(days=policy.deadlines.verify_identity_days)


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`; `day` itself does not count, whatever day it is."""
    while count:
        day += _DAY
        if is_working_day(day):
            count -= 1
    return day


def is_working_day(day: date) -> bool:
    """Whether `day` is neither in a weekend nor a Dutch public holiday.

    Good Friday (Goede Vrijdag) counts as a working day, and so does Liberation Day (Bevrijdingsdag, 5 May) but
    in a lustrum year (2025, 2030): most offices work then, and where in doubt the resident whose gas is cut off
    is better served by the earlier day.
    """
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    known = holidays.country_holidays("NL", years=year, language="nl")
    return frozenset(day for day, name in known.items() if name != _GOOD_FRIDAY)
