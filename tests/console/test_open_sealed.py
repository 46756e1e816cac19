import io
import json
import sys
from pathlib import Path

import pytest
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.routing import CorrectionAction, RouteCorrection
from signaalwissel.security.local_keys import LocalKeys

from tests.console.console_support import CommandLine
from tests.processors.opening_support import ANNA, RECEIVED_ON, routed

RESIDENT = codec("SealedSubject").to_json(ANNA)


@pytest.fixture
def keys(tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> LocalKeys:
    """The keys of a municipality, named in the environment."""
    made = LocalKeys(tmp_path / "keys")
    made.create("0344")
    bare_environment.setenv("SIGNAALWISSEL_KEY_DIR", str(tmp_path / "keys"))
    # What is on record where, tests/console/test_accounting.py tells.
    bare_environment.setenv("SIGNAALWISSEL_PROCESSING_LOG_FAIL", "open")
    return made


def file_with(folder: Path, value: bytes) -> Path:
    file = folder / "record.bin"
    file.write_bytes(value)
    return file


def test_it_prints_the_resident_and_logs_the_opening(
    keys: LocalKeys, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    record = routed(keys)
    ended = signaalwissel("open-sealed", file_with(tmp_path, codec("RoutedSignal").encode(record)))
    assert ended.code == 0
    assert ended.json == RESIDENT
    logged = json.loads(ended.err.splitlines()[0])
    assert record.routing_id in logged["event"]
    assert "0344/day/2026-03-01" in logged["event"]
    for secret in ("111222333", "Jansen", "K-7"):
        assert secret not in ended.err


def test_a_correction_holds_the_signal_that_it_moves(
    keys: LocalKeys, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    record = routed(keys)
    correction = RouteCorrection(
        "c-1", "0344", record.partner, "S-1", 1, record.routing_id, CorrectionAction.MOVED, None, record
    )
    moved = file_with(tmp_path, codec("RouteCorrection").encode(correction))
    assert signaalwissel("open-sealed", moved).json == RESIDENT
    gone = correction._replace(action=CorrectionAction.WITHDRAWN, to=None)
    ended = signaalwissel("open-sealed", file_with(tmp_path, codec("RouteCorrection").encode(gone)))
    assert (ended.code, ended.out) == (1, "")
    assert "names nobody" in ended.err


def test_it_reads_standard_input(
    keys: LocalKeys, signaalwissel: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = codec("RoutedSignal").encode(routed(keys))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(value)))
    assert signaalwissel("open-sealed", "-").json == RESIDENT


def test_a_destroyed_day_opens_for_nobody(
    keys: LocalKeys, signaalwissel: CommandLine, tmp_path: Path
) -> None:
    file = file_with(tmp_path, codec("RoutedSignal").encode(routed(keys)))
    keys.destroy_day_key("0344", RECEIVED_ON)
    ended = signaalwissel("open-sealed", file)
    assert (ended.code, ended.out) == (1, "")
    assert "destroyed with its retention" in ended.err


def test_who_has_no_key_is_told_where_keys_come_from(
    keys: LocalKeys, signaalwissel: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_with(tmp_path, codec("RoutedSignal").encode(routed(keys)))
    monkeypatch.setenv("SIGNAALWISSEL_KEY_DIR", str(tmp_path / "empty"))
    ended = signaalwissel("open-sealed", file)
    assert (ended.code, ended.out) == (3, "")
    assert "2026-03-01.key" in ended.err


@pytest.mark.parametrize("value", [b"", b"{}", b"\x00\x00\x00\x00\x01", b"\x00\xff\xff\xff\xff"])
def test_bytes_that_are_no_record_are_refused(
    keys: LocalKeys, signaalwissel: CommandLine, tmp_path: Path, value: bytes
) -> None:
    assert keys
    ended = signaalwissel("open-sealed", file_with(tmp_path, value))
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
