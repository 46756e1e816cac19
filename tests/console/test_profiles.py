"""Profiles and their samples come with the program, and what it writes out can be imported as it is."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.sources.profile_loading import packaged_profiles


def profiles(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "signaalwissel.console", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd="/")


def told(*arguments: str) -> Any:
    done = profiles(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_profile_is_named_with_what_is_assumed_of_it() -> None:
    found = told("profiles", "list")["profiles"]
    assert [one["name"] for one in found] == packaged_profiles()
    assert all(one["title"] and one["assumed"] for one in found)


@pytest.mark.parametrize("system", packaged_profiles())
def test_what_is_written_out_is_imported_whole_by_its_own_profile(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAALWISSEL_EVERY_MUNICIPALITY", "true")
    written = told("profiles", "sample", system, "--out", str(tmp_path / "probeer"))
    report = told("import", written["profile"], written["sample"], "--dry-run")
    assert report["rows"] == report["new"] > 0


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    named = told("profiles", "sample", "vps", "--out", str(tmp_path / "probeer"), "--dry-run")
    assert named["sample"] == str(tmp_path / "probeer" / "vps.csv")
    assert not (tmp_path / "probeer").exists()


def test_a_profile_that_somebody_adapted_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "vps.toml").write_text("of somebody", "utf-8")
    done = profiles("profiles", "sample", "vps", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "vps.toml is there already" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["vps.toml"]


def test_a_system_without_a_profile_says_which_there_are(tmp_path: Path) -> None:
    done = profiles("profiles", "sample", "nergens", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "no such profile; there are allegro" in done.stderr
