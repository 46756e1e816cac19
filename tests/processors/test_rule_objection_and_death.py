"""Death and objection come before everything else, for that client alone (domain 8.6, 8.12)."""

import pytest
from signaalwissel.schemas.routing import Route, TrueReason

from tests.processors.given import (
    ANNA,
    BRAM,
    Line,
    Story,
    applied,
    by_address,
    by_bsn,
    client_changed,
    completed,
    decision,
    died,
    exited,
    objected,
    objection_withdrawn,
    reopened,
    running,
    signal,
    without,
)

RUNNING, OBJECTION, DECEASED = TrueReason.RUNNING_TRAJECTORY, TrueReason.OBJECTION, TrueReason.DECEASED
NOW, SPOUSE = signal(on="2026-02-20"), signal(on="2026-02-20", about=by_bsn(BRAM))
COUPLE = running("2025-01-10", ANNA, BRAM)
NO_BSN = without(BRAM, "bsn")
HALF_KNOWN = running("2025-01-10", ANNA, NO_BSN)
BRAM_AT_HOME = signal(on="2026-02-20", about=by_address(BRAM, "birth_date"))
OTHER = running("2025-06-01", trajectory="T2")


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([*running(), *died("2026-02-20")], NOW, DECEASED, id="died on the day of receipt"),
        pytest.param([*running(), *died("2026-02-21")], NOW, RUNNING, id="died after it"),
        pytest.param(
            [*running(), *died("2026-02-19")],
            signal(on="2026-02-20", signalled_on="2026-02-10"),
            DECEASED,
            id="also where the trajectory ran on the first of the signal's days",
        ),
        pytest.param(
            [*running(), *died("2026-01-10"), *OTHER], NOW, DECEASED, id="before another trajectory"
        ),
        pytest.param(
            [*running(), *objected("2026-01-01"), *died("2026-01-10")],
            NOW,
            DECEASED,
            id="before an objection",
        ),
        pytest.param([*COUPLE, *died("2026-01-10", ANNA)], NOW, DECEASED, id="one of two died: she"),
        pytest.param([*COUPLE, *died("2026-01-10", ANNA)], SPOUSE, RUNNING, id="for the other it runs on"),
        pytest.param(
            [*COUPLE, *died("2026-01-10", ANNA), *exited("2026-01-20", "SELF")],
            SPOUSE,
            TrueReason.EXIT_NOT_COMPLETED,
            id="until an exit of his own",
        ),
        pytest.param(
            [*COUPLE, *died("2026-01-10", ANNA), *exited("2026-01-20", "SELF")],
            NOW,
            DECEASED,
            id="which does not undo her death",
        ),
        pytest.param(
            [*COUPLE, *died("2026-01-10", ANNA), *exited("2026-01-20", "SELF", clients=[ANNA])],
            NOW,
            TrueReason.EXIT_NOT_COMPLETED,
            id="an exit that names her mends a death that was recorded in error",
        ),
        pytest.param(
            [*COUPLE, *died("2026-01-10", NO_BSN)],
            SPOUSE,
            DECEASED,
            id="named by birth date where no BSN is told",
        ),
        pytest.param(
            [*HALF_KNOWN, *died("2026-01-10", BRAM)],
            BRAM_AT_HOME,
            DECEASED,
            id="named by birth date where his BSN is not known",
        ),
        pytest.param(
            [*COUPLE, *died("2026-01-10", without(BRAM, "bsn", birth_date="1999-09-09"))],
            SPOUSE,
            RUNNING,
            id="a name that fits nobody concerns nobody",
        ),
        pytest.param(
            [*running(), *died("2026-01-10"), *reopened("2026-01-20")],
            NOW,
            DECEASED,
            id="a reopening does not bring anybody back",
        ),
        pytest.param(
            [*running("2025-01-10", ANNA), *died("2026-01-10"), *client_changed("2026-01-20", ANNA, BRAM)],
            SPOUSE,
            RUNNING,
            id="a death told without a name is not that of who joins later",
        ),
        pytest.param(
            [*running("2025-01-10", ANNA), *died("2026-01-10"), *client_changed("2026-01-20", ANNA, BRAM)],
            NOW,
            DECEASED,
            id="but of who was alone by then",
        ),
        pytest.param(
            [*running(), *died("2026-01-10"), *exited("2026-01-20", "SELF")],
            NOW,
            TrueReason.EXIT_NOT_COMPLETED,
            id="an exit that follows the death of the only client replaces it",
        ),
    ],
)
def test_death(given: Story, when: Line, then: TrueReason) -> None:
    found = decision(given, when)
    assert found.reason is then
    assert (found.route is Route.COUNSELLOR_FOLLOWUP) == (then is RUNNING)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(
            [*running(), *objected("2026-02-20")], NOW, OBJECTION, id="lodged on the day of receipt"
        ),
        pytest.param([*running(), *objected("2026-02-21")], NOW, RUNNING, id="lodged after it"),
        pytest.param(
            [*running(), *objected("2026-01-01"), *objection_withdrawn("2026-02-21")],
            NOW,
            OBJECTION,
            id="withdrawn after it",
        ),
        pytest.param(
            [*running(), *objected("2026-01-01"), *objection_withdrawn("2026-02-20")],
            NOW,
            RUNNING,
            id="withdrawn that day: the test works again from that day",
        ),
        pytest.param(
            [
                *running(),
                *objected("2026-01-01"),
                *objection_withdrawn("2026-01-10"),
                *objected("2026-02-01"),
            ],
            NOW,
            OBJECTION,
            id="lodged again",
        ),
        pytest.param(
            [*running(), *objected("2026-01-01"), *OTHER],
            NOW,
            OBJECTION,
            id="for all trajectories found at the key",
        ),
        pytest.param([*COUPLE, *objected("2026-01-01", ANNA)], NOW, OBJECTION, id="one of two objects: she"),
        pytest.param([*COUPLE, *objected("2026-01-01", ANNA)], SPOUSE, RUNNING, id="he does not"),
        pytest.param(
            [*COUPLE, *objected("2026-01-01", ANNA, BRAM)], SPOUSE, OBJECTION, id="both, where both are named"
        ),
        pytest.param(
            [*running(), *objected("2026-01-01", BRAM)], NOW, RUNNING, id="of somebody else it is not hers"
        ),
        pytest.param(
            [*running(), *objected("2026-01-01"), *client_changed("2026-01-20", ANNA, BRAM)],
            SPOUSE,
            RUNNING,
            id="without a name it is not of who joins later",
        ),
        pytest.param(
            [*completed(on="2020-01-01", since="2019-01-01"), *objected("2026-01-01")],
            NOW,
            OBJECTION,
            id="also where nothing would have hit",
        ),
        pytest.param(
            [*applied("2026-03-01", recorded="2026-02-01"), *objected("2026-01-01", recorded="2026-02-01")],
            NOW,
            OBJECTION,
            id="also before the application",
        ),
        pytest.param(
            [*running(), *objection_withdrawn("2026-01-01")],
            NOW,
            RUNNING,
            id="withdrawn without being lodged",
        ),
    ],
)
def test_objection(given: Story, when: Line, then: TrueReason) -> None:
    found = decision(given, when)
    assert found.reason is then
    assert (found.route is Route.COUNSELLOR_FOLLOWUP) == (then is RUNNING)


@pytest.mark.parametrize(
    ("said", "then"),
    [
        pytest.param(objected("2026-02-01"), OBJECTION, id="objection"),
        pytest.param(died("2026-02-01"), DECEASED, id="death"),
    ],
)
def test_both_are_the_persons_and_not_the_addresss(said: Story, then: TrueReason) -> None:
    """Told of the trajectory at her old address, they count for a signal at her new one: both list it."""
    moved = [*running("2024-01-10"), *client_changed("2025-05-01", without(ANNA, postcode="3512CD")), *said]
    at_home = [*running("2025-06-01", trajectory="T2"), *moved]
    assert decision(at_home, signal(on="2026-02-20", about=by_address(ANNA, "birth_date"))).reason is then
