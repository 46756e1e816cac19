"""The golden files: today's code reads and writes the very bytes that were committed with each schema version."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.schemas.contract import SchemaVersion, codec, versions
from signaalwissel.schemas.keyed_signal_codec import open_carried, read_keyed_signal, write_keyed_signal

from tests.schemas import golden
from tests.schemas.strategies import BY_HAND_ONLY

NEWEST = {version.name: version for version in versions()}
TEST_PERSONS = {"111222333", "999990019"}


def files(version: SchemaVersion) -> tuple[bytes, dict[str, Any]]:
    path = golden.FOLDER / f"{golden.versioned(version)}.bin"
    plain: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return path.read_bytes(), plain


@pytest.mark.parametrize("version", versions(), ids=golden.versioned)
def test_every_committed_version_has_golden_files_with_its_id(version: SchemaVersion) -> None:
    data, plain = files(version)
    assert data[:5] == b"\x00" + version.schema_id.to_bytes(4, "big")
    assert list(plain) == [field["name"] for field in version.schema["fields"]]


def test_there_is_no_golden_file_without_a_version() -> None:
    known = {golden.versioned(version) for version in versions()}
    assert {path.stem for path in golden.FOLDER.iterdir()} == known


@pytest.mark.parametrize(
    "version", [one for one in versions() if one.name != BY_HAND_ONLY], ids=golden.versioned
)
def test_todays_code_reads_the_committed_bytes(version: SchemaVersion) -> None:
    data, plain = files(version)
    read = codec(version.name).to_json(codec(version.name).decode(data))
    assert {field: read[field] for field in plain if field in read} == {
        field: plain[field] for field in plain if field in read
    }


@pytest.mark.parametrize(
    "version", [one for one in NEWEST.values() if one.name != BY_HAND_ONLY], ids=golden.versioned
)
def test_todays_code_writes_the_committed_bytes(version: SchemaVersion) -> None:
    data, plain = files(version)
    assert codec(version.name).encode(codec(version.name).from_json(plain)) == data
    assert codec(version.name).to_json(codec(version.name).decode(data)) == plain


def test_todays_code_reads_and_writes_the_committed_keyed_signal() -> None:
    data, plain = files(NEWEST[BY_HAND_ONLY])
    signal = read_keyed_signal(data)
    assert write_keyed_signal(signal) == data
    opened = {**signal._asdict(), **open_carried(signal.carried)._asdict()}
    expected = golden.shape_for(BY_HAND_ONLY).from_json(plain)._asdict()
    assert {field: opened[field] for field in expected} == expected


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict) and value:
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list) and value:
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


@pytest.mark.parametrize("version", versions(), ids=golden.versioned)
def test_every_field_is_filled_and_only_test_persons_are_in_them(version: SchemaVersion) -> None:
    for leaf in leaves(files(version)[1]):
        assert leaf, "a field is empty, absent or false"
        assert not re.fullmatch(r"[0-9]{9}", str(leaf)) or leaf in TEST_PERSONS


def test_writing_new_files_leaves_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    (tmp_path / "EarlySignal.v1.bin").write_bytes(b"kept")
    written = golden.write_new()
    assert set(written) == {golden.versioned(version) for version in NEWEST.values()} - {"EarlySignal.v1"}
    assert (tmp_path / "EarlySignal.v1.bin").read_bytes() == b"kept"
    assert golden.write_new() == []


def test_freezing_new_versions_leaves_the_fingerprints_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "FINGERPRINTS", tmp_path / "fingerprints.json")
    (tmp_path / "fingerprints.json").write_text('{"EarlySignal.v1": "kept"}')
    assert len(golden.freeze_new()) == len(versions()) - 1
    assert json.loads(golden.FINGERPRINTS.read_text())["EarlySignal.v1"] == "kept"
    before = golden.FINGERPRINTS.read_text()
    assert golden.freeze_new() == []
    assert golden.FINGERPRINTS.read_text() == before
