"""Who the signal is about: BSN, address and birth date, or the address alone (domain 8.8)."""

from typing import Any

import pytest
from signaalwissel.schemas.routing import Candidate, Evidence, MatchedBy, Route, TrueReason

from tests.processors.given import (
    ANNA,
    AWAY,
    BRAM,
    HOME,
    Case,
    Line,
    Person,
    Story,
    by_address,
    completed,
    decision,
    objected,
    policy_with,
    running,
    signal,
    without,
)

RUNNING, NOBODY = TrueReason.RUNNING_TRAJECTORY, TrueReason.NO_TRAJECTORY
ADDRESS_ONLY = TrueReason.ADDRESS_ONLY_MATCH
COUPLE = running("2025-01-10", ANNA, BRAM)
ANNA_BIRTH_DATE_UNKNOWN = without(ANNA, "birth_date")
TWIN = without(BRAM, birth_date=ANNA["birth_date"])


def at(person: Person, *also: str, **more: Any) -> Line:
    return signal(on="2026-02-20", about=by_address(person, *also, **more))


def housemates(count: int) -> Story:
    """So many residents at one address, each with a running trajectory of his own and no BSN told."""
    people = [{**HOME, "birth_date": f"19{50 + number}-01-01"} for number in range(count)]
    return [line for n, one in enumerate(people) for line in running("2025-01-10", one, trajectory=f"H{n}")]


@pytest.mark.parametrize(
    ("given", "when", "then", "matched_by"),
    [
        pytest.param(running(), signal(on="2026-02-20"), RUNNING, MatchedBy.BSN, id="a BSN is certain"),
        pytest.param(
            running("2025-01-10", without(ANNA, *HOME, "birth_date")),
            signal(on="2026-02-20"),
            RUNNING,
            MatchedBy.BSN,
            id="whatever else is known",
        ),
        pytest.param(
            running(),
            signal(on="2026-02-20", about={**BRAM, "birth_date": ANNA["birth_date"]}),
            NOBODY,
            None,
            id="another BSN is another person, whatever the address",
        ),
        pytest.param(
            COUPLE,
            at(ANNA, "birth_date"),
            RUNNING,
            MatchedBy.ADDRESS_AND_BIRTH_DATE,
            id="address and birth date of exactly one are certain",
        ),
        pytest.param(
            COUPLE, at(ANNA, birth_date="1999-09-09"), NOBODY, None, id="another birth date is another person"
        ),
        pytest.param(
            running("2025-01-10", ANNA, TWIN),
            at(ANNA, "birth_date"),
            ADDRESS_ONLY,
            MatchedBy.ADDRESS,
            id="two with that birth date: as address only",
        ),
        pytest.param(
            running("2025-01-10", ANNA_BIRTH_DATE_UNKNOWN),
            at(ANNA, "birth_date"),
            ADDRESS_ONLY,
            MatchedBy.ADDRESS,
            id="a client without birth date: as address only",
        ),
        pytest.param(running(), at(ANNA), ADDRESS_ONLY, MatchedBy.ADDRESS, id="an address is no proof"),
        pytest.param(running(), at(AWAY), NOBODY, None, id="nobody known at that address"),
        pytest.param(
            completed(on="2025-01-01", since="2024-01-01"),
            at(ANNA),
            NOBODY,
            None,
            id="nobody there would be a hit",
        ),
        pytest.param(
            [*running(), *objected("2026-01-01")], at(ANNA), NOBODY, None, id="nor one who objected"
        ),
        pytest.param(
            [*completed(on="2024-01-01", since="2023-01-01"), *running("2025-06-01", trajectory="T2")],
            at(ANNA, "birth_date"),
            RUNNING,
            MatchedBy.ADDRESS_AND_BIRTH_DATE,
            id="the returning client is one person",
        ),
        pytest.param(
            [
                *completed(on="2024-01-01", since="2023-01-01"),
                *running("2025-06-01", without(ANNA, "bsn"), trajectory="T2"),
            ],
            at(ANNA, "birth_date"),
            ADDRESS_ONLY,
            MatchedBy.ADDRESS,
            id="without a BSN he may be two",
        ),
    ],
)
def test_how_a_resident_is_found(
    given: Story, when: Line, then: TrueReason, matched_by: MatchedBy | None
) -> None:
    found = decision(given, when)
    assert (found.reason, found.matched_by) == (then, matched_by)


def test_an_address_only_match_names_who_would_be_a_hit_and_nobody_else() -> None:
    given = [
        *COUPLE,
        *completed("2024-01-01", {**HOME, "birth_date": "1990-01-01"}, since="2023-01-01", trajectory="OLD"),
        *running("2025-06-01", trajectory="T2"),
    ]
    found = decision(given, at(ANNA))
    assert found.candidates == (Candidate("T1", 1), Candidate("T2", 0))
    assert (found.route, found.trajectory_id, found.client, found.team) == (
        Route.REGULAR_FLOW,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("surname", "evidence"),
    [
        pytest.param("JANSEN", Evidence.NAME, id="case"),
        pytest.param("van den Jansén", Evidence.NAME, id="prefixes and diacritics"),
        pytest.param("Janssen", None, id="another name"),
        pytest.param(None, None, id="no name told"),
        pytest.param("van", None, id="nothing but a prefix is a name of its own"),
        pytest.param("...", None, id="nothing that is a letter"),
    ],
)
def test_the_same_surname_is_evidence_and_no_proof(surname: str | None, evidence: Evidence | None) -> None:
    found = decision(running(), at(ANNA, surname=surname))
    assert (found.reason, found.evidence) == (ADDRESS_ONLY, evidence)


@pytest.mark.parametrize(
    ("given", "surname", "then"),
    [
        pytest.param(COUPLE, "Jansen", ("T1", 0), id="the client of that name"),
        pytest.param(COUPLE, "Vries", ("T1", 1), id="the other one"),
        pytest.param(
            running("2025-01-10", ANNA, without(BRAM, surname="Jansen")),
            "Jansen",
            ("T1", 0),
            id="of two the first",
        ),
        pytest.param(
            [*running(), *running("2025-06-01", without(BRAM, surname="Jansen"), trajectory="T0")],
            "Jansen",
            ("T0", 0),
            id="the best trajectory",
        ),
    ],
)
def test_name_and_address_are_a_hit_where_the_policy_says_so(
    given: Story, surname: str, then: tuple[str, int]
) -> None:
    policy = policy_with(identity={"name_and_address": "hit"})
    found = decision(given, at(ANNA, surname=surname), policy)
    assert (found.reason, found.matched_by, found.evidence) == (RUNNING, MatchedBy.ADDRESS, Evidence.NAME)
    assert (found.trajectory_id, found.client) == then


def test_without_the_name_that_policy_changes_nothing() -> None:
    policy = policy_with(identity={"name_and_address": "hit"})
    assert decision(running(), at(ANNA, surname="Peters"), policy).reason is ADDRESS_ONLY


@pytest.mark.parametrize(
    ("count", "candidates"),
    [pytest.param(8, 8, id="eight are verified"), pytest.param(9, 0, id="nine are counted")],
)
def test_a_full_house_gets_no_candidates(count: int, candidates: int) -> None:
    found = decision(housemates(count), at(HOME, surname="Jansen"))
    assert (found.reason, len(found.candidates)) == (ADDRESS_ONLY, candidates)


def test_a_house_is_full_of_people_and_not_of_hits() -> None:
    given = [*housemates(9), *[line for n in range(8) for line in objected("2026-01-01", trajectory=f"H{n}")]]
    found = decision(given, at(HOME, surname="Jansen"))
    assert (found.reason, found.candidates, found.evidence) == (ADDRESS_ONLY, (), None)


def test_a_full_house_without_a_possible_hit_is_nobody() -> None:
    given = [*housemates(9), *[line for n in range(9) for line in objected("2026-01-01", trajectory=f"H{n}")]]
    assert decision(given, at(HOME)).reason is NOBODY


def test_in_a_full_house_a_birth_date_is_still_certain() -> None:
    found = decision(housemates(9), at(HOME, birth_date="1950-01-01"))
    assert (found.reason, found.trajectory_id) == (RUNNING, "H0")


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param({"postcode": "3511 ab"}, id="space and case"),
        pytest.param({"postcode": "3511-AB"}, id="punctuation"),
        pytest.param({"house_number_addition": ""}, id="an empty addition is none"),
        pytest.param({"house_number_addition": " - "}, id="so is one of punctuation"),
    ],
)
def test_spelling_of_an_address_does_not_matter(spelling: dict[str, str]) -> None:
    assert decision(running(), at(ANNA, "birth_date", **spelling)).reason is RUNNING


@pytest.mark.parametrize(
    ("addition", "then"),
    [
        pytest.param("A bis", RUNNING, id="the same"),
        pytest.param("a-BIS", RUNNING, id="the same, spelled otherwise"),
        pytest.param("B", NOBODY, id="another door"),
        pytest.param(None, NOBODY, id="no addition"),
    ],
)
def test_the_addition_is_part_of_the_address(addition: str | None, then: TrueReason) -> None:
    given = running("2025-01-10", without(ANNA, house_number_addition="A bis"))
    assert decision(given, at(ANNA, "birth_date", house_number_addition=addition)).reason is then


def answered(given: Story, *said: dict[str, Any], when: Line | None = None) -> Case:
    """An address-only match, and what the team found out about it."""
    case = Case()
    case.feed(given, when or at(ANNA))
    for number, command in enumerate(said):
        case.command(command_id=f"c{number}", **command)
    return case


def confirm(trajectory: str = "T1", client: int = 0) -> dict[str, Any]:
    return {"kind": "CONFIRM_IDENTITY", "trajectory": trajectory, "client": client}


def refute(trajectory: str = "T1", client: int = 0) -> dict[str, Any]:
    return {"kind": "REFUTE_IDENTITY", "trajectory": trajectory, "client": client}


@pytest.mark.parametrize(
    ("said", "then"),
    [
        pytest.param([confirm()], (RUNNING, 0), id="confirmed: corrected to the counsellor"),
        pytest.param([confirm(client=1)], (RUNNING, 1), id="whoever of the two it is"),
        pytest.param([refute()], (ADDRESS_ONLY, None), id="refuted: there is another"),
        pytest.param([refute(), refute(client=1)], (NOBODY, None), id="all refuted: nobody"),
        pytest.param([refute(), confirm()], (RUNNING, 0), id="confirmed after all"),
        pytest.param([confirm("T9")], (NOBODY, None), id="whoever was confirmed is not known there"),
    ],
)
def test_what_the_team_says_decides(said: list[dict[str, Any]], then: tuple[TrueReason, int | None]) -> None:
    found = answered(COUPLE, *said).decision()
    assert (found.reason, found.client) == then
    assert found.matched_by is (None if then[0] is NOBODY else MatchedBy.ADDRESS)


def test_the_next_event_does_not_undo_what_was_said() -> None:
    case = answered(COUPLE, confirm())
    case.feed(running("2026-02-01", {**HOME, "birth_date": "1990-01-01"}, trajectory="T2"))
    assert (case.decision().reason, case.decision().trajectory_id) == (RUNNING, "T1")


def test_a_command_that_comes_again_does_not_undo_the_one_after_it() -> None:
    two = [*running(), *running("2025-06-01", BRAM, trajectory="T2")]
    case = answered(two, confirm("T1"), confirm("T2"))
    assert not case.command(command_id="c0", **confirm("T1"))
    assert case.decision().trajectory_id == "T2"


def test_a_refuted_candidate_stays_refuted_when_another_comes() -> None:
    case = answered(running(), refute())
    case.feed(running("2026-02-01", {**HOME, "birth_date": "1990-01-01"}, trajectory="T2"))
    assert case.decision().candidates == (Candidate("T2", 0),)


def test_what_was_said_of_another_trajectory_of_that_person_counts_for_all_of_his() -> None:
    case = answered([*running(), *running("2025-06-01", trajectory="T2")], confirm("T1"))
    assert (case.decision().trajectory_id, case.decision().client) == ("T2", 0)
