"""Which exits count, and when a trajectory runs (domain 8.4, 8.5)."""

import pytest
from signaalwissel.schemas.routing import Route, TrueReason

from tests.processors.given import (
    Story,
    applied,
    completed,
    decision,
    event,
    exited,
    policy_with,
    refused,
    reopened,
    signal,
)

INSIDE, OUTSIDE = TrueReason.COMPLETED_WITHIN_WINDOW, TrueReason.COMPLETED_OUTSIDE_WINDOW
RUNNING, NOBODY = TrueReason.RUNNING_TRAJECTORY, TrueReason.NO_TRAJECTORY
NOT_COMPLETED, REFUSED = TrueReason.EXIT_NOT_COMPLETED, TrueReason.ADMISSION_REFUSED
OTHERS = ("SELF", "WITHDRAWN", "NO_SHOW", "NOT_SUITABLE", "NOT_ELIGIBLE", "MOVED", "OTHER")
NOW = signal(on="2026-02-20")


def test_a_completed_trajectory_counts() -> None:
    assert decision(completed(on="2026-01-15"), NOW).reason is INSIDE


@pytest.mark.parametrize("reason", OTHERS)
def test_any_other_exit_goes_to_the_regular_flow_with_the_reason_in_the_audit_trail(reason: str) -> None:
    found = decision(completed(on="2026-01-15", reason=reason), NOW)
    assert (found.route, found.reason) == (Route.REGULAR_FLOW, NOT_COMPLETED)
    assert (found.trajectory_id, found.client, found.window_ends_on) == ("T1", 0, None)


def test_the_reasons_that_count_are_a_setting() -> None:
    policy = policy_with(window={"reasons_that_count": ["MOVED"]})
    assert decision(completed(on="2026-01-15", reason="MOVED"), NOW, policy).reason is INSIDE
    assert decision(completed(on="2026-01-15"), NOW, policy).reason is NOT_COMPLETED


@pytest.mark.parametrize(
    ("given", "then"),
    [
        pytest.param(
            [*applied("2026-01-10"), *refused("2026-02-10")], REFUSED, id="refused is no trajectory"
        ),
        pytest.param(
            [*applied("2026-01-10"), *refused("2026-02-21")],
            RUNNING,
            id="refused after the signal: ran till then",
        ),
        pytest.param(
            [*applied("2026-01-10"), *refused("2026-02-20")], REFUSED, id="the day of refusal no longer runs"
        ),
        pytest.param(
            [*applied("2026-01-10"), *refused("2026-02-01"), *reopened("2026-02-05")],
            RUNNING,
            id="refused and taken up again",
        ),
        pytest.param([*applied("2026-02-20")], RUNNING, id="running from the day of application"),
        pytest.param([*applied("2026-02-21")], NOBODY, id="not before it"),
        pytest.param(completed(on="2026-02-21"), RUNNING, id="running to the day before the exit"),
        pytest.param(completed(on="2026-02-20"), INSIDE, id="the exit day belongs to what follows"),
        pytest.param(
            completed(on="2026-02-20", reason="SELF"),
            NOT_COMPLETED,
            id="also where what follows is the regular flow",
        ),
        pytest.param(
            [*completed(on="2025-11-01"), *reopened("2026-01-01")], RUNNING, id="reopened runs again"
        ),
        pytest.param(
            [*completed(on="2025-11-01"), *reopened("2026-03-01")], INSIDE, id="reopened after the signal"
        ),
        pytest.param(
            [*completed(on="2025-11-01"), *reopened("2026-01-01"), *exited("2026-01-20", "NO_SHOW")],
            NOT_COMPLETED,
            id="the last exit counts",
        ),
        pytest.param(
            [*completed(on="2025-11-01"), *reopened("2026-02-25"), *exited("2026-03-20", "NO_SHOW")],
            INSIDE,
            id="of those on or before the day of receipt",
        ),
        pytest.param(
            [*applied("2025-01-10"), *exited("2025-11-01", "NO_SHOW"), *exited("2026-01-05", "COMPLETED")],
            INSIDE,
            id="a second exit mends the first",
        ),
        pytest.param(
            [*completed(on="2025-11-01"), *reopened("2026-01-01"), *exited("2025-12-01", "SELF")],
            RUNNING,
            id="an exit dated before the reopening mends the exit before it",
        ),
        pytest.param(
            [*completed(on="2025-03-01"), *reopened("2026-02-25"), *exited("2025-12-01")],
            INSIDE,
            id="and that exit is the one that counts",
        ),
        pytest.param(
            [*applied("2026-01-10"), *applied("2026-02-25")],
            NOBODY,
            id="a second application dates the first anew",
        ),
        pytest.param(
            [*completed(on="2025-12-01"), *reopened("2026-01-10"), *reopened("2026-02-25")],
            INSIDE,
            id="a second reopening dates the first anew",
        ),
        pytest.param(
            [*exited("2026-01-10", sequence=1), *applied("2025-01-10", sequence=2)],
            RUNNING,
            id="an exit before the application in the order of the case system ends nothing",
        ),
        pytest.param(
            [*completed(on="2025-12-01"), *reopened("2025-12-01"), *exited("2025-12-01", "SELF")],
            NOT_COMPLETED,
            id="two exits on one day: that of the later period counts",
        ),
        pytest.param(
            [*applied("2026-01-10"), *event("ADMITTED", "2026-01-20"), *event("PLAN_ADOPTED", "2026-02-01")],
            RUNNING,
            id="what happens along the way changes nothing",
        ),
        pytest.param(
            [*event("ADMITTED", "2026-01-20")], NOBODY, id="without an application there is no trajectory"
        ),
    ],
)
def test_running_and_the_exit_that_counts(given: Story, then: TrueReason) -> None:
    assert decision(given, NOW).reason is then
