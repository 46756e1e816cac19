"""Decisions that a page answers again: the last on each signal, the latest signals, and whoever was found."""

from datetime import date, timedelta

import pytest
from signaalwissel.schemas.routing import Candidate
from signaalwissel.schemas.trajectory import TrajectoryEventKind
from signaalwissel.sinks.recent_decisions import Recent, recent_decisions, trajectories_of

from tests.processors.followup_support import MUNICIPALITY, address_only, decision, regular, to_regular
from tests.sinks.clock_support import MONDAY, Office, state


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def recent(office: Office, since: date = MONDAY, most: int = 10) -> Recent:
    with office.engine.connect() as connection:
        return recent_decisions(connection, MUNICIPALITY, since, most)


def names(found: Recent) -> list[str]:
    return [one.delivery.signal_id for one in found.decided]


def test_the_latest_signals_for_which_somebody_was_found_are_answered_and_the_others_are_counted(
    office: Office,
) -> None:
    office.store(
        decision("s-1"),
        address_only("s-2", received_on=MONDAY + timedelta(days=1)),
        decision("s-3", trajectory_id="T-3", received_on=MONDAY + timedelta(days=2)),
        regular("s-4", received_on=MONDAY + timedelta(days=3)),
        decision("s-0", trajectory_id="T-0", received_on=MONDAY - timedelta(days=1)),
    )
    found = recent(office, most=2)
    assert (names(found), found.somebody, found.nobody) == (["s-2", "s-3"], 3, 1)


def test_the_last_revision_counts_although_the_one_before_it_never_came(office: Office) -> None:
    office.store(decision("s-1"), decision("s-2", trajectory_id="T-2"), to_regular("s-1", 2))
    found = recent(office)
    assert (names(found), found.nobody) == (["s-2"], 1)


def test_whatever_lies_under_the_same_match_key_comes_along_and_nothing_else(office: Office) -> None:
    applied = state((TrajectoryEventKind.APPLIED, MONDAY))
    office.store(
        decision("s-1"),
        address_only("s-2", (Candidate("T-4", 0),)),
        states=[
            applied,
            applied._replace(trajectory_id="T-2"),
            applied._replace(trajectory_id="T-3", match_keys=(b"o" * 33,)),
            applied._replace(trajectory_id="T-4", match_keys=(b"p" * 33,)),
        ],
    )
    with office.engine.connect() as connection:
        known = trajectories_of(connection, MUNICIPALITY, recent(office).decided)
        assert sorted(one.trajectory_id for one in known) == ["T-1", "T-2", "T-4"]
