"""How beginnings and ends fold into what lasted when (design 2)."""

from datetime import date
from itertools import permutations

import pytest
from signaalwissel.processors.periods import Days, Period, PeriodFold, overlap
from signaalwissel.schemas.trajectory import ExitReason

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))
DONE, SELF = ExitReason.COMPLETED, ExitReason.SELF


def folded(*steps: tuple[str, date]) -> list[tuple[date, date | None]]:
    fold = PeriodFold()
    for step, day in steps:
        getattr(fold, step)(day)
    return [(period.begin, period.end) for period in fold.periods()]


@pytest.mark.parametrize(
    ("steps", "then"),
    [
        pytest.param([("begin", MARCH)], [(MARCH, None)], id="a beginning opens"),
        pytest.param([("begin", MARCH), ("begin", APRIL)], [(APRIL, None)], id="a second one replaces it"),
        pytest.param([("begin", MARCH), ("end", APRIL)], [(MARCH, APRIL)], id="an end closes"),
        pytest.param([("end", APRIL)], [], id="an end without a beginning is nothing"),
        pytest.param(
            [("begin", MARCH), ("end", MAY), ("end", APRIL)], [(MARCH, APRIL)], id="a second end replaces it"
        ),
        pytest.param(
            [("begin", MARCH), ("end", APRIL), ("begin", MAY)],
            [(MARCH, APRIL), (MAY, None)],
            id="opened again",
        ),
        pytest.param(
            [("begin", MARCH), ("end", JUNE), ("begin", MAY), ("end", APRIL)],
            [(MARCH, APRIL), (MAY, None)],
            id="an end before the open beginning mends the last closed period",
        ),
        pytest.param(
            [("begin", MAY), ("end", APRIL)], [(MAY, APRIL)], id="without one it closes the open period"
        ),
        pytest.param([("begin_first", MARCH)], [(MARCH, None)], id="an application opens"),
        pytest.param(
            [("begin_first", MAY), ("end", JUNE), ("begin_first", MARCH)],
            [(MARCH, JUNE)],
            id="a second application dates the first period",
        ),
    ],
)
def test_fold(steps: list[tuple[str, date]], then: list[tuple[date, date | None]]) -> None:
    assert folded(*steps) == then


def test_a_replaced_end_replaces_the_reason_too() -> None:
    fold = PeriodFold()
    fold.begin(MARCH)
    fold.end(APRIL, DONE)
    assert fold.ended_by(DONE)
    fold.end(MAY, SELF)
    assert fold.periods() == (Period(MARCH, MAY, SELF),)
    assert not fold.ended_by(DONE)


def test_nothing_ended_for_any_reason() -> None:
    fold = PeriodFold()
    fold.begin(MARCH)
    assert not fold.ended_by(DONE)


def test_the_last_day_belongs_to_a_service_and_not_to_running() -> None:
    period = Period(MARCH, APRIL)
    assert period.through_end() == Days(MARCH, APRIL)
    assert period.before_end() == Days(MARCH, date(2026, 3, 31))
    assert Period(MARCH).before_end() == Period(MARCH).through_end() == Days(MARCH, None)


@pytest.mark.parametrize(
    ("stretches", "then"),
    [
        pytest.param([], Days(None, None), id="nothing narrows all days"),
        pytest.param([Days(MARCH, MAY), Days(APRIL, JUNE)], Days(APRIL, MAY), id="the days in common"),
        pytest.param([Days(MARCH, APRIL), Days(APRIL, None)], Days(APRIL, APRIL), id="one day is enough"),
        pytest.param([Days(MARCH, APRIL), Days(MAY, None)], None, id="none"),
        pytest.param([Days(MAY, APRIL)], None, id="an end before its beginning is no day"),
        pytest.param(
            [Days(None, APRIL), Days(MARCH, None), Days(None, None)], Days(MARCH, APRIL), id="open ends"
        ),
        pytest.param([Days(MARCH, MAY), Days(APRIL, APRIL), Days(MAY, JUNE)], None, id="all three or none"),
    ],
)
def test_overlap(stretches: list[Days], then: Days | None) -> None:
    for order in permutations(stretches):
        assert overlap(order) == then


def test_meeting_is_mutual() -> None:
    assert Days(MARCH, APRIL).meet(Days(APRIL, None))
    assert not Days(MAY, None).meet(Days(MARCH, APRIL))
