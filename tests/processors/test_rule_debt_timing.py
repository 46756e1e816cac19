"""Whether the arrears began before admission, after it, or after the exit (domain 8.19)."""

import pytest
from signaalwissel.schemas.routing import DebtTiming

from tests.processors.given import (
    Story,
    admitted,
    applied,
    completed,
    decision,
    exited,
    reopened,
    running,
    signal,
)

BEFORE, AFTER = DebtTiming.BEFORE_ADMISSION, DebtTiming.AFTER_ADMISSION
AFTER_EXIT, UNKNOWN = DebtTiming.AFTER_EXIT, DebtTiming.UNKNOWN
ADMITTED = [*running(), *admitted("2025-03-01")]
ENDED = [*ADMITTED, *exited("2025-12-01")]
AGAIN = [*ENDED, *reopened("2026-01-10")]


@pytest.mark.parametrize(
    ("given", "arrears_since", "then"),
    [
        pytest.param(ADMITTED, "2025-02-28", BEFORE, id="the day before admission"),
        pytest.param(ADMITTED, "2025-03-01", AFTER, id="the day itself counts as after it"),
        pytest.param(ADMITTED, None, UNKNOWN, id="without a date nobody knows"),
        pytest.param(running(), "2025-03-01", UNKNOWN, id="nor without an admission"),
        pytest.param(
            [*ADMITTED, *admitted("2025-05-01")], "2025-04-01", BEFORE, id="the last admission counts"
        ),
        pytest.param(ENDED, "2025-11-30", AFTER, id="the day before the exit"),
        pytest.param(ENDED, "2025-12-01", AFTER_EXIT, id="the exit day"),
        pytest.param(
            completed(on="2025-12-01"), "2026-01-01", AFTER_EXIT, id="after the exit, without an admission"
        ),
        pytest.param(
            completed(on="2025-12-01"), "2025-06-01", UNKNOWN, id="before the exit, without an admission"
        ),
        pytest.param(AGAIN, "2025-12-15", AFTER_EXIT, id="between exit and reopening"),
        pytest.param(AGAIN, "2026-01-10", AFTER, id="running again on that day"),
        pytest.param(
            [*ADMITTED, *exited("2026-03-01")], "2026-02-01", AFTER, id="an exit after the signal is none yet"
        ),
        pytest.param(applied("2026-01-10"), "2025-12-01", UNKNOWN, id="before the application, not admitted"),
    ],
)
def test_debt_timing(given: Story, arrears_since: str | None, then: DebtTiming) -> None:
    assert decision(given, signal(on="2026-02-20", arrears_since=arrears_since)).debt_timing is then


def test_the_regular_flow_is_not_told() -> None:
    found = decision(completed(on="2025-01-20"), signal(on="2026-02-20", arrears_since="2025-01-15"))
    assert found.debt_timing is None
