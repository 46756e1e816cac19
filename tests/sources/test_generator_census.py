"""Every scenario occurs in a small month: 2,000 residents, 5,000 signals."""

from collections import Counter
from typing import Any

import pytest

from tests.sources.census import census

KINDS = [
    "APPLIED",
    "ADMITTED",
    "REFUSED",
    "PLAN_ADOPTED",
    "STABILISATION_STARTED",
    "SETTLEMENT_STARTED",
    "SOLUTION_STARTED",
    "SERVICE_OPENED",
    "SERVICE_CLOSED",
    "MONITORING_STARTED",
    "MONITORING_ENDED",
    "AFTERCARE_STARTED",
    "AFTERCARE_ENDED",
    "EXITED",
    "REOPENED",
    "COUNSELLOR_ASSIGNED",
    "CLIENT_CHANGED",
    "RESIDENT_INFORMED",
    "OBJECTION_LODGED",
    "OBJECTION_WITHDRAWN",
    "WITHDRAWN_IN_ERROR",
    "ERASED",
]
EXITS = [
    "COMPLETED",
    "SELF",
    "WITHDRAWN",
    "NO_SHOW",
    "NOT_SUITABLE",
    "NOT_ELIGIBLE",
    "MOVED",
    "DECEASED",
    "OTHER",
]
SERVICES = [
    "BUDGET_COACHING",
    "BUDGET_MANAGEMENT",
    "PROTECTIVE_ADMINISTRATION",
    "LONG_TERM_GUIDANCE",
    "BUDGET_GUIDANCE",
]
SOLUTIONS = ["PAYMENT_PLAN", "REFINANCING", "RESTRUCTURING_LOAN", "MEDIATION", "ZERO_OFFER"]
PARTNERS = [
    "ENERGY",
    "RENT",
    "MORTGAGE",
    "HEALTH_INSURANCE",
    "WATER",
    "CAK_HEALTH",
    "CAK_CONTRIBUTION",
    "DUO",
    "TAX",
    "BENEFITS",
    "OTHER",
]
SCENARIOS = [
    *(f"kind {kind}" for kind in KINDS),
    *(f"exit {reason}" for reason in EXITS),
    *(f"service {service}" for service in SERVICES),
    *(f"solution {solution}" for solution in SOLUTIONS),
    *(f"partner {kind}" for kind in PARTNERS),
    "running", "one client", "two clients", "trajectory without BSN", "client without birth date", "returning client",
    "client left out", "client joined", "one of two deceased", "moved", "moved back", "address unknown",
    "bsn mended", "birth_date mended", "exit replaced", "reopened and exited", "reopened and running",
    "AFTERCARE open", "AFTERCARE closed", "MONITORING open", "MONITORING closed", "service open", "service closed",
    "service opened again", "withdrawn for good", "withdrawn and applied again", "objection stands",
    "objection withdrawn", "never a counsellor", "recorded later, occurred earlier", "recorded on the day",
    "recorded weeks late", "recorded more than 35 days late", "recorded around midnight",
    "recorded while the clocks change", "event twice", "event twice, recorded at another moment",
    "event before its predecessor", "event before its application", "same number in two municipalities",
    "same BSN in two municipalities", "more than eight clients on one address", "same birth date on one address",
    "several clients on one address", "same number of two partners", "sent again, the same", "sent again, changed",
    "sent again, at the period's edge", "sent again, beyond the period", "repeated report", "repeated report, higher",
    "crisis", "warm_transfer", "collection_effort_attested", "sent on an unknown day", "sent on the day of receipt",
    "received around midnight", "received on another day in UTC", "signal with surname", "surname with diacritics",
    "postcode spelled differently", "single on an address", "several on an address in a month",
    "a day before the window's end", "on the window's end", "a day after the window's end",
    "on a clamped window's end", "exit on one of the signal's days", "exit recorded after the signal",
    "exit recorded beyond the signal's horizon",
]  # fmt: skip


@pytest.fixture(scope="module")
def found(good_lines: list[dict[str, Any]]) -> Counter[str]:
    return census(good_lines)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_occurs(found: Counter[str], scenario: str):
    assert found[scenario] > 0


def test_the_list_of_scenarios_is_complete(found: Counter[str]):
    assert set(found) <= set(SCENARIOS)
