"""Profiles from files: the packaged ones by name, with samples of exports; a municipality's own by path; what one says.

Errors name file, key and bound.
"""

import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from signaalwissel.sources.lookups import LookupUnusable, Tables, read_tables
from signaalwissel.sources.profile_model import FieldMapping, Profile

_SUFFIX = ".toml"


class ProfileError(ValueError):
    """A profile cannot be used: names file, key and bound."""


class Loaded(NamedTuple):
    """A profile and the second files that it looks things up in."""

    profile: Profile
    lookups: Tables


class Explanation(NamedTuple):
    """What a profile says of one field: where it comes from, and whether that is assumed."""

    field: str
    source: str
    assumed: str | None


def packaged_profiles() -> list[str]:
    """The names of the profiles that come with the product."""
    folder = resources.files("signaalwissel.sources") / "profiles"
    return sorted(one.name.removesuffix(_SUFFIX) for one in folder.iterdir() if one.name.endswith(_SUFFIX))


class PackagedFile(NamedTuple):
    """A file that comes with the product."""

    name: str
    content: bytes


def packaged_files(system: str) -> tuple[PackagedFile, PackagedFile]:
    """A packaged profile, and a sample of an export that it reads, of residents who do not exist.

    Raises:
        ProfileError: There is no such profile.
    """
    wanted = (
        f"profiles/{system}{_SUFFIX}",
        f"samples/{system}.{load_profile(_packaged(system)).profile.source.format}",
    )
    folder = resources.files("signaalwissel.sources")
    profile, sample = (PackagedFile(Path(name).name, (folder / name).read_bytes()) for name in wanted)
    return profile, sample


def load_profile(system: str) -> Loaded:
    """A packaged profile by its name, or one's own by its path, which ends in `.toml`.

    Raises:
        ProfileError: There is none, or it breaks a bound.
    """
    if system.endswith(_SUFFIX):
        return load_profile_file(Path(system))
    with resources.as_file(
        resources.files("signaalwissel.sources") / "profiles" / f"{_packaged(system)}{_SUFFIX}"
    ) as file:
        return load_profile_file(file)


def _packaged(system: str) -> str:
    """The name, where there is such a packaged profile; raises ProfileError."""
    if system not in packaged_profiles():
        names = ", ".join(packaged_profiles())
        raise ProfileError(
            f"{system}: no such profile; there are {names}, or give the path of your own .toml"
        )
    return system


def load_profile_file(file: Path) -> Loaded:
    """Read a profile; raises ProfileError."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{file}: cannot be read as TOML: {error}") from error
    try:
        profile = Profile.model_validate(content)
        return Loaded(profile, read_tables(profile.lookups, file.parent))
    except ValidationError as error:
        findings = "; ".join(map(_finding, error.errors()))
        raise ProfileError(f"{file}: {findings}") from error
    except LookupUnusable as error:
        raise ProfileError(f"{file}: {error}") from error


def explanations(profile: Profile) -> Iterator[Explanation]:
    """What the profile says of each field, in its order."""
    for where, _, mappings in profile.tables():
        place = "" if where == "map" else f"{where}."
        for name, mapping in mappings.items():
            yield Explanation(f"{place}{name}", _source(mapping), mapping.assumed)


def _source(mapping: FieldMapping) -> str:
    if mapping.constant is not None:
        return f"always {mapping.constant}"
    if mapping.derive:
        return "derived from " + ", ".join(mapping.derive)
    said = [f"column {mapping.column}"]
    if mapping.dates:
        said.append("written " + " or ".join(mapping.dates))
    if mapping.codes is not None:
        said.append(f"by code list {mapping.codes}")
    if mapping.lookup is not None:
        said.append(f"looked up in {mapping.lookup}")
    if mapping.only_if is not None:
        said.append(f"where {mapping.only_if.column} is {' or '.join(mapping.only_if.one_of)}")
    return ", ".join(said)


def _finding(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    return f"{where}: {error['msg']}" if where else str(error["msg"])
