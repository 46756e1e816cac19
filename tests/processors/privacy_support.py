"""Policies that differ in one number, and a municipality that filled in everything, for the privacy texts."""

from typing import Any

from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_words import settings_in_words

from tests.processors.given import policy_with

FILLED = {
    "organisation": "Gemeente Voorbeeld",
    "website": "https://www.voorbeeld.nl/privacy",
    "contact_email": "privacy@voorbeeld.nl",
    "contact_phone": "030 123 45 67",
    "officer_email": "fg@voorbeeld.nl",
    "register_category": "Overige algoritmes",
    "register_status": "In gebruik",
}
REASON = "Dat staat in de wet."


def filled_policy(**sections: Any) -> Policy:
    """The default policy with everything that only a municipality knows, and reasons in plain words."""
    periods = {
        "signal": {"months": 6, "justification": REASON},
        "trajectory": {"months": 60, "justification": REASON},
        "trajectory_of_entrepreneur": {"months": 84, "justification": REASON},
    }
    own = {"privacy": FILLED, "retention": periods}
    return policy_with(**{**own, **sections})


def with_another_number(policy: Policy) -> list[tuple[str, Policy]]:
    """For each number of the policy its name and a policy in which it alone is another.

    Its bounds are not looked at: a text follows its policy also where the law leaves a number no choice today.
    """
    changed = ((name, _changed(policy, name.split("."))) for name, _, _ in settings_in_words(policy))
    return [(name, other) for name, other in changed if other is not None]


def _changed(section: Any, path: list[str]) -> Any:
    key, *rest = path
    value = getattr(section, key)
    if rest:
        new = _changed(value, rest)
    elif isinstance(value, tuple) and value and isinstance(value[0], int):
        new = (value[0] + 1, *value[1:])
    else:
        new = value + 1 if isinstance(value, int) and not isinstance(value, bool) else None
    return None if new is None else section.model_copy(update={key: new})
