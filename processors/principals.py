"""Principals: under which names the users of Kafka log in (docs/operations.md).

In: a TOML file, or nothing. Out: per role the names, as the broker sees them: the SCRAM user, or what the broker makes of
the subject of a client certificate.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

ROLES = ("intake", "matcher", "sink", "gateway", "web", "importer", "privacy", "operator", "exporter")
_DEFAULTS = MappingProxyType({role: (f"signaalwissel-{role}",) for role in ROLES})

Names = tuple[str, ...]


class PrincipalsError(ValueError):
    """The principals file cannot be used: names file and key."""


class Principals(BaseModel):
    """Who has which role.

    Attributes:
        roles: Per role of our own programs the principals; a role that is missing has `signaalwissel-<role>`.
        publishers: Per publisher, the part of its topic's name after the dot; one that is missing has
            `publisher-<publisher>`.
        task_systems: Per consumer group of a task system.
        early_signalling: Per consumer group of an early-signalling system.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", "-")
    )

    roles: Mapping[str, Names] = Field(default_factory=dict)
    publishers: Mapping[str, Names] = Field(default_factory=dict)
    task_systems: Mapping[str, Names] = Field(default_factory=lambda: {"task-system": ("task-system",)})
    early_signalling: Mapping[str, Names] = Field(
        default_factory=lambda: {"early-signalling": ("early-signalling",)}
    )

    @field_validator("roles")
    @classmethod
    def _known(cls, given: Mapping[str, Names]) -> Mapping[str, Names]:
        unknown = sorted(given.keys() - set(ROLES))
        if unknown:
            raise ValueError(f"no role is called {', '.join(unknown)}; there are {', '.join(ROLES)}")
        return given

    @field_validator("roles", "publishers", "task_systems", "early_signalling")
    @classmethod
    def _usable(cls, given: Mapping[str, Names]) -> Mapping[str, Names]:
        for key, names in given.items():
            for name in names:
                # Kafka lets everybody in whom a right is given under the name *.
                if not name.strip() or name == "*" or name.startswith("User:"):
                    raise ValueError(f"{key}: {name!r} is no name; give it as the broker does, without User:")
        return given

    def of(self, role: str) -> Names:
        """The principals of a role of ours."""
        return tuple(self.roles.get(role, _DEFAULTS[role]))

    def of_publisher(self, publisher: str) -> Names:
        """The principals that write a publisher's topics."""
        return tuple(self.publishers.get(publisher, (f"publisher-{publisher}",)))


def load_principals(file: Path) -> Principals:
    """Read a principals file.

    Raises:
        PrincipalsError: The file is no TOML, or holds something else.
    """
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PrincipalsError(f"{file}: cannot be read as TOML: {error}") from error
    try:
        return Principals.model_validate(content)
    except ValidationError as error:
        findings = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PrincipalsError(f"{file}: {findings}") from error
