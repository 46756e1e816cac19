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
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, model_validator
from signaalwissel.schemas.trajectory import ExitReason

_MUNICIPALITY = re.compile(r"[0-9]{4}")
_VERSION_LENGTH = 16
_TOPIC_RETENTION_DAYS = 30
_IDLE_MARGIN_DAYS = 30
_DAYS_PER_MONTH = 31

Days = Annotated[int, Field(ge=0, le=3660)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class PolicyError(ValueError):
    """A policy file cannot be used: names file, key and bound."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Window(_Section):
    """How long a completed trajectory still counts (domain 8.1, 8.4)."""

    months: int = Field(default=6, ge=1, le=24)
    reasons_that_count: tuple[ExitReason, ...] = (ExitReason.COMPLETED,)


class Identity(_Section):
    """When a match is a match (domain 8.8)."""

    name_and_address: Literal["verify", "hit"] = "verify"
    address_persons_max: int = Field(default=8, ge=1, le=100)


class Intake(_Section):
    """What is accepted (domain 8.15, 8.16)."""

    signal_age_days_max: Days = 62
    resend_days: int = Field(default=35, ge=1, le=366)
    orphan_days: int = Field(default=30, ge=1, le=366)


class Corrections(_Section):
    """How long a late truth still corrects (domain 8.11)."""

    period_days: int = Field(default=35, ge=1, le=366)


class Deadlines(_Section):
    """By when a task must be done, counted from the day of receipt (domain 8.8, 8.9)."""

    contact_days: int = Field(default=28, ge=1, le=366)
    crisis_working_days: int = Field(default=3, ge=1, le=20)
    verify_identity_days: int = Field(default=14, ge=0, le=366)


class Ladder(_Section):
    """Who is next when the resident is not reached (domain 8.10): days after the day of receipt."""

    remind_after_days: tuple[int, ...] = (7, 14)
    team_after_days: int = Field(default=14, ge=1, le=366)
    offer_to_regular_after_days: int = Field(default=24, ge=1, le=366)


class Teams(_Section):
    """Who answers where no counsellor does (domain 8.7).

    `unavailable` are gone or outsourced counsellors, `administrators` ids of bewindvoerders: neither owns a task.
    """

    default: Text
    unavailable: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()

    @field_serializer("unavailable", "administrators", when_used="json")
    def _in_order(self, names: frozenset[str]) -> list[str]:
        # A set's own order differs from process to process, and the policy's version hangs on it.
        return sorted(names)

    def may_own(self, counsellor_id: str) -> bool:
        """Whether a task may go to this counsellor in person."""
        return counsellor_id not in self.unavailable and counsellor_id not in self.administrators


class Repeats(_Section):
    """When a report is a repeated one (domain 8.14)."""

    period_days: int = Field(default=183, ge=1, le=732)


class Feedback(_Section):
    """What partners are told (domain 8.17)."""

    tell_known_to_debt_help: bool = False


class RetentionPeriod(_Section):
    """How long a kind of data is kept, and why."""

    months: int = Field(ge=1, le=240)
    justification: Annotated[str, Field(min_length=10)]


class Retention(_Section):
    """Periods per kind of data, each with its reason (deck; design 7)."""

    trajectory: RetentionPeriod
    trajectory_of_entrepreneur: RetentionPeriod
    signal: RetentionPeriod


class Policy(_Section):
    """Everything that a municipality may decide for itself."""

    window: Window = Window()
    identity: Identity = Identity()
    intake: Intake = Intake()
    corrections: Corrections = Corrections()
    deadlines: Deadlines = Deadlines()
    ladder: Ladder = Ladder()
    teams: Teams
    repeats: Repeats = Repeats()
    feedback: Feedback = Feedback()
    retention: Retention

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        period = self.corrections.period_days
        late = {
            "ladder.team_after_days": self.ladder.team_after_days,
            "ladder.offer_to_regular_after_days": self.ladder.offer_to_regular_after_days,
            "deadlines.verify_identity_days": self.deadlines.verify_identity_days,
        }
        for key, days in late.items():
            if days >= period:
                raise ValueError(f"{key} = {days} must end before corrections.period_days = {period}")
        if self.ladder.offer_to_regular_after_days >= self.deadlines.contact_days:
            raise ValueError(
                f"ladder.offer_to_regular_after_days = {self.ladder.offer_to_regular_after_days} "
                f"must lie before deadlines.contact_days = {self.deadlines.contact_days}"
            )
        if self.ladder.team_after_days > self.ladder.offer_to_regular_after_days:
            raise ValueError("ladder.team_after_days must not lie after ladder.offer_to_regular_after_days")
        if self.retention.signal.months * _DAYS_PER_MONTH < period + _TOPIC_RETENTION_DAYS:
            raise ValueError(
                f"retention.signal.months = {self.retention.signal.months} is shorter than corrections.period_days"
                f" + {_TOPIC_RETENTION_DAYS} days that the topics keep a record"
            )
        return self

    @cached_property
    def version(self) -> str:
        """Hash of what the policy says; stands on every decision."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:_VERSION_LENGTH]

    @property
    def state_idle_days(self) -> int:
        """Days without a write after which the matcher may drop its copy of a trajectory (design 3)."""
        return self.window.months * _DAYS_PER_MONTH + self.corrections.period_days + _IDLE_MARGIN_DAYS


class Policies:
    """The policy of each municipality.

    Args:
        default: What every municipality's file builds on.
        municipalities: The policies of the municipalities that have a file.
        for_every_code: Whether the default stands in for a municipality without a file: in `simulate` and `demo`
            only, never in production (design 6).
    """

    def __init__(
        self,
        default: Policy,
        municipalities: Mapping[str, Policy] | None = None,
        *,
        for_every_code: bool = False,
    ) -> None:
        self._default = default
        self._municipalities = dict(municipalities or {})
        self._for_every_code = for_every_code

    @property
    def default(self) -> Policy:
        """What every municipality's file builds on."""
        return self._default

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
    default = _policy(default_file, default_content)
    municipalities = {}
    for file in sorted(folder.glob("*.toml")):
        if file == default_file:
            continue
        if not _MUNICIPALITY.fullmatch(file.stem):
            raise PolicyError(f"{file}: the name must be a municipality's four digits, like 0344.toml")
        municipalities[file.stem] = _policy(file, _merged(default_content, _read(file)))
    return Policies(default, municipalities, for_every_code=for_every_code)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: is not TOML: {error}") from error


def _policy(file: Path, content: dict[str, Any]) -> Policy:
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        findings = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'policy'}: {e['msg']}" for e in error.errors()
        )
        raise PolicyError(f"{file}: {findings}") from error


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
