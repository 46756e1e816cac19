from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.vault_stub import VaultStub, serving
from tests.security.vault_support import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A key service that answers."""
    with serving(VaultStub()) as stub:
        yield Service(stub, tmp_path)
