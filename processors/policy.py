"""Policies: every number and choice of the rules, per municipality, from TOML.

In: a folder with `default.toml` and one `NNNN.toml` per municipality that overrides it. Out: a validated Policy per
municipality, versioned by the hash of what it says. Errors name file, key and bound. Defaults are those of domain 8.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator
from signaalwissel.processors.policy_bounds import rights_faults, signal_faults, trajectory_faults
from signaalwissel.processors.policy_sections import (
    RIGHTS_PERIODS,
    Channels,
    Contacts,
    Corrections,
    Deadlines,
    Feedback,
    Figures,
    Identity,
    Inform,
    Intake,
    Ladder,
    Privacy,
    Repeats,
    Retention,
    Section,
    Teams,
    Window,
)
from signaalwissel.processors.processing_register import BUILT_IN, Register, RegisterError, read_register

_MUNICIPALITY = re.compile(r"[0-9]{4}")
_VERSION_LENGTH = 16
_TOPIC_RETENTION_DAYS = 30
_IDLE_MARGIN_DAYS = 30
_DAYS_PER_MONTH = 31


class PolicyError(ValueError):
    """A policy file cannot be used: names file, key and bound."""


class Policy(Section):
    """Everything that a municipality may decide for itself."""

    window: Window = Window()
    identity: Identity = Identity()
    intake: Intake = Intake()
    corrections: Corrections = Corrections()
    deadlines: Deadlines = Deadlines()
    ladder: Ladder = Ladder()
    teams: Teams
    repeats: Repeats = Repeats()
    contacts: Contacts = Contacts()
    inform: Inform = Inform()
    figures: Figures = Figures()
    feedback: Feedback = Feedback()
    channels: Channels = Channels()
    privacy: Privacy = Privacy()
    retention: Retention

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        self._ends_before_corrections()
        self._offers_before_the_deadlines()
        period = self.corrections.period_days
        if self.retention.signal.months * _DAYS_PER_MONTH < period + _TOPIC_RETENTION_DAYS:
            raise ValueError(
                f"retention.signal.months = {self.retention.signal.months} is shorter than corrections.period_days"
                f" + {_TOPIC_RETENTION_DAYS} days that the topics keep a record"
            )
        return self

    @model_validator(mode="after")
    def _tells_no_partner_by_the_channel_alone(self) -> "Policy":
        openly = self.feedback.tell_known_to_debt_help or self.channels.regular_side_too
        if self.channels.partners and not openly:
            raise ValueError(
                "channels.partners: a partner whom only we tell knows by that that the resident is in debt help; set"
                " channels.regular_side_too = true once the regular side tells him by the same channel, or"
                " feedback.tell_known_to_debt_help = true where the municipality tells it anyway"
            )
        return self

    def _ends_before_corrections(self) -> None:
        # What a task asks of the matcher must come while the signal can still be corrected.
        period = self.corrections.period_days
        late = {
            "ladder.team_after_days": self.ladder.team_after_days,
            "ladder.offer_to_regular_after_days": self.ladder.offer_to_regular_after_days,
            "deadlines.verify_identity_days": self.deadlines.verify_identity_days,
            "deadlines.verify_identity_expires_days": self.deadlines.verify_identity_expires_days,
        }
        for key, days in late.items():
            if days >= period:
                raise ValueError(f"{key} = {days} must end before corrections.period_days = {period}")

    def _offers_before_the_deadlines(self) -> None:
        if self.ladder.offer_to_regular_after_days >= self.deadlines.contact_days:
            raise ValueError(
                f"ladder.offer_to_regular_after_days = {self.ladder.offer_to_regular_after_days} "
                f"must lie before deadlines.contact_days = {self.deadlines.contact_days}"
            )
        if self.ladder.crisis_offer_after_working_days >= self.deadlines.crisis_working_days:
            raise ValueError(
                f"ladder.crisis_offer_after_working_days = {self.ladder.crisis_offer_after_working_days} "
                f"must lie before deadlines.crisis_working_days = {self.deadlines.crisis_working_days}"
            )

    @cached_property
    def version(self) -> str:
        """Hash of what the policy decides; stands on every decision."""
        return version_of(canonical_json(self.rules))

    @property
    def rules(self) -> dict[str, Any]:
        """What decides about signals.

        Without `privacy` and `channels`, as another telephone number or address makes no other policy, and without the
        periods of what is kept of requests, erasures and objections.
        """
        left_out: dict[str, Any] = {"privacy": True, "channels": True, "retention": set(RIGHTS_PERIODS)}
        return self.model_dump(mode="json", exclude=left_out)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting but `privacy` and `channels`."""
        return self.model_dump(mode="json", exclude={"privacy", "channels"})

    def under(self, version: str) -> "Policy":
        """The same policy under the version that an earlier release gave it: a setting added since would change it."""
        same = self.model_copy()
        same.__dict__["version"] = version
        return same

    @property
    def state_idle_days(self) -> int:
        """Days without a write after which the matcher may drop its copy of a trajectory (design 3)."""
        return self.window.months * _DAYS_PER_MONTH + self.corrections.period_days + _IDLE_MARGIN_DAYS


def canonical_json(content: Any) -> bytes:
    """The one way in which a policy's content is written, so that the same content gives the same hash."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def version_of(canonical: bytes) -> str:
    """The version of a policy, from its canonical JSON."""
    return hashlib.sha256(canonical).hexdigest()[:_VERSION_LENGTH]


class Policies:
    """The policy of each municipality.

    Args:
        default: What every municipality's file builds on.
        municipalities: The policies of the municipalities that have a file.
        registers: The register of processing activities of each, by municipality and "" for the default; without one
            the built-in entries.
        for_every_code: Whether the default stands in for a municipality without a file: in `simulate` and `demo`
            only, never in production (design 6).
    """

    def __init__(
        self,
        default: Policy,
        municipalities: Mapping[str, Policy] | None = None,
        *,
        registers: Mapping[str, Register] | None = None,
        for_every_code: bool = False,
    ) -> None:
        self._registers = dict(registers or {})
        self._default = default
        self._municipalities = dict(municipalities or {})
        self._for_every_code = for_every_code

    @property
    def default(self) -> Policy:
        """What every municipality's file builds on."""
        return self._default

    def register_of(self, municipality: str) -> Register:
        """The register of processing activities of a municipality, or that of the default."""
        return self._registers.get(municipality) or self._registers.get("", BUILT_IN)

    def get(self, municipality: str) -> Policy | None:
        """The policy of `municipality`, or None where it has none."""
        found = self._municipalities.get(municipality)
        return self._default if found is None and self._for_every_code else found

    def __getitem__(self, municipality: str) -> Policy:
        found = self.get(municipality)
        if found is None:
            raise PolicyError(
                f"municipality {municipality}: no policy; add {municipality}.toml to the policy folder"
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._municipalities))


def packaged_policies(*, for_every_code: bool = False) -> Policies:
    """The default policy that comes with the product."""
    with resources.as_file(resources.files("signaalwissel.processors")) as folder:
        return load_policies(folder, for_every_code=for_every_code)


def load_policies(folder: Path, *, for_every_code: bool = False) -> Policies:
    """Read a policy folder.

    Raises:
        PolicyError: A file is missing, is no TOML, or breaks a bound; names file, key and bound.
    """
    default_file = folder / "default.toml"
    if not default_file.is_file():
        raise PolicyError(f"{default_file}: missing; the policy folder needs a default.toml")
    default_content = _read(default_file)
    default = checked_policy(default_file, default_content)
    municipalities = {}
    registers = {"": _register(default_file, default)}
    for file in sorted(folder.glob("*.toml")):
        if file == default_file:
            continue
        if not _MUNICIPALITY.fullmatch(file.stem):
            raise PolicyError(f"{file}: the name must be a municipality's four digits, like 0344.toml")
        policy = municipalities[file.stem] = checked_policy(file, _merged(default_content, _read(file)))
        registers[file.stem] = _register(file, policy)
    return Policies(default, municipalities, registers=registers, for_every_code=for_every_code)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: is not TOML: {error}") from error
    except OSError as error:
        raise PolicyError(f"{file}: cannot be read: {error.strerror}") from error


def checked_policy(file: Path | str, content: Mapping[str, Any]) -> Policy:
    """The policy that a file's content makes; raises PolicyError, which names the file, the key and the bound."""
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        findings = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'policy'}: {e['msg']}" for e in error.errors()
        )
        raise PolicyError(f"{file}: {findings}") from error
    faults = [
        *signal_faults(policy.retention, policy.corrections, policy.intake, policy.repeats),
        *trajectory_faults(policy.retention, policy.corrections, policy.intake, policy.window),
        *rights_faults(policy.retention, policy.corrections),
    ]
    if faults:
        raise PolicyError(f"{file}: {'; '.join(faults)}")
    return policy


def _register(file: Path, policy: Policy) -> Register:
    name = policy.privacy.processing_register
    if name is None:
        return BUILT_IN
    register_file = file.parent / name
    try:
        return read_register(register_file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{register_file} cannot be read: {type(error).__name__}"
    except RegisterError as error:
        reason = f"{register_file}: {error}"
    raise PolicyError(f"{file}: privacy.processing_register: {reason}")


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
