"""The folding of design 2 in its corners: exits and periods that overlap, addresses that are mended, who is named."""

from datetime import date
from typing import Any

import pytest

from tests.oracle import final_outcomes, refused
from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA,
    ANNA_AT_HOME,
    AWAY,
    BORN,
    BORN_TOO,
    BRAM,
    BRAM_AT_HOME,
    HIT,
    HOME,
    applied,
    event,
    exited,
    outcome,
    reason,
    signal,
)

START = "2025-01-10"
THIRD = {"postcode": "1013EF", "house_number": 1}
RUNNING, WITHIN, EXITED = "RUNNING_TRAJECTORY", "COMPLETED_WITHIN_WINDOW", "EXIT_NOT_COMPLETED"


def _change(on: str, sequence: int, *clients: dict[str, Any]) -> Line:
    return event("CLIENT_CHANGED", on, sequence, clients=list(clients))


def _anna_at(*places: dict[str, Any]) -> dict[str, Any]:
    anna: dict[str, Any] = {"bsn": ANNA, "birth_date": BORN}
    for place in places:
        anna |= place
    return anna


def _lived(lines: list[Line], place: dict[str, Any], *days: str) -> list[bool]:
    about = {**place, "birth_date": BORN}
    return [outcome(*lines, signal(day, about)).route == HIT for day in days]


def test_of_overlapping_periods_the_latest_end_counts() -> None:
    lines = (
        applied(START),
        exited("2025-06-01", 10),
        event("REOPENED", "2025-02-01", 11),
        exited("2025-03-01", 12, "NO_SHOW"),
    )
    assert reason(*lines, signal("2025-07-01")) == WITHIN


def test_of_two_ends_on_one_day_the_later_periods_counts() -> None:
    lines = (
        applied(START),
        exited("2025-03-01", 10),
        event("REOPENED", "2025-03-01", 11),
        exited("2025-03-01", 12, "NO_SHOW"),
    )
    assert reason(*lines, signal("2025-07-01")) == EXITED


def test_an_exit_on_the_day_of_reopening_closes_the_reopened_period() -> None:
    lines = (
        applied(START),
        exited("2025-03-01", 10, "NO_SHOW"),
        event("REOPENED", "2025-05-01", 11),
        exited("2025-05-01", 12),
    )
    assert reason(*lines, signal("2025-04-30")) == EXITED
    assert reason(*lines, signal("2025-05-01")) == WITHIN


def test_an_exit_before_the_only_application_closes_it() -> None:
    assert reason(applied(START), exited("2025-01-05"), signal("2025-01-20")) == WITHIN


def test_an_end_without_any_beginning_is_ignored() -> None:
    lines = exited("2025-02-01", 0), event("AFTERCARE_ENDED", "2025-02-01", 2), applied(START)
    assert reason(*lines, signal("2025-03-01")) == RUNNING


def test_a_repeated_beginning_replaces_the_one_that_stands() -> None:
    lines = (
        applied(START),
        exited("2025-01-20", reason="OTHER"),
        event("MONITORING_STARTED", "2025-02-01", 60),
        event("MONITORING_STARTED", "2025-03-01", 61),
    )
    assert reason(*lines, signal("2025-02-15")) == EXITED
    assert reason(*lines, signal("2025-03-01")) == "OPEN_SERVICE"


def test_a_recorded_death_outlasts_a_reopening() -> None:
    lines = applied(START), exited("2025-03-01", 10, "DECEASED"), event("REOPENED", "2025-05-01", 11)
    assert reason(*lines, signal("2025-06-02")) == "DECEASED"


def test_a_death_that_is_mended_into_another_exit_is_none() -> None:
    lines = applied(START), exited("2025-03-01", 10, "DECEASED"), exited("2025-03-01", 11)
    assert reason(*lines, signal("2025-06-02")) == WITHIN


def test_one_of_two_is_named_by_birth_date_where_there_is_no_bsn() -> None:
    lines = [
        applied(START, ANNA_AT_HOME, BRAM_AT_HOME),
        exited("2025-03-01", reason="DECEASED", clients=[{**HOME, "birth_date": BORN_TOO}]),
    ]
    assert reason(*lines, signal()) == RUNNING
    assert reason(*lines, signal(subject={"bsn": BRAM})) == "DECEASED"


def test_a_list_that_matches_nobody_concerns_nobody() -> None:
    lines = [
        applied(START, ANNA_AT_HOME, BRAM_AT_HOME),
        exited("2025-03-01", clients=[{**HOME, "birth_date": "1970-01-01"}]),
        event("OBJECTION_LODGED", "2025-03-01", 60, clients=[HOME]),
    ]
    assert {reason(*lines, signal(subject={"bsn": bsn})) for bsn in (ANNA, BRAM)} == {RUNNING}


def test_who_leaves_only_after_the_signal_or_never_ran_has_no_exit() -> None:
    about_bram = {"bsn": BRAM}
    couple = applied("2025-06-01", ANNA_AT_HOME, BRAM_AT_HOME)
    later = _change("2025-07-01", 2, ANNA_AT_HOME)
    assert reason(couple, later, signal("2025-05-01", about_bram)) == "NO_TRAJECTORY"
    before = _change("2025-05-01", 2, ANNA_AT_HOME)
    assert reason(couple, before, signal("2025-07-01", about_bram)) == "NO_TRAJECTORY"


def test_who_was_left_out_stays_out_from_the_first_such_day() -> None:
    lines = [
        applied(START, ANNA_AT_HOME, BRAM_AT_HOME),
        _change("2025-02-01", 2, ANNA_AT_HOME),
        _change("2025-04-01", 3, {**ANNA_AT_HOME, **AWAY}),
    ]
    assert reason(*lines, signal("2025-03-01", {"bsn": BRAM})) == EXITED
    assert reason(*lines, signal("2025-03-01", {**HOME, "birth_date": BORN_TOO})) == "NO_TRAJECTORY"
    assert reason(*lines, signal("2025-02-01", {**HOME, "birth_date": BORN_TOO})) == RUNNING


def test_a_client_listed_without_address_lives_nowhere_from_that_day() -> None:
    lines = [applied(START, _anna_at(HOME)), _change("2025-03-01", 2, {"bsn": ANNA})]
    assert _lived(lines, HOME, "2025-03-01", "2025-03-02") == [True, False]


def test_an_address_after_a_time_without_begins_that_day() -> None:
    lines = [
        applied(START, _anna_at(HOME)),
        _change("2025-02-01", 2, {"bsn": ANNA}),
        _change("2025-03-01", 3, _anna_at(HOME)),
    ]
    assert _lived(lines, HOME, "2025-02-01", "2025-02-15", "2025-03-01") == [True, False, True]


def test_the_same_address_told_earlier_moves_its_begin() -> None:
    lines = [
        applied(START, _anna_at(HOME)),
        _change("2025-03-01", 2, _anna_at(AWAY)),
        _change("2025-02-20", 3, _anna_at(AWAY)),
        _change("2025-04-01", 4, _anna_at(AWAY)),
    ]
    assert _lived(lines, HOME, "2025-02-20", "2025-02-21") == [True, False]
    assert _lived(lines, AWAY, "2025-02-19", "2025-02-20", "2025-05-01") == [False, True, True]


def test_two_moves_on_one_day_leave_the_second() -> None:
    lines = [
        applied(START, _anna_at(HOME)),
        _change("2025-03-01", 2, _anna_at(AWAY)),
        _change("2025-03-01", 3, _anna_at(THIRD)),
    ]
    assert _lived(lines, HOME, "2025-03-01", "2025-03-02") == [True, False]
    assert _lived(lines, AWAY, "2025-03-01") == [False]
    assert _lived(lines, THIRD, "2025-02-28", "2025-03-01") == [False, True]


def test_a_move_dated_back_ends_the_address_before_it_that_day_even_after_a_time_without() -> None:
    lines = [
        applied(START, _anna_at(HOME)),
        _change("2025-02-01", 2, {"bsn": ANNA}),
        _change("2025-03-01", 3, _anna_at(AWAY)),
        _change("2025-02-15", 4, _anna_at(AWAY)),
    ]
    assert _lived(lines, HOME, "2025-02-15", "2025-02-16") == [True, False]
    assert _lived(lines, AWAY, "2025-02-14", "2025-02-15") == [False, True]


def test_an_application_told_again_after_a_change_is_a_move() -> None:
    lines = [
        applied(START, _anna_at(HOME)),
        _change("2025-03-01", 2, _anna_at(AWAY)),
        applied("2025-04-01", _anna_at(THIRD), sequence=3),
        exited("2025-12-01"),
    ]
    about = {**AWAY, "birth_date": BORN}
    assert reason(*lines, signal("2025-04-01", about)) == RUNNING
    assert reason(*lines, signal("2025-04-02", about)) == "NO_TRAJECTORY"


@pytest.mark.parametrize(
    ("since", "expected"),
    [("2024-12-01", "BEFORE_ADMISSION"), ("2025-04-01", "AFTER_EXIT"), ("2025-05-15", "AFTER_ADMISSION")],
)
def test_a_debt_in_the_reopened_period_is_not_after_the_exit(since: str, expected: str) -> None:
    lines = (
        applied(START),
        event("ADMITTED", "2025-02-01", 2),
        exited("2025-03-01", 3),
        event("REOPENED", "2025-05-01", 4),
    )
    found = outcome(*lines, signal("2025-06-02", arrears_since=since))
    assert (found.debt_timing, found.window_ends_on) == (expected, date(2025, 9, 1))


def test_a_person_with_two_birth_dates_is_found_by_either_and_never_dateless() -> None:
    lines = [
        applied(START, trajectory_id="T1"),
        applied(START, {"bsn": ANNA, **HOME}, trajectory_id="T2", event_id="second"),
    ]
    assert outcome(*lines, signal(subject={**HOME, "birth_date": BORN})).route == HIT
    assert reason(*lines, signal(subject={**HOME, "birth_date": BORN_TOO})) == "NO_TRAJECTORY"


def test_that_a_trajectory_ever_had_two_clients_is_enough_to_demand_a_name() -> None:
    nameless = event("OBJECTION_LODGED", "2025-03-01", 3)
    lines = [applied(START, ANNA_AT_HOME, BRAM_AT_HOME), _change("2025-02-01", 2, ANNA_AT_HOME), nameless]
    assert refused(lines) == [(2, "MISSING_FIELD", "clients")]


def test_old_lines_do_not_set_the_clock_back() -> None:
    """The event came when the clock stood at 2 June; 20 June is within its 30 days."""
    waiting = exited("2025-02-01")
    assert refused([signal("2025-06-02"), waiting, signal("2025-06-20", signal_id="S2")]) == []
    assert len(refused([signal("2025-06-02"), waiting, signal("2025-07-03", signal_id="S2")])) == 1


def test_a_moment_out_of_bounds_does_not_move_the_clock() -> None:
    lines = [exited("2025-02-01"), signal("3000-01-01"), signal("2025-02-20")]
    assert refused(lines) == [(1, "INVALID_FIELD", "received_at")]


@pytest.mark.parametrize(("born", "accepted"), [("1900-01-01", 1), ("2999-12-31", 1), ("3000-01-01", 0)])
def test_dates_run_from_1900_to_2999(born: str, accepted: int) -> None:
    assert len(final_outcomes([signal(subject={**HOME, "birth_date": born})])) == accepted
