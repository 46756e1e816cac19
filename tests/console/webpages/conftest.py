from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.webpages import browsing
from tests.console.webpages.web_support import Town


@pytest.fixture
def town(database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Town:
    """A town without Kafka: what would go there is kept."""
    return Town(database_url, tmp_path / "keys")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, for a module: a loop of its own runs as long as it is there."""
    with browsing.browser() as browser:
        yield browser
