"""Domain 8.5 and 8.12: whom an event concerns that names clients, or should, and what waits for its client."""

from typing import Any

import pytest

from tests.oracle import refused
from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA_AT_HOME,
    BORN,
    BRAM,
    BRAM_AT_HOME,
    CARLA,
    HOME,
    applied,
    event,
    exited,
    reason,
    signal,
)

RUNNING, DECEASED = "RUNNING_TRAJECTORY", "DECEASED"
CARLA_AWAY: dict[str, Any] = {"bsn": CARLA, "birth_date": "1970-03-03"}
COUPLE = applied("2025-01-10", ANNA_AT_HOME, BRAM_AT_HOME)
HERS, HIS = signal("2025-06-02"), signal("2025-06-02", {"bsn": BRAM})


def died(*who: dict[str, Any], on: str = "2025-05-20", sequence: int = 50) -> Line:
    return exited(on, sequence, "DECEASED", clients=list(who))


def listed(on: str, *who: dict[str, Any], sequence: int = 60) -> Line:
    return event("CLIENT_CHANGED", on, sequence, clients=list(who))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([applied("2025-01-10", {**ANNA_AT_HOME, "bsn": CARLA}), listed("2025-02-01", ANNA_AT_HOME), died(CARLA_AWAY)], DECEASED),
        ([applied(), died(CARLA_AWAY)], RUNNING),
        ([applied(), died({"bsn": CARLA, "birth_date": BORN})], DECEASED),
        ([applied(), died(HOME)], DECEASED),
        ([applied(), died({**HOME, "birth_date": "1970-03-03"})], RUNNING),
        ([COUPLE, died(CARLA_AWAY, ANNA_AT_HOME)], DECEASED),
        ([COUPLE, died(HOME)], RUNNING),
        ([applied("2025-01-10", ANNA_AT_HOME, {**HOME, "birth_date": BORN}), died({**HOME, "birth_date": BORN})], RUNNING),
    ],
    ids=["a mended BSN", "a stranger", "by birth date", "nothing to compare", "another birth date", "one of two named",
         "nobody of two", "a birth date of both"],
)  # fmt: skip
def test_whom_a_death_names(lines: list[Line], expected: str) -> None:
    assert reason(*lines, HERS) == expected


def test_without_a_name_it_is_the_only_client_known_before_it() -> None:
    later = [applied(), died(), listed("2025-05-25", ANNA_AT_HOME, BRAM_AT_HOME)]
    assert (reason(*later, HERS), reason(*later, HIS)) == (DECEASED, RUNNING)
    before = listed("2025-05-25", ANNA_AT_HOME, BRAM_AT_HOME, sequence=40)
    assert (reason(applied(), died(), before, HERS), reason(applied(), died(), before, HIS)) == (
        RUNNING,
        RUNNING,
    )
    assert refused([applied(), died(), before]) == [(1, "MISSING_FIELD", "clients")]


def test_who_names_nobody_waits_thirty_days_for_the_list_that_knows_him() -> None:
    stranger = died(CARLA_AWAY)
    with_her = listed("2025-05-25", ANNA_AT_HOME, CARLA_AWAY)
    about_her = signal("2025-06-02", {"bsn": CARLA})
    assert reason(COUPLE, stranger, with_her, about_her) == DECEASED
    assert refused([COUPLE, stranger, signal("2025-06-19")]) == []
    assert refused([COUPLE, stranger, signal("2025-06-20")]) == [(1, "ORPHANED_EVENT", None)]
    late = listed("2025-06-21", ANNA_AT_HOME, CARLA_AWAY)
    again = signal("2025-06-22", {"bsn": CARLA}, signal_id="S1")
    assert reason(COUPLE, stranger, event("ADMITTED", "2025-06-20", 55), late, again) == RUNNING
