"""Installations for tests of the whole."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.installation import Installation


@pytest.fixture
def install(
    kafka_bootstrap: str, database_url: str, topic_prefix: str, tmp_path: Path
) -> Iterator[Callable[..., Installation]]:
    """Makes installations that stop with the test."""
    made: list[Installation] = []

    def new(**options: Any) -> Installation:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        installation = Installation(
            kafka_bootstrap, database_url, f"{topic_prefix}{len(made)}-", folder, **options
        )
        made.append(installation)
        return installation

    yield new
    for installation in made:
        installation.stop()
