"""Where a client lived when, as his address changes (design 3, domain 8.8)."""

import pytest

from tests.processors.given import (
    ANNA,
    AWAY,
    BRAM,
    HOME,
    Line,
    Story,
    applied,
    by_address,
    client_changed,
    decision,
    service_opened,
    signal,
    without,
)

ANNA_AWAY = ANNA | AWAY
ANNA_ELSEWHERE = ANNA | {"postcode": "3513EF", "house_number": 5}
ANNA_NOWHERE = without(ANNA, *HOME)
MOVED = [*applied(), *client_changed("2026-02-10", ANNA_AWAY)]


def at_home(on: str, **more: str) -> Line:
    return signal(on=on, about=by_address(ANNA, "birth_date"), **more)


def away(on: str, **more: str) -> Line:
    return signal(on=on, about=by_address(ANNA_AWAY, "birth_date"), **more)


@pytest.mark.parametrize(
    ("given", "when", "found"),
    [
        pytest.param(
            applied("2025-01-10"), at_home("2025-01-10"), True, id="the first address has no beginning"
        ),
        pytest.param(MOVED, at_home("2026-02-10"), True, id="the day of a move belongs to the old address"),
        pytest.param(MOVED, away("2026-02-10"), True, id="and to the new one"),
        pytest.param(MOVED, at_home("2026-02-11"), False, id="the day after no longer to the old"),
        pytest.param(MOVED, away("2026-02-09"), False, id="the day before not yet to the new"),
        pytest.param(
            MOVED,
            at_home("2026-02-20", signalled_on="2026-02-05"),
            True,
            id="some day of the signal lies before",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-15", ANNA_AWAY)],
            away("2026-02-12"),
            True,
            id="the same address again on a later day changes nothing",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-05", ANNA_AWAY)],
            away("2026-02-06"),
            True,
            id="on an earlier day it mends the day of the move",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-05", ANNA_AWAY)],
            at_home("2026-02-06"),
            False,
            id="and the end of the address before it",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-10", ANNA_ELSEWHERE)],
            away("2026-02-10"),
            False,
            id="another address from the same day replaces it",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-05", ANNA_ELSEWHERE)],
            at_home("2026-02-06"),
            False,
            id="from an earlier day too, with the end of the one before",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-15", ANNA)], at_home("2026-02-16"), True, id="back home again"
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-15", ANNA)],
            at_home("2026-02-12"),
            False,
            id="but not in between",
        ),
        pytest.param(
            [*applied(), *client_changed("2026-02-10", ANNA_NOWHERE)],
            at_home("2026-02-11"),
            False,
            id="listed without an address: it ends",
        ),
        pytest.param(
            [*applied(), *client_changed("2026-02-10", ANNA_NOWHERE)],
            at_home("2026-02-10"),
            True,
            id="on that day",
        ),
        pytest.param(
            [*MOVED, *client_changed("2026-02-05", ANNA_NOWHERE)],
            away("2026-02-10"),
            False,
            id="from before the move: it never was",
        ),
        pytest.param(
            [*applied("2025-01-10", ANNA_NOWHERE), *client_changed("2026-02-10", ANNA)],
            at_home("2026-01-20"),
            True,
            id="the first address that is told has no beginning, whenever it is told",
        ),
        pytest.param(
            [*applied(), *applied("2025-02-01", ANNA_AWAY)],
            at_home("2026-02-10"),
            False,
            id="an application sent again replaces the first address",
        ),
        pytest.param(
            [*applied(), *applied("2025-02-01", ANNA_AWAY)],
            away("2025-01-11"),
            False,
            id="but not before it runs",
        ),
        pytest.param(
            [*applied(), *applied("2025-01-05", ANNA_AWAY)],
            away("2025-01-06"),
            True,
            id="which then has no beginning either",
        ),
        pytest.param(
            [*applied("2025-01-10"), *service_opened("2025-01-12"), *applied("2025-02-01", ANNA_AWAY)],
            away("2025-01-20"),
            True,
            id="so that a service that was open before it is found there too",
        ),
        pytest.param(
            [*MOVED, *applied("2026-02-15", ANNA_ELSEWHERE)],
            away("2026-02-16"),
            False,
            id="after a change of address an application is one more",
        ),
        pytest.param(
            [*applied("2025-01-10", BRAM, ANNA), *client_changed("2026-02-10", BRAM)],
            at_home("2026-02-11"),
            False,
            id="left out: the address ends",
        ),
        pytest.param(
            [
                *applied("2025-01-10", without(ANNA, birth_date="1999-09-09")),
                *client_changed("2026-02-10", ANNA),
            ],
            at_home("2026-01-20"),
            True,
            id="a mended birth date counts from the beginning",
        ),
        pytest.param(
            [*applied(), *client_changed("2026-02-10", without(ANNA, "birth_date"))],
            at_home("2026-02-20"),
            True,
            id="a birth date that is not told again stays",
        ),
    ],
)
def test_a_client_is_found_at_an_address_on_the_days_that_he_lived_there(
    given: Story, when: Line, found: bool
) -> None:
    assert (decision(given, when).trajectory_id is not None) is found


def test_a_mended_bsn_counts_from_the_beginning() -> None:
    given = [*applied("2025-01-10", without(ANNA, bsn=BRAM["bsn"])), *client_changed("2026-02-10", ANNA)]
    assert decision(given, signal(on="2026-01-20")).trajectory_id == "T1"
    assert decision(given, signal(on="2026-02-20", about={"bsn": BRAM["bsn"]})).trajectory_id is None
