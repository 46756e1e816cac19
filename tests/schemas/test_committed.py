"""The committed files: complete, each with an id of its own, and frozen."""

import json
from collections import Counter
from importlib import resources

import fastavro
import pytest
from signaalwissel.schemas.contract import SchemaVersion, versions

from tests.schemas.golden import FINGERPRINTS, fingerprint, versioned


def test_every_file_has_an_id_and_every_id_a_file() -> None:
    folder = resources.files("signaalwissel.schemas")
    files = {entry.name.removesuffix(".avsc") for entry in folder.iterdir() if entry.name.endswith(".avsc")}
    assert files == set(json.loads((folder / "ids.json").read_text("utf-8")))


def test_every_id_is_given_once() -> None:
    ids = Counter(version.schema_id for version in versions())
    assert ids.most_common(1)[0][1] == 1
    assert min(ids) > 0


def test_versions_are_numbered_from_1_without_gaps() -> None:
    for name in {version.name for version in versions()}:
        numbers = [version.version for version in versions() if version.name == name]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("version", versions(), ids=versioned)
def test_a_file_holds_a_valid_schema_of_its_name_in_our_namespace(version: SchemaVersion) -> None:
    assert version.schema["name"] == version.name
    assert version.schema["namespace"] == "nl.signaalwissel"
    # Checks names, references and that every default fits its type.
    fastavro.parse_schema(version.schema)


@pytest.mark.parametrize("version", versions(), ids=versioned)
def test_a_committed_file_never_changes(version: SchemaVersion) -> None:
    frozen = json.loads(FINGERPRINTS.read_text("utf-8"))
    assert frozen.get(versioned(version)) == fingerprint(version), (
        f"{versioned(version)}.avsc is not the one that was committed: a change is a new version beside it"
    )


def test_a_committed_file_never_goes() -> None:
    assert set(json.loads(FINGERPRINTS.read_text("utf-8"))) == {versioned(version) for version in versions()}
