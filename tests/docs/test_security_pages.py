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


ITEMS = {"V1": 27, "V2": 11, "V8": 7, "V11": 14, "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16}
"""How many items of levels 1 and 2 ASVS 5.0.0 has in each chapter that applies."""


@pytest.mark.parametrize("chapter", ITEMS)
def test_no_item_of_a_chapter_is_left_out(chapter: str) -> None:
    rows = [row for row in (ROOT / "docs/asvs.md").read_text("utf-8").splitlines() if row.startswith("| V")]
    items = [item for row in rows for item in re.findall(r"V\d+\.\d+\.\d+", row.split("|")[1])]
    assert len(items) == len(set(items))
    assert sum(item.startswith(f"{chapter}.") for item in items) == ITEMS[chapter]
