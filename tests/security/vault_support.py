"""A key service and its clients, as tests need them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from signaalwissel.security.vault_http import VaultRequests
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.security.vault_settings import Login, TokenFile, VaultSettings

from tests.security.vault_stub import ROOT, VaultStub

PATIENCE_S = 0.3


def secret_file(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.write_text(content)
    file.chmod(0o600)
    return file


class Service:
    """The stub, and processes that use it."""

    def __init__(self, stub: VaultStub, folder: Path) -> None:
        self.stub, self.folder = stub, folder

    def settings(self, login: Login | None = None, **changed: Any) -> VaultSettings:
        token = TokenFile(secret_file(self.folder, "token", ROOT))
        chosen = {"patience_s": PATIENCE_S, **changed}
        return VaultSettings(self.stub.url, login or token, **chosen)

    def requests(
        self, login: Login | None = None, clock: Callable[[], float] = lambda: 0.0, **changed: Any
    ) -> VaultRequests:
        return VaultRequests(self.settings(login, **changed), clock=clock, sleep=lambda _: None)

    def keys(self, clock: Callable[[], float] = lambda: 0.0, **changed: Any) -> VaultKeys:
        settings = self.settings(**changed)
        return VaultKeys(settings, VaultRequests(settings, sleep=lambda _: None), clock=clock)
