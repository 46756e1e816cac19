import pytest
from signaalwissel.processors.dpia_facts import DPIA_NEEDS, FACT_COLUMNS, dpia_lines, dpia_page
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_words import MEANINGS, settings_in_words
from signaalwissel.processors.privacy_page import texts

from tests.processors.given import default_policies
from tests.processors.privacy_support import filled_policy, with_another_number


def told(policy: Policy) -> str:
    """The sheet without the version, which every change changes."""
    return "\n".join(texts(dpia_page(policy))).replace(policy.version, "")


def test_every_setting_has_a_meaning() -> None:
    assert sorted(name for name, _, _ in settings_in_words(default_policies().default)) == sorted(MEANINGS)


@pytest.mark.parametrize(("name", "other"), with_another_number(filled_policy()))
def test_every_number_of_the_policy_is_on_the_sheet(name: str, other: Policy) -> None:
    assert told(other) != told(filled_policy()), name


def test_nobody_of_the_staff_is_named() -> None:
    policy = filled_policy(teams={"unavailable": ["b-17"], "administrators": ["bw-1", "bw-2"]})
    shown = {name: value for name, _, value in settings_in_words(policy)}
    assert (shown["teams.unavailable"], shown["teams.administrators"]) == ("1", "2")
    assert "b-17" not in told(policy)


def test_a_line_says_which_field_where_how_long_and_who() -> None:
    lines = list(dpia_lines(filled_policy()))
    bsn = next(line for line in lines if (line["record"], line["field"]) == ("EarlySignal", "subject.bsn"))
    assert tuple(bsn) == FACT_COLUMNS
    assert bsn == {
        "record": "EarlySignal",
        "field": "subject.bsn",
        "nature": "rechtstreeks herkenbaar",
        "personal": True,
        "store": "signals",
        "kept": "7 dagen (Kafka)",
        "writers": "signaalpartners",
        "readers": "intake",
    }
    task = next(line for line in lines if (line["record"], line["field"]) == ("tabel tasks", "status"))
    assert task["kept"] == (
        "5 jaar na afloop (retention.trajectory); ondernemer 7 jaar (retention.trajectory_of_entrepreneur)"
    )


def test_the_sheet_names_the_policy_and_marks_what_is_missing() -> None:
    empty = default_policies().default
    sheet = "\n".join(texts(dpia_page(empty)))
    assert empty.version in sheet
    assert all(f"[NOG INVULLEN: privacy.{key}]" in sheet for key in DPIA_NEEDS)
