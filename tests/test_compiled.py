"""Compiled modules: a stale one is found, and what is compiled is what runs."""

import importlib
import os
import tomllib
from pathlib import Path

import pytest

from tests.compiled import CHECKOUT, IS_COMPILED, stale_modules


def compiled_in(folder: Path, *, age_s: int) -> None:
    folder.mkdir()
    for name, moment in (("rule.py", 1_000), ("rule.cpython-311-x86_64-linux-gnu.so", 1_000 - age_s)):
        file = folder / name
        file.write_text("", "utf-8")
        os.utime(file, (moment, moment))


def test_a_module_that_is_older_than_its_source_is_stale(tmp_path: Path) -> None:
    compiled_in(tmp_path / "processors", age_s=1)
    assert stale_modules(tmp_path) == ["processors/rule.py"]


def test_a_module_that_was_compiled_after_its_source_is_not(tmp_path: Path) -> None:
    compiled_in(tmp_path / "processors", age_s=-1)
    assert stale_modules(tmp_path) == []


def test_a_module_whose_source_went_is_stale(tmp_path: Path) -> None:
    compiled_in(tmp_path / "schemas", age_s=-1)
    (tmp_path / "schemas" / "rule.py").unlink()
    assert stale_modules(tmp_path) == ["schemas/rule.py"]


@pytest.mark.skipif(not IS_COMPILED, reason="installed as Python, or without a C compiler")
def test_every_hot_module_runs_compiled() -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["signaalwissel"]
    files = {
        name: importlib.import_module(f"signaalwissel.{name.replace('/', '.')}").__file__
        for name in settings["compiled"]
    }
    assert [name for name, file in files.items() if not str(file).endswith(".so")] == []
