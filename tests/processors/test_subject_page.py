"""The readable side of an export: plain Dutch, whatever was held, and never more than the export has."""

from typing import Any

import pytest
from signaalwissel.processors.privacy_page import as_html, texts
from signaalwissel.processors.subject_page import subject_page

EMPTY: dict[str, Any] = {
    "request_id": "export-1",
    "municipality": "0344",
    "made_at": "2026-03-01T10:00:00+00:00",
    "by_address_only": 0,
    "database": {"decisions": [], "trajectories": [], "tasks": [], "notices": [], "objections": []},
    "dead_letters": [],
    "topics": {},
}
DECISION = {
    "received_at": "2026-02-10T10:00:00+00:00",
    "partner_kind": "RENT",
    "signal_id": "S<1>",
    "arrears_cents": 25_005,
    "route": "REGULAR_FLOW",
    "explanation": None,
    "subject": {"subject": {"bsn": "999990019", "phone": None}, "customer_reference": "R"},
}
FULL: dict[str, Any] = EMPTY | {
    "by_address_only": 2,
    "database": {
        "decisions": [DECISION, DECISION | {"subject": None, "arrears_cents": None}],
        "trajectories": [
            {"trajectory_id": "T1", "facts": [{"occurred_on": "2025-01-10", "kind": "APPLIED"}]}
        ],
        "tasks": [
            {"opened_on": "2026-02-10", "kind": "CONTACT_ON_RELAPSE", "status": "OPEN", "team": "team-noord"}
        ],
        "notices": [{"occurred_on": "2026-02-10", "kind": "OBJECTION_RECORDED"}],
        "objections": [{"objection_id": "o", "lodged_on": "2026-02-11", "withdrawn_on": None}],
    },
    "dead_letters": [{"timestamp": "2026-02-10T10:00:00+00:00", "topic": "signals", "code": "INVALID_FIELD"}],
    "topics": {"signals": [{}, {}], "tasks": []},
}


def told(export: dict[str, Any]) -> str:
    return "\n".join(texts(subject_page(export)))


@pytest.mark.parametrize(
    "said",
    [
        "999990019",
        "€ 250,05",
        "10-2-2026",
        "uw verhuurder",
        "naar vroegsignalering",
        "aangevraagd",
        "contact met u opnemen over een melding",
        "uw bezwaar is vastgelegd",
        "U maakte bezwaar op 11-2-2026",
        "2 meldingen zonder naam",
        "INVALID_FIELD",
        "berichtenstroom: signals",
    ],
)
def test_what_is_held_is_told(said: str) -> None:
    assert said in told(FULL)


@pytest.mark.parametrize(
    "said",
    [
        "geen meldingen over u",
        "geen schuldhulptraject",
        "geen taken",
        "geen berichten",
        "geen persoonsgegevens",
    ],
)
def test_that_nothing_is_held_is_told_too(said: str) -> None:
    assert said in told(EMPTY)


def test_what_a_partner_wrote_is_text_and_no_markup() -> None:
    page = as_html(subject_page(FULL))
    assert "S&lt;1&gt;" in page
    assert "S<1>" not in page


def test_sentences_are_short() -> None:
    for text in told(FULL).split("\n"):
        for sentence in text.split(". "):
            assert len(sentence.split()) <= 20, sentence
