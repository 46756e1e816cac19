from datetime import UTC, date, datetime
from typing import Any

import pytest
from signaalwissel.processors import ddas_terms
from signaalwissel.processors.ddas_signals import (
    CaseFacts,
    Clients,
    Contact,
    SignalFacts,
    case_entry,
    client_entry,
    signal_entry,
)
from signaalwissel.processors.ddas_trajectories import trajectory_entries
from signaalwissel.processors.periods import Days
from signaalwissel.schemas.followup import ContactChannel, ContactOutcome
from signaalwissel.schemas.internal import Fact, TrajectoryState
from signaalwissel.schemas.routing import Route, TrueReason
from signaalwissel.schemas.signal import PartnerKind, Subject
from signaalwissel.schemas.trajectory import ExitReason, Service

from tests.processors.agenda_support import ANNA, BRAM, Kind, applied, fact

FULL = Subject(
    bsn="11222333",
    postcode="3511 ab",
    house_number=12,
    house_number_addition="bis",
    birth_date=date(1980, 1, 2),
    surname="Jansen",
    phone="0612345678",
)
ADDRESS = {
    "postcode": "3511AB",
    "huisnummer": "12",
    "huisnummertoevoeging": "bis",
    "geboortedatum": "1980-01-02",
}
SIGNAL = SignalFacts(
    b"ref", PartnerKind.RENT, 12_350, None, date(2026, 2, 1), False, True, Route.REGULAR_FLOW,
    TrueReason.NO_TRAJECTORY,
)  # fmt: skip
YEAR = Days(date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("subject", "clients", "expected"),
    [
        (FULL, "bsn", {"burgerservicenummer": "011222333"}),
        (FULL, "address", ADDRESS),
        (FULL, "withheld", None),
        (Subject(bsn="111222333"), "address", None),
        (FULL._replace(bsn=None), "bsn", ADDRESS),
        (FULL._replace(house_number_addition="achter"), "address", None),
        (FULL._replace(postcode="0511AB"), "address", None),
        (FULL._replace(house_number=None), "address", None),
    ],
)
def test_a_resident_is_a_bsn_and_nothing_else_or_an_address_and_no_name(
    subject: Subject, clients: Clients, expected: dict[str, str] | None
) -> None:
    assert client_entry(subject, clients) == expected


def test_a_signal_is_dated_and_in_whole_euros() -> None:
    assert signal_entry(SIGNAL, ADDRESS) == {
        "ID": b"ref".hex(),
        "signaalpartner": {"type": "Huur"},
        "client": ADDRESS,
        "crisissignaal": False,
        "warmeOverdracht": True,
        "bedrag": 124,
        "signaaldatum": "2026-02-01",
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"route": Route.COUNSELLOR_FOLLOWUP}, "Inwoner al bekend bij schuldhulpverlening"),
        ({"reason": TrueReason.DECEASED}, "Inwoner is overleden"),
        ({}, None),
    ],
)
def test_a_status_is_told_only_where_it_is_known(changes: dict[str, Any], status: str | None) -> None:
    assert signal_entry(SIGNAL._replace(**changes), ADDRESS).get("status") == status


def test_a_case_was_taken_up_with_its_first_attempt_and_its_times_are_those_of_amsterdam() -> None:
    at = [datetime(2026, 2, 3, 10, 30, tzinfo=UTC), datetime(2026, 7, 3, 22, 30, tzinfo=UTC)]
    contacts = [Contact(at[0], ContactChannel.PHONE, False), Contact(at[1], None, None)]
    assert case_entry(CaseFacts([b"a", b"b"], ContactOutcome.ARRANGES_ITSELF, contacts)) == {
        "vroegsignalen": [{"ID": "61"}, {"ID": "62"}],
        "resultaat": "Inwoner hoeft geen hulp vanuit vroegsignalering",
        "datumOpgepakt": "2026-02-03",
        "contactpogingen": [
            {"soort": "Telefoon", "datum": "2026-02-03", "dagdeel": "Ochtend", "bereikt": False},
            {"soort": "Onbekend", "datum": "2026-07-04", "dagdeel": "Ochtend"},
        ],
    }


def state(*facts: Fact) -> TrajectoryState:
    return TrajectoryState("0344", "T-1", 1, False, "e", facts, ())


def test_a_trajectory_has_its_phases_services_aftercare_and_exit() -> None:
    facts = (
        applied(),
        fact(Kind.ADMITTED, date(2025, 2, 1)),
        fact(Kind.PLAN_ADOPTED, date(2025, 3, 1)),
        fact(Kind.STABILISATION_STARTED, date(2025, 3, 2)),
        fact(Kind.SERVICE_OPENED, date(2025, 3, 3), service=Service.BUDGET_MANAGEMENT),
        fact(Kind.SETTLEMENT_STARTED, date(2025, 4, 1)),
        fact(Kind.SOLUTION_STARTED, date(2025, 5, 1)),
        fact(Kind.EXITED, date(2026, 2, 1), exit_reason=ExitReason.COMPLETED),
        fact(Kind.AFTERCARE_STARTED, date(2026, 2, 2)),
    )
    assert trajectory_entries(state(*facts), YEAR) == [
        {
            "gemeentecode": "0344",
            "startdatum": "2025-01-10",
            "aanmelding": {"startdatum": "2025-01-10"},
            "intake": {"beschikkingsdatum": "2025-02-01", "beschikkingssoort": "Toelatingsbeschikking"},
            "toekenningsdatum": "2025-02-01",
            "planVanAanpak": {"datumAfronding": "2025-03-01"},
            "stabilisatie": {"startdatum": "2025-03-02"},
            "schuldregeling": {"datum": "2025-04-01"},
            "oplossing": {"startdatum": "2025-05-01"},
            "begeleiding": [{"soort": "Budgetbeheer", "startdatum": "2025-03-03"}],
            "nazorg": {"startdatum": "2026-02-02"},
            "einddatum": "2026-02-01",
            "uitstroom": {
                "datum": "2026-02-01",
                "datumBeeindigingsbeschikking": "2026-02-01",
                "reden": "Afgerond",
            },
        }
    ]


def test_a_reopened_trajectory_is_two_and_a_refusal_is_no_exit() -> None:
    facts = (
        applied(),
        fact(Kind.REFUSED, date(2025, 2, 1)),
        fact(Kind.REOPENED, date(2026, 3, 1)),
        fact(Kind.ADMITTED, date(2026, 3, 9)),
    )
    both = Days(date(2025, 1, 1), date(2026, 12, 31))
    refused, running = trajectory_entries(state(*facts), both)
    assert refused["intake"]["beschikkingssoort"] == "Afwijzingsbeschikking"
    assert (refused["einddatum"], "uitstroom" in refused) == ("2025-02-01", False)
    assert (running["toekenningsdatum"], "einddatum" in running) == ("2026-03-09", False)
    assert trajectory_entries(state(*facts), YEAR) == [running]


def test_a_trajectory_of_two_ends_with_the_last_of_them() -> None:
    facts = (
        applied(ANNA, BRAM),
        fact(Kind.EXITED, date(2026, 1, 5), clients=(BRAM,), exit_reason=ExitReason.DECEASED),
    )
    assert "einddatum" not in trajectory_entries(state(*facts), YEAR)[0]
    ended = (*facts, fact(Kind.EXITED, date(2026, 2, 5), exit_reason=ExitReason.COMPLETED))
    assert trajectory_entries(state(*ended), YEAR)[0]["uitstroom"]["reden"] == "Afgerond"


def test_what_is_erased_or_lies_outside_the_period_is_left_out() -> None:
    ended = (applied(), fact(Kind.EXITED, date(2025, 12, 31), exit_reason=ExitReason.SELF))
    assert trajectory_entries(state(*ended), YEAR) == []
    assert trajectory_entries(state(applied())._replace(erased=True), YEAR) == []


def test_every_code_of_ours_has_a_word_of_the_model() -> None:
    for words, codes in (
        (ddas_terms.PARTNERS, PartnerKind),
        (ddas_terms.CHANNELS, ContactChannel),
        (ddas_terms.RESULTS, ContactOutcome),
        (ddas_terms.SERVICES, Service),
        (ddas_terms.EXITS, ExitReason),
    ):
        assert set(words) == set(codes)
