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


ITEMS = Path(__file__).parent / "asvs_items.txt"
"""Every item of levels 1 and 2 of ASVS 5.0.0: a section, and its numbers."""
WORDS = ("met", "yours", "open", "none")


def items() -> list[str]:
    """Every item that the page must have."""
    lines = [line.split() for line in ITEMS.read_text("ascii").splitlines()]
    return [f"{section}.{number}" for section, *numbers in lines for number in numbers]


def rows() -> list[list[str]]:
    """The cells of each row of the page."""
    lines = (ROOT / "docs/asvs.md").read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| V")]


def test_the_page_has_every_item_of_levels_1_and_2_once() -> None:
    assert len(items()) == len(set(items())) == 253
    named = [item for row in rows() for item in re.findall(r"V\d+\.\d+\.\d+", row[0])]
    assert sorted(named) == sorted(items())


def test_every_row_says_where_it_stands_and_why() -> None:
    for item, _what, how, _test in rows():
        word = re.match(r"[a-z]+", how)
        assert word is not None, item
        assert word[0] in WORDS, item
        # Who says that something is not met, or not there, says why.
        assert word[0] == "met" or len(how) > len(word[0]) + 10, item


def test_a_row_that_is_met_by_the_product_names_what_shows_it() -> None:
    texts = ("no test: a text", "no test: read in the code", "no test: nothing to try")
    bare = [
        row[0]
        for row in rows()
        if row[2].startswith("met") and "`" not in row[3] and not row[3].startswith(texts)
    ]
    assert bare == []
