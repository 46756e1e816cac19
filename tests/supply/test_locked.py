import re

import pytest

from tests.supply.locked import LOCK, ROOT, locked

TEXT = LOCK.read_text("utf-8")


def test_every_requirement_is_pinned_and_has_hashes() -> None:
    requirements = locked(TEXT)
    assert len(requirements) > 50
    assert [found.name for found in requirements if not found.hashes] == []


def test_a_requirement_without_a_version_is_refused() -> None:
    with pytest.raises(ValueError, match="make lock"):
        locked("idna>=3\n")


def test_the_lock_names_no_address() -> None:
    assert (
        re.findall(r"\w+://\S+|^\s*(?:-i|--index-url|--extra-index-url|--find-links)\b", TEXT, re.MULTILINE)
        == []
    )


def test_an_installation_asks_for_the_hashes() -> None:
    assert (
        "pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock"
        in ((ROOT / "Makefile").read_text("utf-8"))
    )
