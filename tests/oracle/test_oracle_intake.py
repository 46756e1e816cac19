"""Domain 8.15 and 8.16: the same signal again, bad input, and events without their application."""

from typing import Any

import pytest

from tests.oracle import final_outcomes, ignored, refused
from tests.oracle.scenario import (
    ANNA,
    ANNA_AT_HOME,
    BRAM_AT_HOME,
    HIT,
    HOME,
    applied,
    event,
    exited,
    signal,
)


def _fates(*lines: Any) -> tuple[int, list[int], list[tuple[int, str]]]:
    """Accepted signals, ignored lines, refused lines with their code."""
    every = list(lines)
    return len(final_outcomes(every)), ignored(every), [(line, code) for line, code, _ in refused(every)]


def test_the_same_content_within_35_days_is_ignored_and_other_content_refused() -> None:
    assert _fates(signal("2025-06-02"), signal("2025-07-07")) == (1, [1], [])
    other = signal("2025-06-03", arrears="250.01")
    assert _fates(signal("2025-06-02"), other) == (1, [], [(1, "CONFLICTING_RESEND")])


@pytest.mark.parametrize(
    ("received_at", "accepted"), [("2025-07-07T12:00:00Z", 1), ("2025-07-07T12:00:00.001Z", 2)]
)
def test_35_days_are_35_times_24_hours_to_the_millisecond(received_at: str, accepted: int) -> None:
    assert _fates(signal("2025-06-02"), signal(received_at))[0] == accepted


def test_the_period_runs_from_accepted_deliveries_both_ways() -> None:
    """The ignored delivery of July starts no period of its own; August is 61 days after the accepted one."""
    assert _fates(signal("2025-06-02"), signal("2025-07-01"), signal("2025-08-02")) == (2, [1], [])
    assert _fates(signal("2025-06-02"), signal("2025-05-02")) == (1, [1], [])


def test_a_refused_signal_does_not_block_its_mended_delivery() -> None:
    assert _fates(signal(arrears="0.00"), signal()) == (1, [], [(0, "INVALID_FIELD")])


@pytest.mark.parametrize(
    "more", [{"municipality": "0363"}, {"signal_id": "S2"}, {"partner": {"partner_id": "P2", "kind": "RENT"}}]
)
def test_a_signal_is_named_by_municipality_partner_and_number(more: dict[str, Any]) -> None:
    assert _fates(signal(), signal(**more)) == (2, [], [])


def test_an_absent_optional_field_is_the_same_content_as_null() -> None:
    assert _fates(signal(), signal(crisis=False, signalled_on=None, arrears="250"))[1] == [1]


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"subject": {"bsn": "111222334"}}, "INVALID_FIELD", "subject.bsn"),
        ({"subject": {"bsn": ANNA, "postcode": "0123AB"}}, "INVALID_FIELD", "subject.postcode"),
        ({"subject": {**HOME, "house_number": 0}}, "INVALID_FIELD", "subject.house_number"),
        ({"subject": {**HOME, "house_number": 100000}}, "INVALID_FIELD", "subject.house_number"),
        ({"subject": {**HOME, "birth_date": "1899-12-31"}}, "INVALID_FIELD", "subject.birth_date"),
        ({"subject": {"birth_date": "1980-01-01"}}, "MISSING_FIELD", "subject"),
        ({"subject": {"postcode": "1011AB"}}, "MISSING_FIELD", "subject"),
        ({"municipality": "GM0344"}, "INVALID_FIELD", "municipality"),
        ({"arrears": "0.00"}, "INVALID_FIELD", "arrears"),
        ({"arrears": "-1.00"}, "INVALID_FIELD", "arrears"),
        ({"arrears_since": "1899-12-31"}, "INVALID_FIELD", "arrears_since"),
        ({"signalled_on": "2025-06-03"}, "INVALID_FIELD", "signalled_on"),
        ({"signalled_on": "2025-03-31"}, "INVALID_FIELD", "signalled_on"),
        ({"signal_id": ""}, "INVALID_FIELD", "signal_id"),
        ({"signal_id": "x" * 201}, "INVALID_FIELD", "signal_id"),
        ({"received_at": "1899-12-31T00:00:00Z"}, "INVALID_FIELD", "received_at"),
        ({"arrears": "many"}, "UNREADABLE", "arrears"),
        ({"signalled_on": "2025-02-30"}, "UNREADABLE", "signalled_on"),
        ({"partner": {"partner_id": "P1", "kind": "BANK"}}, "UNREADABLE", "partner.kind"),
    ],
)
def test_a_bad_signal_is_refused_with_its_field(more: dict[str, Any], code: str, field: str) -> None:
    assert refused([signal(**more)]) == [(0, code, field)]


@pytest.mark.parametrize(
    "more", [{"signalled_on": "2025-04-01"}, {"signalled_on": "2025-06-02"}, {"signal_id": "x" * 200}]
)
def test_the_bounds_themselves_are_accepted(more: dict[str, Any]) -> None:
    assert refused([signal("2025-06-02", **more)]) == []


def test_a_line_without_value_or_without_a_field_is_refused() -> None:
    lacking = signal()
    del lacking["value"]["received_at"]
    lines = [{"topic": "signals", "value": None}, lacking]
    assert refused(lines) == [(0, "NULL_VALUE", None), (1, "UNREADABLE", "received_at")]


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        (event("APPLIED", "2025-01-10", 1), "MISSING_FIELD", "clients"),
        (event("CLIENT_CHANGED", "2025-01-10", 1), "MISSING_FIELD", "clients"),
        (event("APPLIED", "2025-01-10", 1, clients=[ANNA_AT_HOME] * 3), "INVALID_FIELD", "clients"),
        (event("EXITED", "2025-01-10", 1), "MISSING_FIELD", "exit_reason"),
        (event("SERVICE_OPENED", "2025-01-10", 1), "MISSING_FIELD", "service"),
        (event("SERVICE_CLOSED", "2025-01-10", 1), "MISSING_FIELD", "service"),
        (event("COUNSELLOR_ASSIGNED", "2025-01-10", 1), "MISSING_FIELD", "counsellor"),
        (applied("2025-01-10", {"birth_date": "1980-01-01"}), "MISSING_FIELD", "clients[0]"),
        (
            event("ADMITTED", "1899-12-31", 1, recorded_at="2025-01-10T00:00:00Z"),
            "INVALID_FIELD",
            "occurred_on",
        ),
        (event("ADMITTED", "2025-01-10", 1, trajectory_id=""), "INVALID_FIELD", "trajectory_id"),
    ],
)
def test_an_event_without_what_its_kind_requires_is_refused(line: Any, code: str, field: str) -> None:
    assert refused([line]) == [(0, code, field)]


@pytest.mark.parametrize(
    "nameless",
    [event("OBJECTION_LODGED", "2025-02-01", 2), exited("2025-02-01", 2, "DECEASED")],
)
def test_in_a_trajectory_of_two_the_client_concerned_must_be_named(nameless: Any) -> None:
    couple = applied("2025-01-10", ANNA_AT_HOME, BRAM_AT_HOME)
    assert refused([couple, nameless]) == [(1, "MISSING_FIELD", "clients")]
    assert refused([nameless, couple]) == [(0, "MISSING_FIELD", "clients")]
    assert refused([applied(), nameless]) == []
    assert refused([nameless]) == []


@pytest.mark.parametrize(
    ("clock", "gone"),
    [
        ("2025-03-03T12:00:00Z", []),
        ("2025-03-03T12:00:00.001Z", [0]),
        ("2025-03-22T12:00:00Z", [0]),
        ("2025-03-22T12:00:00.001Z", [0, 1]),
    ],
)
def test_each_event_waits_30_days_for_its_application(clock: str, gone: list[int]) -> None:
    """The first one came at noon on 1 February, the second on 20 February."""
    waiting = [event("ADMITTED", "2025-02-01", 2), exited("2025-02-20", 3)]
    assert refused([*waiting, signal(clock)]) == [(line, "ORPHANED_EVENT", None) for line in gone]


def test_a_refused_record_tells_no_time() -> None:
    waiting = event("ADMITTED", "2025-02-01", 2)
    late = signal("2999-12-31", arrears="0.00")
    assert refused([waiting, late]) == [(1, "INVALID_FIELD", "arrears")]


def test_what_was_orphaned_is_not_part_of_the_trajectory_when_its_application_comes() -> None:
    lines = [exited("2025-02-01", 2), signal("2025-06-02"), applied()]
    (only,) = final_outcomes(lines).values()
    assert only.reason == "RUNNING_TRAJECTORY"
    (again,) = final_outcomes([*lines, exited("2025-02-01", 2)]).values()
    assert (again.route, again.reason) == (HIT, "COMPLETED_WITHIN_WINDOW")


def test_what_still_waits_at_the_end_is_told_nowhere() -> None:
    assert _fates(event("ADMITTED", "2025-02-01", 2)) == (0, [], [])


def test_the_same_event_waits_once() -> None:
    twice = [event("ADMITTED", "2025-02-01", 2)] * 2
    assert refused([*twice, signal("2025-06-02")]) == [(0, "ORPHANED_EVENT", None)]
