from datetime import date

import pytest
from signaalwissel.processors.followup_deadlines import (
    contact_due_on,
    is_working_day,
    verify_due_on,
    working_days_after,
)

from tests.processors.followup_support import POLICY


def test_contact_is_due_within_28_days_of_receipt() -> None:
    assert contact_due_on(date(2026, 3, 2), crisis=False, policy=POLICY) == date(2026, 3, 30)


@pytest.mark.parametrize(
    ("received_on", "due_on"),
    [
        pytest.param(date(2026, 3, 2), date(2026, 3, 5), id="monday to thursday"),
        pytest.param(date(2026, 3, 5), date(2026, 3, 10), id="a weekend between does not count"),
        pytest.param(date(2026, 3, 7), date(2026, 3, 11), id="received on a saturday"),
        pytest.param(date(2026, 4, 2), date(2026, 4, 8), id="easter monday does not count, good friday does"),
        pytest.param(date(2026, 12, 23), date(2026, 12, 29), id="both days of christmas do not count"),
        pytest.param(date(2027, 12, 30), date(2028, 1, 4), id="over the year: new year's day is a saturday"),
        pytest.param(date(2026, 4, 24), date(2026, 4, 30), id="king's day does not count"),
        pytest.param(date(2030, 5, 3), date(2030, 5, 8), id="liberation day in a lustrum year, on a sunday"),
        pytest.param(
            date(2025, 5, 2), date(2025, 5, 8), id="liberation day in a lustrum year does not count"
        ),
        pytest.param(date(2026, 5, 4), date(2026, 5, 7), id="liberation day in another year counts"),
    ],
)
def test_in_a_crisis_contact_is_due_in_three_working_days(received_on: date, due_on: date) -> None:
    assert contact_due_on(received_on, crisis=True, policy=POLICY) == due_on


def test_a_verification_is_due_in_fourteen_days_and_with_the_same_name_at_once() -> None:
    assert verify_due_on(date(2026, 3, 2), named=False, policy=POLICY) == date(2026, 3, 16)
    assert verify_due_on(date(2026, 3, 2), named=True, policy=POLICY) == date(2026, 3, 2)


def test_good_friday_is_a_working_day_and_ascension_day_is_not() -> None:
    assert is_working_day(date(2026, 4, 3))
    assert not is_working_day(date(2026, 5, 14))


def test_no_working_days_on_is_the_day_itself() -> None:
    assert working_days_after(date(2026, 3, 7), 0) == date(2026, 3, 7)
