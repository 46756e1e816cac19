"""Domain 8.6, 8.7, 8.12, 8.13, 8.19: what goes before what, the owner, isolation and the age of the debt."""

import pytest

from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA_AT_HOME,
    AWAY,
    BORN,
    BRAM,
    BRAM_AT_HOME,
    HIT,
    HOME,
    MISS,
    applied,
    event,
    exited,
    outcome,
    reason,
    signal,
)

RUNNING, WITHIN, EXITED = "RUNNING_TRAJECTORY", "COMPLETED_WITHIN_WINDOW", "EXIT_NOT_COMPLETED"
START = "2025-01-10"


def _of(trajectory_id: str, *lines: Line) -> list[Line]:
    """The same events as of another trajectory."""
    return [
        {
            **one,
            "value": {
                **one["value"],
                "trajectory_id": trajectory_id,
                "event_id": trajectory_id + one["value"]["event_id"],
            },
        }
        for one in lines
    ]


def test_deceased_goes_before_a_running_trajectory_elsewhere() -> None:
    lines = [
        *_of("T1", applied(START), exited("2025-03-01", reason="DECEASED")),
        *_of("T2", applied("2025-02-01")),
    ]
    assert reason(*lines, signal("2025-02-28")) == RUNNING
    assert outcome(*lines, signal("2025-03-01")).route == MISS
    assert reason(*lines, signal("2025-03-01")) == "DECEASED"


def test_a_death_up_to_the_day_of_receipt_counts_though_the_reference_date_was_before() -> None:
    lines = applied(START), exited("2025-03-01", reason="DECEASED")
    assert reason(*lines, signal("2025-03-01", signalled_on="2025-02-10")) == "DECEASED"


def test_when_one_of_two_dies_the_trajectory_runs_on_for_the_other_until_his_own_exit() -> None:
    lines = [
        applied(START, ANNA_AT_HOME, BRAM_AT_HOME),
        exited("2025-03-01", 5, "DECEASED", clients=[ANNA_AT_HOME]),
        exited("2025-06-01", 6),
    ]
    assert reason(*lines, signal("2025-03-02")) == "DECEASED"
    assert reason(*lines, signal("2025-07-01")) == "DECEASED"
    assert reason(*lines, signal("2025-03-02", {"bsn": BRAM})) == RUNNING
    assert reason(*lines, signal("2025-07-01", {"bsn": BRAM})) == WITHIN


def test_an_objection_in_force_on_the_day_of_receipt_holds_for_all_trajectories_found() -> None:
    lines = [
        *_of("T1", applied(START), event("OBJECTION_LODGED", "2025-03-01", 2)),
        *_of("T1", event("OBJECTION_WITHDRAWN", "2025-04-01", 3)),
        *_of("T2", applied("2025-02-01")),
    ]
    assert reason(*lines, signal("2025-02-28")) == RUNNING
    assert reason(*lines, signal("2025-03-01")) == "OBJECTION"
    assert reason(*lines, signal("2025-03-31")) == "OBJECTION"
    assert reason(*lines, signal("2025-04-01")) == RUNNING


def test_an_objection_lodged_again_works_again() -> None:
    lines = [
        applied(START),
        event("OBJECTION_LODGED", "2025-03-01", 2),
        event("OBJECTION_WITHDRAWN", "2025-03-10", 3),
        event("OBJECTION_LODGED", "2025-03-20", 4),
    ]
    reasons = [reason(*lines, signal(f"2025-03-{day}")) for day in ("05", "15", "25")]
    assert reasons == ["OBJECTION", RUNNING, "OBJECTION"]


def test_an_objection_is_that_clients_alone() -> None:
    lines = [
        applied(START, ANNA_AT_HOME, BRAM_AT_HOME),
        event("OBJECTION_LODGED", "2025-03-01", 2, clients=[{"bsn": BRAM}]),
    ]
    assert reason(*lines, signal("2025-03-02", {"bsn": BRAM})) == "OBJECTION"
    assert reason(*lines, signal("2025-03-02")) == RUNNING


def test_a_death_goes_before_an_objection() -> None:
    lines = (
        applied(START),
        event("OBJECTION_LODGED", "2025-02-01", 2),
        exited("2025-03-01", reason="DECEASED"),
    )
    assert reason(*lines, signal("2025-03-02")) == "DECEASED"


def test_an_objection_holds_at_the_address_though_he_moved_there_in_another_trajectory() -> None:
    moved_out = event("CLIENT_CHANGED", "2025-02-01", 2, clients=[{**ANNA_AT_HOME, **AWAY}])
    lines = [
        *_of("T1", applied(START), moved_out, event("OBJECTION_LODGED", "2025-03-01", 3)),
        *_of("T2", applied("2025-03-01")),
    ]
    about = {**HOME, "birth_date": BORN}
    assert reason(*lines, signal("2025-05-01", about)) == "OBJECTION"


@pytest.mark.parametrize(
    ("better", "worse", "expected"),
    [
        ([], [event("AFTERCARE_STARTED", "2025-02-01", 2), exited("2025-03-01")], RUNNING),
        (
            [event("AFTERCARE_STARTED", "2025-02-01", 2), exited("2025-03-01", reason="OTHER")],
            [event("MONITORING_STARTED", "2025-02-01", 2), exited("2025-03-01")],
            "OPEN_AFTERCARE",
        ),
        (
            [event("MONITORING_STARTED", "2025-02-01", 2), exited("2025-03-01", reason="OTHER")],
            [exited("2025-03-01")],
            "OPEN_SERVICE",
        ),
        ([exited("2025-03-01")], [exited("2025-03-01", reason="OTHER")], WITHIN),
        ([exited("2025-03-01", reason="OTHER")], [event("REFUSED", "2025-02-01", 2)], EXITED),
    ],
)
def test_of_several_trajectories_the_best_reason_wins(
    better: list[Line], worse: list[Line], expected: str
) -> None:
    lines = [*_of("T1", applied(START), *better), *_of("T2", applied("2025-01-20"), *worse)]
    assert reason(*lines, signal("2025-06-02")) == expected


def test_completed_outside_the_window_goes_before_another_exit() -> None:
    lines = [
        *_of("T1", applied("2024-01-10"), exited("2024-03-01")),
        *_of("T2", applied("2024-02-10"), exited("2024-04-01", reason="OTHER")),
    ]
    assert reason(*lines, signal("2025-06-02")) == "COMPLETED_OUTSIDE_WINDOW"


def test_of_equals_the_latest_start_wins_then_the_highest_number() -> None:
    early, late = applied("2025-01-10"), applied("2025-02-10")
    assert outcome(*_of("T9", early), *_of("T1", late), signal()).trajectory_id == "T1"
    assert outcome(*_of("T1", early), *_of("T9", early), signal()).trajectory_id == "T9"
    assert outcome(*_of("T10", early), *_of("T9", early), signal()).trajectory_id == "T9"


def test_the_owner_is_the_counsellor_given_last() -> None:
    first = applied(START, counsellor={"counsellor_id": "c1", "team": "north"})
    second = event(
        "COUNSELLOR_ASSIGNED", "2025-02-01", 2, counsellor={"counsellor_id": "c2", "team": "south"}
    )
    assert outcome(second, first, signal()).counsellor == ("c2", "south")
    assert outcome(applied(START), signal()).counsellor is None


def test_the_client_of_a_death_is_that_of_the_trajectory_that_tells_of_it() -> None:
    dead = exited("2025-03-01", reason="DECEASED", clients=[ANNA_AT_HOME])
    lines = [
        *_of("T1", applied(START, BRAM_AT_HOME, ANNA_AT_HOME), dead),
        *_of("T2", applied("2025-02-01", ANNA_AT_HOME)),
    ]
    found = outcome(*lines, signal())
    assert (found.reason, found.client, found.other_clients) == ("DECEASED", 1, {0, 1})


def test_municipalities_are_isolated_even_with_the_same_trajectory_number() -> None:
    elsewhere = applied(START, municipality="0363", event_id="other")
    assert reason(elsewhere, signal()) == "NO_TRAJECTORY"
    here = applied(START, BRAM_AT_HOME)
    assert reason(elsewhere, here, signal()) == "NO_TRAJECTORY"
    assert outcome(elsewhere, here, signal(municipality="0363")).route == HIT


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, "UNKNOWN"),
        ("2025-01-31", "BEFORE_ADMISSION"),
        ("2025-02-01", "AFTER_ADMISSION"),
        ("2025-02-28", "AFTER_ADMISSION"),
        ("2025-03-01", "AFTER_EXIT"),
    ],
)
def test_the_debt_is_dated_against_admission_and_exit(since: str | None, expected: str) -> None:
    lines = applied(START), event("ADMITTED", "2025-02-01", 2), exited("2025-03-01")
    assert outcome(*lines, signal(arrears_since=since)).debt_timing == expected


def test_without_admission_the_debt_is_undated_unless_after_the_exit() -> None:
    lines = applied(START), exited("2025-03-01")
    assert outcome(*lines, signal(arrears_since="2025-02-01")).debt_timing == "UNKNOWN"
    assert outcome(*lines, signal(arrears_since="2025-03-02")).debt_timing == "AFTER_EXIT"
