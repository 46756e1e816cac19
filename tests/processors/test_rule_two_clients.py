"""A trajectory of two: who is a client when, and whose the exit is (domain 8.5, 8.6; design 2)."""

import pytest
from signaalwissel.schemas.routing import TrueReason

from tests.processors.given import (
    ANNA,
    BRAM,
    Line,
    Story,
    by_bsn,
    client_changed,
    decision,
    event,
    exited,
    reopened,
    running,
    service_opened,
    signal,
)

RUNNING = TrueReason.RUNNING_TRAJECTORY
WINDOW, NOT_COMPLETED = TrueReason.COMPLETED_WITHIN_WINDOW, TrueReason.EXIT_NOT_COMPLETED
COUPLE = running("2025-01-10", ANNA, BRAM)
ALONE = running("2025-01-10", ANNA)


def hers(on: str = "2026-02-20") -> Line:
    return signal(on=on)


def his(on: str = "2026-02-20") -> Line:
    return signal(on=on, about=by_bsn(BRAM))


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(COUPLE, his(), RUNNING, id="it runs for both"),
        pytest.param([*COUPLE, *exited("2026-01-10")], his(), WINDOW, id="it ends for both"),
        pytest.param(
            [*COUPLE, *exited("2026-01-10", clients=[ANNA])], hers(), WINDOW, id="or for who is named"
        ),
        pytest.param(
            [*COUPLE, *exited("2026-01-10", clients=[ANNA])], his(), RUNNING, id="and not for the other"
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA)],
            his("2026-01-10"),
            RUNNING,
            id="left out: the last day counts",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA)],
            his("2026-01-11"),
            NOT_COMPLETED,
            id="the day after does not",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA)], hers(), RUNNING, id="for the other it runs on"
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA), *exited("2026-01-20")],
            his(),
            NOT_COMPLETED,
            id="an exit after he left is not his",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA), *exited("2026-01-10")],
            his(),
            WINDOW,
            id="an exit on his last day is",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA), *client_changed("2026-02-01", ANNA, BRAM)],
            his(),
            RUNNING,
            id="listed again: a client again",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA), *client_changed("2026-02-21", ANNA, BRAM)],
            his(),
            NOT_COMPLETED,
            id="from that day",
        ),
        pytest.param(
            [*ALONE, *client_changed("2026-02-21", ANNA, BRAM)],
            his(),
            RUNNING,
            id="whoever joins later counts from the beginning",
        ),
        pytest.param(
            [*COUPLE, *client_changed("2026-01-10", ANNA), *client_changed("2026-01-20", ANNA)],
            his("2026-01-15"),
            NOT_COMPLETED,
            id="left out twice: the first time counts",
        ),
        pytest.param(
            [
                *COUPLE,
                *exited("2025-06-01"),
                *service_opened("2025-06-01"),
                *client_changed("2026-01-10", ANNA),
            ],
            his(),
            TrueReason.COMPLETED_OUTSIDE_WINDOW,
            id="an open service is no longer his",
        ),
        pytest.param(
            [*COUPLE, *exited("2025-06-01"), *event("AFTERCARE_STARTED", "2025-06-01")],
            his(),
            TrueReason.OPEN_AFTERCARE,
            id="aftercare is for both",
        ),
        pytest.param(
            [*COUPLE, *exited("2025-06-01", clients=[BRAM]), *reopened("2026-01-10")],
            his(),
            RUNNING,
            id="a reopening is for both",
        ),
    ],
)
def test_whose_trajectory_it_is(given: Story, when: Line, then: TrueReason) -> None:
    assert decision(given, when).reason is then


def test_the_routing_says_whose_arrears_they_are() -> None:
    assert [decision(COUPLE, when).client for when in (hers(), his())] == [0, 1]
