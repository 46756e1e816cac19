"""Trying another policy: what can be changed comes from the model, bounds hold, and the policy in force stays."""

import pytest
from signaalwissel.processors.policy import PolicyError, packaged_policies
from signaalwissel.processors.policy_trial import Form, differences, settings_of, tried
from signaalwissel.processors.policy_words import MEANINGS
from signaalwissel.schemas.trajectory import ExitReason

POLICY = packaged_policies().default


def test_every_setting_that_has_a_meaning_is_one_to_show() -> None:
    assert {setting.name for setting in settings_of(POLICY)} == set(MEANINGS)


def test_bounds_and_choices_are_those_of_the_model() -> None:
    known = {setting.name: setting for setting in settings_of(POLICY)}
    window = known["window.months"]
    assert (window.form, window.low, window.high) == (Form.NUMBER, 1, 24)
    assert [value for value, _ in known["window.reasons_that_count"].choices] == list(ExitReason)
    assert [value for value, _ in known["identity.name_and_address"].choices] == ["verify", "hit"]
    assert known["teams.default"].form is Form.FIXED


def test_what_is_sent_unchanged_makes_the_same_policy() -> None:
    given = {setting.name: setting.chosen for setting in settings_of(POLICY)}
    assert tried(POLICY, given).version == POLICY.version


def test_another_value_makes_another_policy_and_leaves_the_one_in_force() -> None:
    before = POLICY.model_dump_json()
    other = tried(
        POLICY,
        {
            "window.months": ["9"],
            "contacts.monthly": ["nee"],
            "window.reasons_that_count": ["COMPLETED", "MOVED"],
        },
    )
    assert [(old.name, new.value) for old, new in differences(POLICY, other)] == [
        ("window.months", 9),
        ("window.reasons_that_count", ["COMPLETED", "MOVED"]),
        ("contacts.monthly", False),
    ]
    assert other.version != POLICY.version
    assert POLICY.model_dump_json() == before


def test_names_of_no_setting_and_fixed_ones_are_passed_over() -> None:
    given = {"privacy.website": ["https://x.nl"], "teams.default": ["ik"], "gemeente": ["0344"]}
    assert tried(POLICY, given) == POLICY


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("window.months", "25", "less than or equal to 24"),
        ("window.months", "", "valid integer"),
        ("contacts.monthly", "misschien", "contacts.monthly"),
        ("deadlines.contact_days", "20", "must lie before deadlines.contact_days"),
        ("window.reasons_that_count", "GONE", "window.reasons_that_count"),
        ("retention.signal.months", "1", "retention.signal.months"),
    ],
)
def test_a_value_past_its_bound_is_refused_by_its_name(name: str, value: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        tried(POLICY, {name: [value]})
