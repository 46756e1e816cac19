"""The wheel holds the product, all of it and nothing else, and works without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.compiled import IS_COMPILED

CHECKOUT = Path(__file__).parents[1]
FOLDERS = ("schemas", "processors", "security", "streams", "sinks", "sources", "console", "deploy")
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
OF_THE_CHECKOUT = {"Dockerfile", "compose.yaml", "requirements-image.lock"}
FOLDERS_OF_THE_CHECKOUT = {"helm", "monitoring"}
"""What makes an image of the wheel, or runs it, does not travel in it."""
SHARED_LIBRARY = "signaalwissel/schemas/compiled__mypyc"
DATA = {
    "signaalwissel/schemas/ids.json",
    "signaalwissel/schemas/EarlySignal.v1.avsc",
    "signaalwissel/processors/default.toml",
    "signaalwissel/deploy/kafka-jars.sha256",
    "signaalwissel/sources/profiles/vps.toml",
    "signaalwissel/sources/samples/vps.csv",
    "signaalwissel/sources/samples/ris.xlsx",
    "signaalwissel/sources/samples/allegro.xml",
    "signaalwissel/sources/samples/ddas-signals.json",
    "signaalwissel/sinks/migrations/env.py",
    "signaalwissel/sinks/migrations/versions/0001_baseline.py",
}
APPLIED = {
    "event_id": "e1",
    "trajectory_id": "T1",
    "municipality": "0344",
    "sequence": 1,
    "occurred_on": "2026-01-05",
    "recorded_at": "2026-01-05T12:00:00Z",
    "kind": "APPLIED",
    "clients": [{"bsn": "111222333"}],
}
SIGNAL = {
    "signal_id": "S1",
    "municipality": "0344",
    "partner": {"partner_id": "woonstad", "kind": "RENT"},
    "subject": {"bsn": "111222333"},
    "arrears": "250.00",
    "received_at": "2026-02-10T10:00:00Z",
}


def pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        check=True,
        # What the wheel holds is tested, not how fast it is.
        env={**os.environ, "SIGNAALWISSEL_OPTIMIZED": "0"},
        timeout=240,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy of the tree: a build leaves a folder behind."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "*.so")
    for folder in (*FOLDERS, "tests"):
        shutil.copytree(CHECKOUT / folder, tree / folder, ignore=unwanted)
    for name in BUILT_FROM:
        shutil.copy(CHECKOUT / name, tree)
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(out), str(tree))
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content and nothing of the editable install."""
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    return target


def in_the_tree() -> set[str]:
    """Every file of the product's folders, by its name in the wheel."""
    return {
        f"signaalwissel/{file.relative_to(CHECKOUT).as_posix()}"
        for folder in FOLDERS
        for file in (CHECKOUT / folder).rglob("*")
        if file.is_file()
        and "__pycache__" not in file.parts
        and file.suffix != ".so"
        and file.name not in OF_THE_CHECKOUT
        and not FOLDERS_OF_THE_CHECKOUT & set(file.relative_to(CHECKOUT).parts)
    }


def environment(installed: Path) -> Mapping[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAALWISSEL_")}
    return {**ours, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_wheel_holds_exactly_the_modules_and_data_of_the_tree(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name for name in held if not name.endswith(".so")} == in_the_tree()
    assert held >= DATA


@pytest.mark.skipif(not IS_COMPILED, reason="installed as Python, or without a C compiler")
def test_the_wheel_holds_every_hot_module_compiled_too(wheel: Path) -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["signaalwissel"]
    with zipfile.ZipFile(wheel) as archive:
        compiled = {name.partition(".")[0] for name in archive.namelist() if name.endswith(".so")}
    assert compiled == {f"signaalwissel/{module}" for module in settings["compiled"]} | {SHARED_LIBRARY}


def test_the_wheel_is_typed_licensed_and_has_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "signaalwissel = signaalwissel.console.main:main" in archive.read(points).decode()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {f"signaalwissel/{folder}/py.typed" for folder in FOLDERS} <= set(names)


def test_the_installed_package_is_the_one_that_runs(installed: Path) -> None:
    where = "import signaalwissel.console as c, signaalwissel.schemas as s; print(c.__file__, s.__file__)"
    seen = subprocess.run(
        [sys.executable, "-c", where],
        env=environment(installed),
        cwd="/",
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert all(file.startswith(str(installed)) for file in seen.stdout.split())


def test_simulate_works_from_the_wheel_in_any_folder(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "month.jsonl"
    lines = [{"topic": "trajectories", "value": APPLIED}, {"topic": "signals", "value": SIGNAL}]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", "simulate", str(file), "--json"],
        env=environment(installed),
        cwd="/",
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    outputs = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["topic"] for line in outputs] == ["counsellor-followup", "decisions"]
    assert outputs[0]["value"]["trajectory_id"] == "T1"
