"""Another policy, to try out: what of a policy can be changed, within which bounds, and the policy that it makes.

In: a policy, and what somebody fills in. Out: fields with their bounds, read from the policy's own model, so that none
is written down twice; another policy as a value. Nothing here reads or writes a file: a policy that is tried out is in
force nowhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from signaalwissel.processors.policy import Policies, Policy, checked_policy
from signaalwissel.processors.policy_sections import Section

_NOT_RULES = ("privacy", "channels")
_YES, _NO = "ja", "nee"
_YES_OR_NO = ((_YES, _YES), (_NO, _NO))
_NAME = "policy"


class Form(StrEnum):
    """How a setting is filled in."""

    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    FIXED = "fixed"
    """Shown, and not to be tried out: a text, or a list that no one field holds."""


class Setting(NamedTuple):
    """A setting of a policy.

    Attributes:
        name: As in the policy file, such as `window.months`.
        value: As JSON has it.
        low, high: The bounds of a number, None where it has none.
        choices: What can be chosen, each as value and text.
    """

    name: str
    value: Any
    form: Form
    low: int | None = None
    high: int | None = None
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def section(self) -> str:
        """The table of the policy file in which it stands."""
        return self.name.split(".", 1)[0]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The value as a form sends it."""
        if isinstance(self.value, bool):
            return (_YES if self.value else _NO,)
        return tuple(map(str, self.value)) if isinstance(self.value, list) else (str(self.value),)


def settings_of(policy: Policy) -> list[Setting]:
    """Every setting that decides, in the order of the policy's own model."""
    return list(_settings(type(policy), policy.settings, ""))


def tried(policy: Policy, given: Mapping[str, Sequence[str]]) -> Policy:
    """The policy with other values for some settings; the same object's content where nothing differs.

    Args:
        policy: The policy in force; it is not touched.
        given: By name what somebody filled in; names of no setting, and settings that are not tried out, are passed
            over.

    Raises:
        PolicyError: A value is none, or breaks a bound; names key and bound.
    """
    content = policy.model_dump(mode="json")
    for setting in settings_of(policy):
        values = given.get(setting.name)
        if values is not None and setting.form is not Form.FIXED:
            _put(content, setting.name, _value(setting, values))
    return checked_policy(_NAME, content)


def differences(before: Policy, after: Policy) -> list[tuple[Setting, Setting]]:
    """The settings whose value differs, as they were and as they would be."""
    pairs = zip(settings_of(before), settings_of(after), strict=True)
    return [(old, new) for old, new in pairs if old.value != new.value]


def only(policy: Policy) -> Policies:
    """A policy for every municipality, for a simulation."""
    return Policies(policy, for_every_code=True)


def _settings(model: type[Section], content: Mapping[str, Any], path: str) -> Iterator[Setting]:
    for name, info in model.model_fields.items():
        if not path and name in _NOT_RULES:
            continue
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from _settings(kind, content[name], f"{path}{name}.")
        else:
            yield _setting(path + name, content[name], info)


def _setting(name: str, value: Any, info: FieldInfo) -> Setting:
    kind = info.annotation
    if kind is bool:
        return Setting(name, value, Form.CHOICE, choices=_YES_OR_NO)
    if kind is int:
        low = next((int(str(one.ge)) for one in info.metadata if isinstance(one, Ge)), None)
        high = next((int(str(one.le)) for one in info.metadata if isinstance(one, Le)), None)
        return Setting(name, value, Form.NUMBER, low, high)
    if get_origin(kind) is Literal:
        return Setting(name, value, Form.CHOICE, choices=tuple((one, one) for one in get_args(kind)))
    symbols = get_args(kind)[:1]
    if (
        get_origin(kind) is tuple
        and symbols
        and isinstance(symbols[0], type)
        and issubclass(symbols[0], StrEnum)
    ):
        choices = tuple((one.value, one.value) for one in symbols[0])
        return Setting(name, value, Form.CHOICES, choices=choices)
    return Setting(name, value, Form.FIXED)


def _value(setting: Setting, values: Sequence[str]) -> Any:
    if setting.form is Form.CHOICES:
        return list(values)
    text = values[-1] if values else ""
    if setting.choices == _YES_OR_NO:
        return {_YES: True, _NO: False}.get(text, text)
    return text


def _put(content: dict[str, Any], name: str, value: Any) -> None:
    *tables, last = name.split(".")
    for table in tables:
        content = content[table]
    content[last] = value
