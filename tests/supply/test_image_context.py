"""What the image and the wheel are made of: the product, and nothing that lies beside it in a checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supply.build_context import DOCKERFILE, IGNORED, MARK, copied, plant, planted, taken
from tests.supply.locked import ROOT
from tests.supply.secret_scan import findings, tracked
from tests.test_packaging import BUILT_FROM, FOLDERS, FOLDERS_OF_THE_CHECKOUT, OF_THE_CHECKOUT

LOCKS = {"requirements.lock", "deploy/requirements-image.lock"}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with secrets in it."""
    folder = tmp_path_factory.mktemp("context")
    copied(ROOT, folder)
    plant(folder)
    return folder


@pytest.fixture
def unguarded(context: Path) -> Iterator[Path]:
    """The same for an engine that takes everything."""
    ignored, dockerfile = context / IGNORED, context / DOCKERFILE
    held = {file: file.read_bytes() for file in (ignored, dockerfile)}
    ignored.unlink()
    dockerfile.write_text("FROM base\nCOPY . .\n", "utf-8")
    yield context
    for file, content in held.items():
        file.write_bytes(content)


@pytest.fixture(scope="module")
def wheel(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from all of it, without an ignore file between."""
    tree, out = tmp_path_factory.mktemp("tree") / "checkout", tmp_path_factory.mktemp("wheel")
    shutil.copytree(context, tree)
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-deps",
         "--no-build-isolation", "-w", out, tree],
        check=True, timeout=240, env={**os.environ, "SIGNAALWISSEL_PURE": "1"},
    )  # fmt: skip
    (built,) = out.glob("*.whl")
    return built


def of_the_product() -> set[str]:
    """The files of the repository that the wheel is made of, and the locks that it is installed by."""
    inside = {name for name in tracked(ROOT) if name.split("/")[0] in FOLDERS}
    beside = {
        name
        for name in inside
        if name.split("/")[-1] in OF_THE_CHECKOUT or FOLDERS_OF_THE_CHECKOUT & set(name.split("/"))
    }
    return (inside - beside) | set(BUILT_FROM) | LOCKS


def test_the_image_is_made_of_the_product_and_of_nothing_that_lies_beside_it(context: Path) -> None:
    assert taken(context) == of_the_product()


def test_nothing_that_was_planted_is_in_what_the_image_takes(context: Path) -> None:
    assert [name for name in taken(context) if MARK in (context / name).read_bytes()] == []


def test_the_detector_finds_nothing_in_what_the_image_takes(context: Path) -> None:
    assert [one for name in taken(context) for one in findings(name, (context / name).read_bytes())] == []


@pytest.mark.parametrize("name", planted())
def test_the_detector_finds_each_planted_secret_where_an_engine_takes_everything(
    unguarded: Path, name: str
) -> None:
    assert name in taken(unguarded)
    assert findings(name, (unguarded / name).read_bytes())


def test_the_detector_finds_a_secret_that_the_ignore_file_lets_through(context: Path) -> None:
    place = "sources/samples/export.csv"
    (context / place).write_bytes(planted()["security/broker.key"])
    try:
        assert place in taken(context)
        found = [one for name in taken(context) for one in findings(name, (context / name).read_bytes())]
    finally:
        (context / place).unlink()
    assert {one.path for one in found} == {place}


def test_a_copy_by_a_pattern_is_refused_as_what_cannot_be_told(unguarded: Path) -> None:
    (unguarded / DOCKERFILE).write_text("FROM base\nCOPY *.toml ./\n", "utf-8")
    with pytest.raises(ValueError, match=r"by a pattern: \*\.toml"):
        taken(unguarded)


def test_nothing_that_was_planted_is_in_a_wheel_of_the_same_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert len(held) > 200
    assert [name for name, content in held.items() if MARK in content] == []


def test_the_detector_finds_nothing_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = [one for name in archive.namelist() for one in findings(name, archive.read(name))]
    assert found == []
