"""The register of processing activities: what this product does with a person's data, and under which entry.

In: a TOML file of the municipality. Out: for each purpose the absolute URI of its entry in the municipality's register
(Logboek Dataverwerkingen, `dpl.core.processing_activity_id`). A purpose that is not in it is refused, at start-up and
at the call: what has no entry must not be done.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit


class Purpose(StrEnum):
    """What is done with a person's data. Each needs its entry in the register."""

    SIGNAL_TESTED = "signal-tested"
    SIGNAL_RETESTED = "signal-retested"
    TRAJECTORY_KEPT = "trajectory-kept"
    FOLLOW_UP = "follow-up"
    NOTICE_MADE = "notice-made"
    DEAD_LETTER_KEPT = "dead-letter-kept"
    DEAD_LETTER_OPENED = "dead-letter-opened"
    SEALED_OPENED = "sealed-opened"
    RECORD_CONSULTED = "record-consulted"
    DATA_EXPORTED = "data-exported"
    DATA_ERASED = "data-erased"
    DATA_DESTROYED = "data-destroyed"
    OBJECTION_KEPT = "objection-kept"


NAMES: Mapping[Purpose, str] = {
    Purpose.SIGNAL_TESTED: "Signaal getoetst aan lopende en afgeronde trajecten",
    Purpose.SIGNAL_RETESTED: "Uitkomst van een toets herzien",
    Purpose.TRAJECTORY_KEPT: "Stand van een traject bijgewerkt",
    Purpose.FOLLOW_UP: "Taak voor opvolging bijgewerkt",
    Purpose.NOTICE_MADE: "Kennisgeving vastgelegd",
    Purpose.DEAD_LETTER_KEPT: "Bericht dat niet verwerkt kon worden verzegeld bewaard",
    Purpose.DEAD_LETTER_OPENED: "Bewaard bericht geopend om opnieuw aan te bieden",
    Purpose.SEALED_OPENED: "Verzegelde persoonsgegevens geopend",
    Purpose.RECORD_CONSULTED: "Verloop van een signaal geraadpleegd",
    Purpose.DATA_EXPORTED: "Gegevens van een inwoner verstrekt aan die inwoner",
    Purpose.DATA_ERASED: "Gegevens van een inwoner gewist",
    Purpose.DATA_DESTROYED: "Gegevens vernietigd na de bewaartermijn",
    Purpose.OBJECTION_KEPT: "Bezwaar van een inwoner vastgelegd",
}
"""The name of each processing, as it stands in the log."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BUILT_IN = "urn:signaalwissel:verwerking:"
_KEYS = {"version", "activities"}


class RegisterError(ValueError):
    """A register cannot be used: names the entry and what is wrong with it."""


class UnknownPurpose(RegisterError):
    """Something is to be done with a person's data that has no entry in the register."""


@dataclass(frozen=True, slots=True)
class Register:
    """The entries of one municipality.

    Attributes:
        version: The version of the register, as its file says.
        built_in: Whether it stands in for a register that nobody gave.
        entries: The URI of each purpose.
    """

    version: str
    entries: Mapping[Purpose, str]
    built_in: bool = False

    def activity_of(self, purpose: str) -> str:
        """The URI of a purpose's entry.

        Raises:
            UnknownPurpose: There is none; the processing must not go on.
        """
        found = self.entries.get(purpose)  # type: ignore[call-overload] # a string that is no purpose is looked for too
        if found is None:
            raise UnknownPurpose(f"purpose {purpose}: has no entry in the register of processing activities")
        return str(found)


BUILT_IN = Register(
    "built-in", {purpose: f"{_BUILT_IN}{purpose.value}" for purpose in Purpose}, built_in=True
)
"""Stands in where a policy names no register; `doctor` tells of it."""


def read_register(text: str) -> Register:
    """A register from the text of its TOML file.

    Raises:
        RegisterError: It is no TOML, an entry is missing or is no absolute URI, or it names a purpose that there is not.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"is not TOML: {error}") from error
    unknown = sorted(content.keys() - _KEYS)
    if unknown:
        raise RegisterError(f"{', '.join(unknown)}: unknown; a register has `version` and `[activities]`")
    version, activities = content.get("version"), content.get("activities")
    if not isinstance(version, str) or not version:
        raise RegisterError("version: must be a text")
    if not isinstance(activities, dict):
        raise RegisterError("activities: must be a table of purpose = URI")
    return Register(version, _entries(activities))


def _entries(activities: Mapping[str, Any]) -> Mapping[Purpose, str]:
    known = {purpose.value for purpose in Purpose}
    wrong = [f"activities.{name}: unknown purpose" for name in activities if name not in known]
    wrong += [f"activities.{name}: missing" for name in sorted(known - activities.keys())]
    wrong += [
        f"activities.{name}: must be an absolute URI without spaces"
        for name, uri in activities.items()
        if name in known and not is_absolute_uri(uri)
    ]
    if wrong:
        raise RegisterError("; ".join(wrong))
    return {Purpose(name): uri for name, uri in activities.items()}


def is_absolute_uri(uri: object) -> bool:
    """Whether this is an absolute URI: a scheme and what it names, in printable ASCII."""
    if not isinstance(uri, str) or not uri.isascii() or not uri.isprintable() or " " in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme in {"http", "https"} and not parts.hostname:
        return False
    return bool(_SCHEME.fullmatch(parts.scheme) and (parts.netloc or parts.path))
