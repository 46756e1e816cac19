"""Open aftercare and open services hit however long after the exit (domain 8.3)."""

import pytest
from signaalwissel.schemas.routing import TrajectoryStanding, TrueReason

from tests.processors.given import (
    Line,
    Story,
    applied,
    completed,
    decision,
    event,
    refused,
    service_closed,
    service_opened,
    signal,
)

AFTERCARE, SERVICE = TrueReason.OPEN_AFTERCARE, TrueReason.OPEN_SERVICE
MISSED = TrueReason.COMPLETED_OUTSIDE_WINDOW
LONG_AGO = completed(on="2024-03-01", since="2023-01-10")
GAVE_UP = completed(on="2024-03-01", since="2023-01-10", reason="NO_SHOW")
NOW = signal(on="2026-02-20", signalled_on="2026-02-10")
BEGUN = "2024-03-01"


@pytest.mark.parametrize(
    ("given", "then"),
    [
        pytest.param([*LONG_AGO, *event("AFTERCARE_STARTED", BEGUN)], AFTERCARE, id="aftercare"),
        pytest.param(
            [*GAVE_UP, *event("AFTERCARE_STARTED", BEGUN)], AFTERCARE, id="whatever the exit reason"
        ),
        pytest.param([*LONG_AGO, *event("MONITORING_STARTED", BEGUN)], SERVICE, id="monitoring is a service"),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN, "BUDGET_MANAGEMENT")], SERVICE, id="budget management"
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN, "PROTECTIVE_ADMINISTRATION")],
            SERVICE,
            id="protective administration",
        ),
        pytest.param([*LONG_AGO, *service_opened(BEGUN, "BUDGET_COACHING")], SERVICE, id="any guidance"),
        pytest.param(
            [*applied("2023-01-10"), *refused("2023-02-01"), *service_opened("2023-02-01")],
            SERVICE,
            id="a service beside a refused application",
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN), *event("AFTERCARE_STARTED", BEGUN)],
            AFTERCARE,
            id="both open: aftercare is named",
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN), *event("MONITORING_STARTED", BEGUN)],
            SERVICE,
            id="service and monitoring open",
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN), *service_closed("2026-02-10")],
            SERVICE,
            id="its last day is the first of the signal's days",
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN), *service_closed("2026-02-09")],
            MISSED,
            id="closed the day before the signal",
        ),
        pytest.param([*LONG_AGO, *service_opened("2026-02-20")], SERVICE, id="opened on the day of receipt"),
        pytest.param(
            [*LONG_AGO, *service_opened("2026-02-21")], MISSED, id="opened after the day of receipt"
        ),
        pytest.param(
            [
                *LONG_AGO,
                *service_opened(BEGUN, "BUDGET_COACHING"),
                *service_closed(BEGUN, "BUDGET_MANAGEMENT"),
            ],
            SERVICE,
            id="closing one service leaves another open",
        ),
        pytest.param(
            [*LONG_AGO, *event("AFTERCARE_STARTED", BEGUN), *event("AFTERCARE_ENDED", "2026-02-10")],
            AFTERCARE,
            id="the last day of aftercare counts",
        ),
        pytest.param(
            [*LONG_AGO, *event("AFTERCARE_STARTED", BEGUN), *event("AFTERCARE_ENDED", "2026-02-09")],
            MISSED,
            id="aftercare that ended before does not",
        ),
        pytest.param(
            [*LONG_AGO, *event("MONITORING_STARTED", BEGUN), *event("MONITORING_ENDED", "2026-02-09")],
            MISSED,
            id="nor monitoring",
        ),
        pytest.param(
            [*LONG_AGO, *service_closed("2026-02-15")], MISSED, id="closed without ever being opened"
        ),
    ],
)
def test_what_is_open_on_any_of_the_days_hits(given: Story, then: TrueReason) -> None:
    assert decision(given, NOW).reason is then


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(applied(), NOW, TrajectoryStanding.RUNNING, id="running"),
        pytest.param(
            [*LONG_AGO, *event("AFTERCARE_STARTED", BEGUN)], NOW, TrajectoryStanding.AFTERCARE, id="aftercare"
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN), *event("MONITORING_STARTED", BEGUN)],
            NOW,
            TrajectoryStanding.MONITORING,
            id="monitoring before any service",
        ),
        pytest.param(
            [*LONG_AGO, *service_opened(BEGUN)], NOW, TrajectoryStanding.SERVICE_OPEN, id="service alone"
        ),
        pytest.param(completed(on="2026-01-01"), NOW, TrajectoryStanding.WINDOW, id="window"),
        pytest.param(LONG_AGO, NOW, None, id="the regular flow has no standing"),
    ],
)
def test_the_counsellor_reads_what_the_trajectory_was(
    given: Story, when: Line, then: TrajectoryStanding | None
) -> None:
    assert decision(given, when).trajectory_state is then
