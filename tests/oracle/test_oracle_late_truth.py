"""Domain 8.11: corrections, their horizon, and what makes a revision."""

import pytest

from tests.oracle import final_outcomes, first_outcomes, revisions
from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA_AT_HOME,
    BORN,
    BRAM_AT_HOME,
    HIT,
    HOME,
    MISS,
    applied,
    event,
    exited,
    signal,
)

START = "2025-01-10"


def _told(*lines: Line) -> list[tuple[str, str | None, bool]]:
    (only,) = revisions(list(lines)).values()
    (last,) = final_outcomes(list(lines)).values()
    assert only[-1] == last.routing
    return only


def test_the_first_decision_knows_only_what_came_before_it() -> None:
    lines = [signal(), applied()]
    assert list(first_outcomes(lines).values()) == [(MISS, None)]
    assert _told(*lines) == [(MISS, None, False), (HIT, "T1", False)]


@pytest.mark.parametrize(
    ("recorded_at", "counts"),
    [
        ("2025-07-07T21:59:59Z", True),  # the end of 7 July in Amsterdam: 2 June and 35 days
        ("2025-07-07T22:00:00Z", False),
    ],
)
def test_a_fact_counts_up_to_the_end_of_the_day_of_receipt_and_35_days(
    recorded_at: str, counts: bool
) -> None:
    told = _told(signal("2025-06-02"), applied(START, recorded_at=recorded_at))
    assert told[-1][0] == (HIT if counts else MISS)


def test_the_horizon_is_by_the_amsterdam_day_of_receipt() -> None:
    """Received on 3 June there, though on 2 June in UTC."""
    told = _told(signal("2025-06-02T22:30:00Z"), applied(START, recorded_at="2025-07-08T21:59:59Z"))
    assert told[-1][0] == HIT


def test_the_horizon_holds_for_facts_that_came_before_the_signal_as_well() -> None:
    told = _told(applied(START, recorded_at="2025-09-01T00:00:00Z"), signal("2025-06-02"))
    assert told == [(MISS, None, False)]


@pytest.mark.parametrize("kind", ["ERASED", "WITHDRAWN_IN_ERROR"])
def test_erased_and_withdrawn_in_error_always_count(kind: str) -> None:
    told = _told(applied(), signal("2025-06-02"), event(kind, "2026-06-01", 9))
    assert told == [(HIT, "T1", False), (MISS, None, False)]


def test_a_change_of_reason_alone_makes_no_revision() -> None:
    aftercare = event("AFTERCARE_STARTED", "2025-02-01", 2)
    assert _told(applied(), signal(), aftercare, exited("2025-03-01")) == [(HIT, "T1", False)]
    refused = event("REFUSED", "2025-02-01", 2)
    assert _told(signal(), applied(), refused, exited("2025-02-01", reason="OTHER"))[-1] == (
        MISS,
        None,
        False,
    )


def test_another_counsellors_trajectory_makes_a_revision() -> None:
    other = applied("2025-02-01", trajectory_id="T2")
    assert _told(applied(), signal(), other) == [(HIT, "T1", False), (HIT, "T2", False)]


def test_a_new_counsellor_makes_no_revision() -> None:
    assigned = event("COUNSELLOR_ASSIGNED", "2025-02-01", 2, counsellor={"counsellor_id": "c", "team": "t"})
    assert len(_told(applied(), signal(), assigned)) == 1


def test_into_and_out_of_an_address_only_match_are_revisions() -> None:
    told = _told(signal(subject=HOME), applied(), exited("2025-02-01", reason="NO_SHOW"))
    assert told == [(MISS, None, False), (MISS, None, True), (MISS, None, False)]


def test_another_candidate_makes_no_revision() -> None:
    lines = [applied(), signal(subject=HOME), applied(START, BRAM_AT_HOME, trajectory_id="T2")]
    assert _told(*lines) == [(MISS, None, True)]


def test_events_that_wait_for_their_application_come_with_it_as_one_change() -> None:
    told = _told(signal(), exited("2025-03-01", reason="NO_SHOW"), applied())
    assert told == [(MISS, None, False)]
    told = _told(signal(), exited("2025-03-01"), applied())
    assert told == [(MISS, None, False), (HIT, "T1", False)]


def test_a_mended_identity_takes_the_signal_back() -> None:
    other = event("CLIENT_CHANGED", "2025-06-03", 2, clients=[{**ANNA_AT_HOME, "bsn": BRAM_AT_HOME["bsn"]}])
    assert _told(applied(), signal(), other) == [(HIT, "T1", False), (MISS, None, False)]


def test_the_final_answer_does_not_depend_on_the_order_of_the_events() -> None:
    events = [applied(), exited("2025-02-01"), event("REOPENED", "2025-04-01", 60), exited("2025-05-01", 61)]
    about = {**HOME, "birth_date": BORN}
    orders = ([*events, signal(subject=about)], [signal(subject=about), *reversed(events)])
    assert len({tuple(final_outcomes(order).items()) for order in orders}) == 1
