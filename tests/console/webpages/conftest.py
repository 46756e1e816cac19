from pathlib import Path

import pytest

from tests.console.webpages.web_support import Town


@pytest.fixture
def town(database_url: str, tmp_path: Path, bare_environment: pytest.MonkeyPatch) -> Town:
    """A town without Kafka: what would go there is kept."""
    return Town(database_url, tmp_path / "keys")
