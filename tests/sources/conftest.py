"""One generated month for all tests here: it takes a second, and nobody changes it."""

import pytest
from signaalwissel.sources import generator
from signaalwissel.sources.generated_drafts import HISTORY_SHARE
from signaalwissel.sources.generated_records import Line

RESIDENTS, SIGNALS, SEED = 2_000, 5_000, 20_260_201


@pytest.fixture(scope="session")
def month_lines() -> list[dict[str, object]]:
    return list(generator.generate(RESIDENTS, SIGNALS, SEED))


@pytest.fixture(scope="session")
def marked_lines() -> list[Line]:
    """The same lines before they are JSON: they know which of them are bad."""
    town = generator.Town(generator.THREE_MUNICIPALITIES, SEED, 0.002, HISTORY_SHARE)
    return list(town.lines(RESIDENTS, SIGNALS, [generator.FEBRUARY_2026]))


@pytest.fixture(scope="session")
def good_lines(month_lines: list[dict[str, object]], marked_lines: list[Line]) -> list[dict[str, object]]:
    return [line for line, marked in zip(month_lines, marked_lines, strict=True) if marked.flaw is None]
