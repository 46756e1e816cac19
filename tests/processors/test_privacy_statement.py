"""The privacy statement: complete, derived from the policy, and written for everybody.

`test_sentences_are_short` and its neighbours measure what can be counted of level B1: words in a sentence, letters in
a word, and officialese from a list. They do not measure whether a reader understands the text; only readers can tell.
What a municipality wrote itself, the reasons of its periods and its name, is not measured.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.privacy_page import Heading, as_html, texts
from signaalwissel.processors.privacy_statement import STATEMENT_NEEDS, privacy_statement
from signaalwissel.processors.privacy_words import EXITS, PARTNERS, missing, months
from signaalwissel.schemas.signal import PartnerKind
from signaalwissel.schemas.trajectory import ExitReason

from tests.processors.given import default_policies, policy_with
from tests.processors.privacy_support import FILLED, REASON, filled_policy, with_another_number

# What steers the machinery or the staff and tells a resident nothing; the DPIA facts have these too.
NOT_FOR_RESIDENTS = {
    "intake.signal_age_days_max",
    "intake.resend_days",
    "intake.orphan_days",
    "deadlines.verify_identity_expires_days",
    "deadlines.evaluate_plan_days",
    "ladder.remind_after_days",
    "ladder.crisis_team_after_working_days",
    "ladder.crisis_offer_after_working_days",
    "ladder.overdue_remind_every_days",
    "contacts.monthly_remind_days_before",
}
WORDS_MAX = 20
MEAN_WORDS_MAX = 11
LETTERS_MAX = 20
OFFICIALESE = [
    "aangaande",
    "alsmede",
    "betreffende",
    "betrokkene",
    "bewaartermijn",
    "conform",
    "derhalve",
    "dient",
    "dienen",
    "doeleinden",
    "echter",
    "geautomatiseerde",
    "gerechtvaardigd",
    "grondslag",
    "hetgeen",
    "hieromtrent",
    "indien",
    "ingevolge",
    "inzake",
    "jegens",
    "middels",
    "mits",
    "omtrent",
    "onderhavige",
    "rechtsgevolg",
    "reeds",
    "teneinde",
    "tevens",
    "uitsluitend",
    "verstrekken",
    "verwerking",
    "verwerken",
    "verwerkingsverantwoordelijke",
    "verzoeken",
    "voornoemd",
    "wederom",
    "zulks",
]
PHRASES = ("met betrekking tot", "ten behoeve van", "in het kader van", "op grond van", "ten aanzien van")


def told(policy: Policy) -> str:
    return "\n".join(texts(privacy_statement(policy)))


def every_variant() -> list[str]:
    """The text under policies that choose otherwise, so that every sentence is measured."""
    return [
        told(filled_policy()),
        told(filled_policy(feedback={"tell_known_to_debt_help": True}, figures={"suppress_below": 0})),
        told(
            filled_policy(
                identity={"name_and_address": "hit"}, window={"reasons_that_count": list(ExitReason)}
            )
        ),
        told(filled_policy(window={"reasons_that_count": []})),
    ]


def sentences() -> list[list[str]]:
    split = (
        sentence.split()
        for text in every_variant()
        for line in text.replace(REASON, "").splitlines()
        for sentence in re.split(r"[.?!:](?:\s|$)", line)
    )
    return [words for words in split if words]


@pytest.mark.parametrize(
    ("name", "other"), with_another_number(filled_policy()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_number_that_concerns_a_resident_is_in_the_text(name: str, other: Policy) -> None:
    assert (told(other) != told(filled_policy())) is (name not in NOT_FOR_RESIDENTS)


@given(st.integers(1, 24), st.integers(6, 240), st.integers(1, 240), st.integers(1, 240))
def test_window_and_periods_are_told_as_the_policy_has_them(
    window: int, signal: int, trajectory: int, entrepreneur: int
) -> None:
    periods = {"signal": signal, "trajectory": trajectory, "trajectory_of_entrepreneur": entrepreneur}
    text = told(
        filled_policy(
            window={"months": window},
            retention={
                kind: {"months": count, "justification": f"De reden van {kind}."}
                for kind, count in periods.items()
            },
        )
    )
    assert f"toetsen wij nog {months(window)}." in text
    for kind, count in periods.items():
        assert re.search(rf": {months(count)}[^:]*\. Waarom zo lang\? De reden van {kind}\.", text)


def test_the_example_of_the_window_follows_the_calendar() -> None:
    assert "31 augustus 2025. Dan toetsen wij tot en met 28 februari 2026." in told(filled_policy())
    assert "tot en met 30 november 2025" in told(filled_policy(window={"months": 3}))


@pytest.mark.parametrize(
    "topic",
    [
        "Waarom gebruiken wij uw gegevens?",
        "Welke gegevens gebruiken wij?",
        "Van wie krijgen wij uw gegevens?",
        "Wie ziet uw gegevens?",
        "Hoe lang toetsen wij meldingen?",
        "nazorg",
        "Toetsen wij ook na afloop?",
        "Hoe lang bewaren wij uw gegevens, en waarom?",
        "Beslist een computer over u?",
        "Hoe hoort u van ons dat wij dit doen?",
        "Inzage:",
        "Verwijderen:",
        "Bezwaar:",
        "Autoriteit Persoonsgegevens",
        *(FILLED[key] for key in STATEMENT_NEEDS),
    ],
)
def test_nothing_that_a_resident_must_be_told_is_missing(topic: str) -> None:
    assert topic in told(filled_policy())


def test_every_kind_of_partner_and_every_reason_that_counts_is_named() -> None:
    text = told(filled_policy(window={"reasons_that_count": list(ExitReason)}))
    assert set(PARTNERS) == set(PartnerKind)
    assert set(EXITS) == set(ExitReason)
    assert all(words in text for words in (*PARTNERS.values(), *EXITS.values()))
    assert EXITS[ExitReason.MOVED] not in told(filled_policy())


def test_choices_without_a_number_change_the_text_too() -> None:
    variants = [
        *every_variant(),
        told(filled_policy(contacts={"monthly": False})),
        told(filled_policy(contacts={"aftercare": False})),
        told(filled_policy(identity={"name_and_address": "hit"})),
    ]
    assert len(set(variants)) == len(variants)


def test_what_a_municipality_did_not_fill_in_is_marked_and_never_invented() -> None:
    empty = default_policies().default
    assert missing(empty.privacy, STATEMENT_NEEDS) == tuple(f"privacy.{key}" for key in STATEMENT_NEEDS)
    assert all(f"[NOG INVULLEN: privacy.{key}]" in told(empty) for key in STATEMENT_NEEDS)
    assert "NOG INVULLEN" not in told(filled_policy())
    assert missing(filled_policy().privacy, STATEMENT_NEEDS) == ()


def test_another_telephone_number_makes_no_other_policy() -> None:
    assert filled_policy().version == filled_policy(privacy={"contact_phone": "030 765 43 21"}).version


def test_headings_come_in_order() -> None:
    levels = [
        block.level for block in privacy_statement(filled_policy()).blocks if isinstance(block, Heading)
    ]
    assert set(levels) == {2}
    assert as_html(privacy_statement(filled_policy())).count("<h1>") == 1


def test_sentences_are_short() -> None:
    lengths = [len(words) for words in sentences()]
    assert [" ".join(words) for words in sentences() if len(words) > WORDS_MAX] == []
    assert sum(lengths) / len(lengths) <= MEAN_WORDS_MAX


def test_words_are_no_longer_than_the_field_makes_them() -> None:
    words = {word.strip(".,;()") for sentence in sentences() for word in sentence}
    assert sorted(word for word in words if len(word) > LETTERS_MAX and "." not in word) == []


def test_there_is_no_officialese() -> None:
    text = " ".join(every_variant()).lower()
    assert sorted(set(re.findall(r"[a-zé]+", text)) & set(OFFICIALESE)) == []
    assert [phrase for phrase in PHRASES if phrase in text] == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("website", "http://www.voorbeeld.nl"),
        ("website", "https://www.voorbeeld.nl/<b>"),
        ("website", "javascript:alert(1)"),
        ("contact_email", "privacy"),
        ("contact_email", "a@b@c.nl"),
        ("officer_email", "fg@voorbeeld.nl\nBcc: x@y.nl"),
        ("contact_phone", "bel ons"),
        ("register_category", "Onschuldig"),
        ("register_begin", "2026-13"),
        ("organisation", " "),
        ("unknown", "x"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key):
        policy_with(privacy={key: value})
