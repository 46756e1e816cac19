"""The policy in words: sections, settings, bounds and values in Dutch, from the policy's own model.

In: a policy and the default. Out: what the page shows and its form asks.
"""

from collections.abc import Iterator
from typing import NamedTuple

from signaalwissel.console.webpages.words import EXITS
from signaalwissel.processors.comparison import ACCEPTED
from signaalwissel.processors.policy import Policy
from signaalwissel.processors.policy_trial import Form, Setting, settings_of
from signaalwissel.processors.policy_words import MEANINGS, settings_in_words

SECTIONS = {
    "window": "Na afloop van een traject",
    "identity": "Wanneer is het dezelfde persoon?",
    "intake": "Welke berichten worden aangenomen",
    "corrections": "Herstel achteraf",
    "deadlines": "Termijnen voor taken",
    "ladder": "Als de inwoner niet wordt bereikt",
    "teams": "Wie pakt het op",
    "repeats": "Herhaalde meldingen",
    "contacts": "Vaste contacten",
    "inform": "De inwoner informeren",
    "figures": "Cijfers",
    "feedback": "Terugkoppeling aan partners",
    "retention": "Bewaartermijnen",
}
"""The heading of each table of a policy file."""
KINDS = {
    "route": "gaan een andere kant op",
    "reason": "krijgen een andere reden",
    "trajectory": "horen bij een ander traject",
    "owner": "krijgen een andere eigenaar",
    "due_on": "krijgen een andere uiterste dag",
    "steps": "krijgen op een andere dag een herinnering, ander team, hulpaanbod of einde",
    ACCEPTED: "worden maar in een van beide aangenomen",
}
"""What can change for a signal."""
_VALUES = {"verify": "eerst nagaan", "hit": "een treffer", **{str(one): text for one, text in EXITS.items()}}


class Line(NamedTuple):
    """One setting in words; `differs` tells that the municipality chose it."""

    setting: Setting
    meaning: str
    value: str
    bounds: str
    differs: bool

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Each choice as value, text, and whether it is the present one."""
        return [(value, in_words(text), value in self.setting.chosen) for value, text in self.setting.choices]


class SectionInWords(NamedTuple):
    """A table of the policy in words."""

    name: str
    heading: str
    lines: list[Line]

    @property
    def to_try(self) -> list[Line]:
        """What can be tried out."""
        return [line for line in self.lines if line.setting.form is not Form.FIXED]


def sections(policy: Policy, default: Policy) -> list[SectionInWords]:
    """The whole policy, in the order of its model."""
    shown = {name: text for name, _, text in settings_in_words(policy)}
    usual = {setting.name: setting.value for setting in settings_of(default)}
    found: dict[str, SectionInWords] = {}
    for setting in settings_of(policy):
        name = setting.section
        section = found.setdefault(name, SectionInWords(name, SECTIONS.get(name, name), []))
        value = ", ".join(map(in_words, shown[setting.name].split(", ")))
        meaning = MEANINGS.get(setting.name, setting.name)
        differs = setting.value != usual[setting.name]
        section.lines.append(Line(setting, meaning, value, " ".join(_bounds(setting)), differs))
    return list(found.values())


def in_words(value: str) -> str:
    """A value of a setting as the page says it."""
    return _VALUES.get(value, value)


def _bounds(setting: Setting) -> Iterator[str]:
    if setting.low is not None and setting.low == setting.high:
        yield f"alleen {setting.low}"
    elif setting.low is not None and setting.high is not None:
        yield f"van {setting.low} tot en met {setting.high}"
    elif setting.form is Form.CHOICE:
        yield " of ".join(in_words(value) for value, _ in setting.choices)
