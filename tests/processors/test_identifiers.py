"""Derived ids: the same on every run, another for every record."""

import pytest
from signaalwissel.processors.identifiers import (
    Audience,
    correction_id,
    dead_letter_id,
    routing_id,
    signal_key,
    signal_ref,
    signal_table_key,
    trajectory_key,
)
from signaalwissel.schemas.routing import CorrectionAction

REF = signal_ref("0344", "woonstad", "S1", 1000)


def test_the_same_delivery_has_the_same_ref() -> None:
    assert signal_ref("0344", "woonstad", "S1", 1000) == REF
    assert len(REF) == 16


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("0363", "woonstad", "S1", 1000), id="municipality"),
        pytest.param(("0344", "stroom", "S1", 1000), id="partner"),
        pytest.param(("0344", "woonstad", "S2", 1000), id="signal"),
        pytest.param(("0344", "woonstad", "S1", 1001), id="moment"),
    ],
)
def test_another_one_has_another(other: tuple[str, str, str, int]) -> None:
    assert signal_ref(*other) != REF


def test_no_two_signals_share_an_entry_whatever_their_numbers_hold() -> None:
    assert signal_table_key("0344", "a/b", "c") != signal_table_key("0344", "a", "b/c")
    assert signal_ref("0344", "a/b", "c", 1) != signal_ref("0344", "a", "b/c", 1)


def test_ids_of_routing_and_correction_tell_revision_reader_and_action() -> None:
    routing = routing_id(REF, 3)
    assert routing == f"{REF.hex()}-3"
    both = [
        correction_id(routing, audience, CorrectionAction.WITHDRAWN)
        for audience in (Audience.COUNSELLOR, Audience.REGULAR)
    ]
    assert both == [f"{REF.hex()}-3-counsellor-withdrawn", f"{REF.hex()}-3-regular-withdrawn"]


def test_keys_of_topics_are_what_the_design_says() -> None:
    assert signal_key("0344", "woonstad", "S1") == b"0344/woonstad/S1"
    assert trajectory_key("0344", "T1") == b"0344/T1"


def test_a_dead_letter_is_known_by_where_it_stands() -> None:
    assert dead_letter_id("signals", 1, 11) == dead_letter_id("signals", 1, 11)
    assert (
        len({dead_letter_id(*at) for at in [("signals", 1, 11), ("signals", 11, 1), ("signals", 1, 1)]}) == 3
    )
