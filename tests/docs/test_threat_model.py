"""Every test that a security page names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["docs/threat-model.md", "docs/asvs.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_the_page_names_exists(page: str) -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", (ROOT / page).read_text("utf-8")))
    assert named
    assert sorted(path for path in named if not _there(path)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test_or_says_why_there_is_none(page: str) -> None:
    rows = [line for line in (ROOT / page).read_text("utf-8").splitlines() if line.startswith("| ")]
    bare = [row for row in rows if "`tests/" not in row and "`make" not in row]
    exempt = ("| asset |", "| item |", "| not ")
    assert [row for row in bare if not row.startswith(exempt) and "no test:" not in row] == []


def _there(named: str) -> bool:
    path, _, name = named.partition("::")
    file = ROOT / path
    return file.exists() and (not name or f"def {name}(" in file.read_text("utf-8"))
