"""Domain 8.8: who it is about."""

from typing import Any

import pytest

from tests.oracle.intake import Line
from tests.oracle.scenario import (
    ANNA,
    ANNA_AT_HOME,
    AWAY,
    BORN,
    BORN_TOO,
    BRAM_AT_HOME,
    CARLA,
    HIT,
    HOME,
    applied,
    event,
    exited,
    outcome,
    person,
    reason,
    signal,
)
from tests.oracle.wording import bsn_is_valid, folded_surname

START = "2025-01-10"
ADDRESS_ONLY = "ADDRESS_ONLY_MATCH"


def _trajectory(number: int, *clients: dict[str, Any]) -> Line:
    return applied(START, *clients, trajectory_id=f"T{number}", event_id=f"a{number}")


def test_a_bsn_is_certain_and_its_address_does_not_matter() -> None:
    assert outcome(applied(), signal(subject={"bsn": ANNA, **AWAY})).route == HIT
    assert reason(applied(), signal(subject={"bsn": CARLA, **HOME, "birth_date": BORN})) == "NO_TRAJECTORY"


def test_an_address_with_the_birth_date_of_exactly_one_client_is_certain() -> None:
    lines = [applied(START, ANNA_AT_HOME, BRAM_AT_HOME)]
    found = outcome(*lines, signal(subject={**HOME, "birth_date": BORN_TOO}))
    assert (found.route, found.client, found.matched_by) == (HIT, 1, "ADDRESS_AND_BIRTH_DATE")


def test_two_with_that_birth_date_are_an_address_only_match_of_those_two() -> None:
    lines = [_trajectory(n, {**HOME, "birth_date": BORN}) for n in (1, 2)] + [_trajectory(3, BRAM_AT_HOME)]
    found = outcome(*lines, signal(subject={**HOME, "birth_date": BORN}))
    assert (found.reason, found.candidates) == (ADDRESS_ONLY, (("T1", 0), ("T2", 0)))


def test_the_returning_client_is_one_person() -> None:
    lines = [_trajectory(n, ANNA_AT_HOME) for n in (1, 2)]
    found = outcome(*lines, signal(subject={**HOME, "birth_date": BORN}))
    assert (found.route, found.trajectory_id) == (HIT, "T2")


def test_another_birth_date_is_another_person() -> None:
    assert reason(applied(), signal(subject={**HOME, "birth_date": BORN_TOO})) == "NO_TRAJECTORY"


def test_a_client_without_birth_date_counts_as_address_only() -> None:
    dateless = {"bsn": ANNA, **HOME}
    found = outcome(applied(START, dateless), signal(subject={**HOME, "birth_date": BORN}))
    assert (found.reason, found.candidates) == (ADDRESS_ONLY, (("T1", 0),))


def test_an_address_alone_is_no_proof() -> None:
    found = outcome(applied(START, ANNA_AT_HOME, BRAM_AT_HOME), signal(subject=HOME))
    assert (found.route, found.reason, found.client) == ("REGULAR_FLOW", ADDRESS_ONLY, None)
    assert found.candidates == (("T1", 0), ("T1", 1))


@pytest.mark.parametrize(
    ("surname", "evidence"),
    [
        ("JANSEN", "NAME"),
        ("van Jansen", "NAME"),
        ("Jänsen", "NAME"),
        ("Janssen", None),
        (None, None),
        ("'t", None),
    ],
)
def test_the_same_folded_surname_is_evidence(surname: str | None, evidence: str | None) -> None:
    found = outcome(applied(), signal(subject={**HOME, "surname": surname}))
    assert (found.reason, found.evidence) == (ADDRESS_ONLY, evidence)


@pytest.mark.parametrize(
    ("spelled", "folded"),
    [
        ("Jansen-de Vries", "jansenvries"),
        ("d'Ancona", "ancona"),
        ("O'Neill", "oneill"),
        ("Øster-Łukasz", "osterlukasz"),
    ],
)
def test_whatever_is_no_letter_separates_words(spelled: str, folded: str) -> None:
    assert folded_surname(spelled) == folded


def test_surnames_fold_prefixes_diacritics_and_case() -> None:
    spelled = {name: folded_surname(name) for name in ("van den Berg", "in 't Veld", "Strauß", "Çelik", "Op")}
    assert spelled == {
        "van den Berg": "berg",
        "in 't Veld": "veld",
        "Strauß": "strauss",
        "Çelik": "celik",
        "Op": "op",
    }


def test_candidates_are_only_those_who_would_be_a_hit() -> None:
    gone = exited("2025-02-01", reason="NO_SHOW", trajectory_id="T2", event_id="x2")
    dead = exited("2025-02-01", reason="DECEASED", trajectory_id="T3", event_id="x3")
    lines = [*(_trajectory(n, person(n)) for n in (1, 2, 3)), gone, dead]
    assert outcome(*lines, signal(subject=HOME)).candidates == (("T1", 0),)


def test_without_candidates_nobody_lives_there() -> None:
    found = outcome(applied(), exited("2025-02-01", reason="NO_SHOW"), signal(subject=HOME))
    assert (found.reason, found.client, found.trajectory_id) == ("NO_TRAJECTORY", None, None)


@pytest.mark.parametrize(("persons", "candidates"), [(8, 8), (9, 0)])
def test_more_than_eight_persons_at_an_address_give_no_candidates(persons: int, candidates: int) -> None:
    lines = [_trajectory(n, {**person(n), "surname": "Jansen"}) for n in range(persons)]
    found = outcome(*lines, signal(subject={**HOME, "surname": "Jansen"}))
    assert (found.reason, len(found.candidates)) == (ADDRESS_ONLY, candidates)
    assert found.evidence == ("NAME" if candidates else None)


@pytest.mark.parametrize(
    ("spelling", "same"),
    [
        ({"postcode": "1011 ab", "house_number": 7}, True),
        ({"postcode": "1011-AB", "house_number": 7, "house_number_addition": "-"}, True),
        ({"postcode": "1011AB", "house_number": 7, "house_number_addition": "A"}, False),
        ({"postcode": "1011AB", "house_number": 8}, False),
    ],
)
def test_addresses_are_compared_without_spaces_punctuation_and_case(
    spelling: dict[str, Any], same: bool
) -> None:
    assert reason(applied(), signal(subject=spelling)) == (ADDRESS_ONLY if same else "NO_TRAJECTORY")


def test_additions_are_folded_too() -> None:
    lines = [applied(START, {**ANNA_AT_HOME, "house_number_addition": "2-hg"})]
    assert reason(*lines, signal(subject={**HOME, "house_number_addition": "2 HG"})) == ADDRESS_ONLY


@pytest.mark.parametrize(
    ("signalled_on", "received", "at_home", "away"),
    [
        ("2024-12-20", "2025-01-10", True, False),  # the first address has no begin
        ("2025-02-28", "2025-02-28", True, False),
        ("2025-03-01", "2025-03-01", True, True),  # the day of the move belongs to both
        ("2025-03-02", "2025-03-10", False, True),
        ("2025-02-20", "2025-03-10", True, True),
    ],
)
def test_an_address_matches_only_in_its_period(
    signalled_on: str, received: str, at_home: bool, away: bool
) -> None:
    lines = applied(START), event("CLIENT_CHANGED", "2025-03-01", 2, clients=[{**ANNA_AT_HOME, **AWAY}])
    found = [
        outcome(*lines, signal(received, {**place, "birth_date": BORN}, signalled_on=signalled_on)).route
        == HIT
        for place in (HOME, AWAY)
    ]
    assert found == [at_home, away]


def test_a_changed_bsn_or_birth_date_counts_from_the_beginning() -> None:
    mended = {**ANNA_AT_HOME, "bsn": CARLA, "birth_date": BORN_TOO}
    lines = applied(START), event("CLIENT_CHANGED", "2025-03-01", 2, clients=[mended])
    assert reason(*lines, signal("2025-02-01")) == "NO_TRAJECTORY"
    assert outcome(*lines, signal("2025-02-01", {"bsn": CARLA})).route == HIT
    assert outcome(*lines, signal("2025-02-01", {**HOME, "birth_date": BORN_TOO})).route == HIT


def test_a_repeated_application_replaces_the_first_address() -> None:
    lines = applied(START), applied(START, {**ANNA_AT_HOME, **AWAY}, sequence=2)
    assert reason(*lines, signal(subject=HOME)) == "NO_TRAJECTORY"
    assert reason(*lines, signal(subject=AWAY)) == ADDRESS_ONLY


def test_a_move_dated_back_replaces_the_standing_address() -> None:
    third = {"postcode": "1013EF", "house_number": 1}
    lines = (
        applied(START),
        event("CLIENT_CHANGED", "2025-03-01", 2, clients=[{**ANNA_AT_HOME, **AWAY}]),
        event("CLIENT_CHANGED", "2025-02-20", 3, clients=[{**ANNA_AT_HOME, **third}]),
    )
    reasons = [reason(*lines, signal("2025-02-25", place)) for place in (HOME, AWAY, third)]
    assert reasons == ["NO_TRAJECTORY", "NO_TRAJECTORY", ADDRESS_ONLY]


def test_the_eleven_proof() -> None:
    assert bsn_is_valid("111222333")
    assert not any(
        bsn_is_valid(text) for text in ("111222334", "000000000", "11122233", "1112223330", "11122233x")
    )
