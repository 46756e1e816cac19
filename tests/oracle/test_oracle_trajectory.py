"""Domain 8.3 to 8.5 and the folding of design 2: services, exits and what runs."""

import itertools

import pytest

from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA_AT_HOME,
    BRAM,
    BRAM_AT_HOME,
    applied,
    event,
    exited,
    outcome,
    reason,
    signal,
)

RUNNING, WITHIN, EXITED = "RUNNING_TRAJECTORY", "COMPLETED_WITHIN_WINDOW", "EXIT_NOT_COMPLETED"
START, END = "2025-01-10", "2025-03-01"


@pytest.mark.parametrize("exit_reason", ["COMPLETED", "NO_SHOW", "OTHER"])
@pytest.mark.parametrize(
    ("opening", "more", "expected", "state"),
    [
        ("AFTERCARE_STARTED", {}, "OPEN_AFTERCARE", "AFTERCARE"),
        ("MONITORING_STARTED", {}, "OPEN_SERVICE", "MONITORING"),
        ("SERVICE_OPENED", {"service": "BUDGET_MANAGEMENT"}, "OPEN_SERVICE", "SERVICE_OPEN"),
    ],
)
def test_what_is_open_hits_however_long_after_the_exit_and_whatever_its_reason(
    exit_reason: str, opening: str, more: dict[str, str], expected: str, state: str
) -> None:
    found = outcome(
        applied(START),
        event(opening, "2025-02-01", 2, **more),
        exited(END, reason=exit_reason),
        signal("2027-06-02"),
    )
    assert (found.reason, found.trajectory_state) == (expected, state)


def test_of_aftercare_and_a_service_both_open_aftercare_is_named() -> None:
    lines = (
        applied(START),
        event("SERVICE_OPENED", "2025-02-01", 2, service="BUDGET_COACHING"),
        event("AFTERCARE_STARTED", END, 3),
        exited(END),
    )
    assert reason(*lines, signal("2025-06-02")) == "OPEN_AFTERCARE"


def test_of_monitoring_and_a_service_both_open_the_state_is_monitoring() -> None:
    lines = (
        applied(START),
        event("SERVICE_OPENED", "2025-02-01", 2, service="BUDGET_COACHING"),
        event("MONITORING_STARTED", END, 3),
        exited(END),
    )
    assert outcome(*lines, signal("2026-06-02")).trajectory_state == "MONITORING"


@pytest.mark.parametrize(
    ("received", "expected"), [("2026-01-31", "OPEN_AFTERCARE"), ("2026-02-01", "COMPLETED_OUTSIDE_WINDOW")]
)
def test_the_last_day_of_an_open_item_belongs_to_it(received: str, expected: str) -> None:
    lines = (
        applied(START),
        exited(END),
        event("AFTERCARE_STARTED", END, 60),
        event("AFTERCARE_ENDED", "2026-01-31", 61),
    )
    assert reason(*lines, signal(received)) == expected


def test_opened_closed_and_opened_again_keeps_both_periods() -> None:
    lines = [applied(START), exited(END)]
    days = ["2025-10-01", "2025-10-10", "2025-11-01", "2025-11-10"]
    for number, day in enumerate(days):
        kind = "SERVICE_CLOSED" if number % 2 else "SERVICE_OPENED"
        lines.append(event(kind, day, 60 + number, service="BUDGET_COACHING"))
    hits = {day: reason(*lines, signal(day)) for day in [*days, "2025-10-20", "2025-11-20"]}
    assert hits == dict.fromkeys(days, "OPEN_SERVICE") | {
        "2025-10-20": "COMPLETED_OUTSIDE_WINDOW",
        "2025-11-20": "COMPLETED_OUTSIDE_WINDOW",
    }


def test_each_kind_of_service_has_periods_of_its_own() -> None:
    lines = (
        applied(START),
        exited(END),
        event("SERVICE_OPENED", END, 60, service="BUDGET_COACHING"),
        event("SERVICE_OPENED", END, 61, service="BUDGET_GUIDANCE"),
        event("SERVICE_CLOSED", "2025-04-01", 62, service="BUDGET_COACHING"),
    )
    assert reason(*lines, signal("2026-06-02")) == "OPEN_SERVICE"


@pytest.mark.parametrize(
    "exit_reason", ["SELF", "WITHDRAWN", "NO_SHOW", "NOT_SUITABLE", "NOT_ELIGIBLE", "MOVED", "OTHER"]
)
def test_any_exit_but_completed_goes_to_the_regular_flow(exit_reason: str) -> None:
    found = outcome(applied(START), exited(END, reason=exit_reason), signal("2025-03-02"))
    assert (found.route, found.reason, found.trajectory_id) == ("REGULAR_FLOW", EXITED, None)


def test_a_refused_intake_is_no_trajectory() -> None:
    lines = applied(START), event("REFUSED", "2025-02-01", 2)
    assert reason(*lines, signal("2025-01-31")) == RUNNING
    assert reason(*lines, signal("2025-02-01")) == "ADMISSION_REFUSED"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2025-01-09", "NO_TRAJECTORY"),
        ("2025-01-10", RUNNING),
        ("2025-02-28", RUNNING),
        ("2025-03-01", WITHIN),
    ],
)
def test_running_is_from_the_application_to_the_day_before_the_exit(received: str, expected: str) -> None:
    assert reason(applied(START), exited(END), signal(received)) == expected


def test_the_exit_that_counts_is_the_last_one_on_or_before_the_day_of_receipt() -> None:
    lines = (
        applied(START),
        exited(END, 10),
        event("REOPENED", "2025-05-01", 11),
        exited("2025-06-01", 12, "NO_SHOW"),
    )
    assert reason(*lines, signal("2025-04-30")) == WITHIN
    assert reason(*lines, signal("2025-05-01")) == RUNNING
    assert reason(*lines, signal("2025-06-01")) == EXITED


def test_a_repeated_exit_replaces_the_one_that_stands_with_its_reason() -> None:
    lines = applied(START), exited(END, 10, "NO_SHOW"), exited("2025-03-05", 11)
    assert reason(*lines, signal("2025-03-04")) == RUNNING
    assert reason(*lines, signal("2025-03-05")) == WITHIN


def test_an_exit_dated_before_the_open_period_mends_the_last_closed_one() -> None:
    lines = (
        applied(START),
        exited(END, 10, "NO_SHOW"),
        event("REOPENED", "2025-05-01", 11),
        exited("2025-03-10", 12),
    )
    assert reason(*lines, signal("2025-03-05")) == RUNNING
    assert reason(*lines, signal("2025-03-10")) == WITHIN
    assert reason(*lines, signal("2026-05-01")) == RUNNING


def test_a_second_application_only_dates_the_first_period() -> None:
    lines = applied(START), exited(END), applied("2025-02-01", sequence=60, event_id="again")
    assert reason(*lines, signal("2025-01-31")) == "NO_TRAJECTORY"
    assert reason(*lines, signal("2025-02-01")) == RUNNING
    assert reason(*lines, signal("2025-03-01")) == WITHIN


def test_without_application_there_is_no_trajectory() -> None:
    assert (
        reason(event("CLIENT_CHANGED", START, 1, clients=[ANNA_AT_HOME]), signal("2025-03-02"))
        == "NO_TRAJECTORY"
    )


def test_withdrawn_in_error_ends_the_trajectory_unless_an_application_follows_it() -> None:
    withdrawn = event("WITHDRAWN_IN_ERROR", "2025-02-01", 5)
    assert reason(applied(START), withdrawn, signal("2025-03-02")) == "NO_TRAJECTORY"
    again = applied(START, sequence=6, event_id="again")
    assert reason(applied(START), withdrawn, again, signal("2025-03-02")) == RUNNING
    same_sequence = applied(START, sequence=5, event_id="again")
    assert reason(applied(START), withdrawn, same_sequence, signal("2025-03-02")) == "NO_TRAJECTORY"


def test_erased_absorbs_whatever_its_sequence() -> None:
    erased = event("ERASED", "2025-02-01", 0)
    later = applied(START, sequence=9, event_id="again")
    assert reason(applied(START), erased, later, signal("2025-03-02")) == "NO_TRAJECTORY"
    assert reason(erased, applied(START), later, signal("2025-03-02")) == "NO_TRAJECTORY"


def test_the_fold_is_the_same_for_every_order_and_every_repetition() -> None:
    events = [
        applied(START),
        exited(END, 10),
        event("REOPENED", "2025-05-01", 11),
        exited("2025-06-01", 12),
        event("AFTERCARE_STARTED", "2025-06-01", 13),
    ]
    reasons = {reason(*order, events[2], signal("2025-06-05")) for order in itertools.permutations(events)}
    assert reasons == {"OPEN_AFTERCARE"}


def test_of_two_events_with_one_id_the_first_recorded_counts_whatever_came_first() -> None:
    early = exited(END, 10, recorded_at="2025-03-01T08:00:00Z")
    late = exited(END, 10, "NO_SHOW", recorded_at="2025-03-01T09:00:00Z")
    for order in ((early, late), (late, early)):
        assert reason(applied(START), *order, signal("2025-03-02")) == WITHIN


def _couple(*more: Line) -> list[Line]:
    return [applied(START, ANNA_AT_HOME, BRAM_AT_HOME), *more]


def test_a_client_left_out_ends_that_day() -> None:
    lines = _couple(event("CLIENT_CHANGED", END, 2, clients=[ANNA_AT_HOME]))
    about_bram = {"bsn": BRAM}
    assert outcome(*lines, signal("2025-03-01", about_bram)).client == 1
    assert reason(*lines, signal("2025-03-01", about_bram)) == RUNNING
    assert reason(*lines, signal("2025-03-02", about_bram)) == EXITED
    assert reason(*lines, signal("2025-03-02")) == RUNNING


def test_an_exit_counts_only_for_whom_took_part_that_day() -> None:
    lines = _couple(event("CLIENT_CHANGED", END, 2, clients=[ANNA_AT_HOME]), exited("2025-04-01"))
    assert reason(*lines, signal("2025-05-01")) == WITHIN
    assert reason(*lines, signal("2025-05-01", {"bsn": BRAM})) == EXITED


def test_a_client_listed_again_takes_part_again_from_that_day() -> None:
    lines = _couple(
        event("CLIENT_CHANGED", END, 2, clients=[ANNA_AT_HOME]),
        event("CLIENT_CHANGED", "2025-05-01", 3, clients=[ANNA_AT_HOME, BRAM_AT_HOME]),
    )
    assert reason(*lines, signal("2025-04-30", {"bsn": BRAM})) == EXITED
    assert reason(*lines, signal("2025-05-01", {"bsn": BRAM})) == RUNNING


def test_an_exit_that_names_one_of_two_leaves_the_other_running() -> None:
    lines = _couple(exited(END, clients=[BRAM_AT_HOME]))
    assert reason(*lines, signal("2025-05-01", {"bsn": BRAM})) == WITHIN
    assert reason(*lines, signal("2025-05-01")) == RUNNING


def test_an_exit_without_names_is_everyones() -> None:
    lines = _couple(exited(END))
    assert {reason(*lines, signal("2025-05-01", {"bsn": b})) for b in (BRAM, ANNA_AT_HOME["bsn"])} == {WITHIN}
