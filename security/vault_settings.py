"""How a Vault or OpenBao is reached, and as whom (design 7).

In: what the settings say. Out: the same, checked; what a login sends.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from signaalwissel.processors.sealing import KeyUnavailable

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class VaultUnusable(ValueError):
    """A setting of the key service cannot be used; the text begins with the setting's name."""


class Login(Protocol):
    """How a process shows who it is; the secrets are read anew each time, so that they may be replaced."""

    @property
    def path(self) -> str | None:
        """Where the login goes, None where a token lies ready."""

    def credentials(self) -> dict[str, str]:
        """What is sent there, or `{"token": ...}`; raises KeyUnavailable where a file cannot be read."""


@dataclass(frozen=True)
class TokenFile:
    """A token that an agent or an administrator keeps in a file."""

    file: Path

    @property
    def path(self) -> str | None:
        return None

    def credentials(self) -> dict[str, str]:
        return {"token": _secret_in(self.file)}


@dataclass(frozen=True)
class AppRole:
    """The role of a program, with its secret id in a file."""

    role_id: str
    secret_id_file: Path
    mount: str = "approle"

    @property
    def path(self) -> str | None:
        return f"auth/{self.mount}/login"

    def credentials(self) -> dict[str, str]:
        return {"role_id": self.role_id, "secret_id": _secret_in(self.secret_id_file)}


@dataclass(frozen=True)
class Kubernetes:
    """The service account of a pod."""

    role: str
    jwt_file: Path
    mount: str = "kubernetes"

    @property
    def path(self) -> str | None:
        return f"auth/{self.mount}/login"

    def credentials(self) -> dict[str, str]:
        # Kubernetes itself lays this file down readable for everyone in the pod.
        return {"role": self.role, "jwt": _secret_in(self.jwt_file, private=False)}


@dataclass(frozen=True)
class VaultSettings:
    """Where the key service is.

    Attributes:
        url: Its address; `http` on this machine alone.
        login: As whom.
        mount: The transit engine, one of our own: policies name keys in it by place.
        namespace: Of the engine and the login.
        ca_file: Who signed its certificate, where that is nobody whom this machine knows.
        timeout_s: How long one answer may take, in seconds.
        patience_s: How long an answer is tried for, in seconds.
        kept_s: How long a key is used without asking again, in seconds.
    """

    url: str
    login: Login
    mount: str = "signaalwissel"
    namespace: str | None = None
    ca_file: Path | None = None
    timeout_s: float = 5.0
    patience_s: float = 30.0
    kept_s: float = 60.0

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
        except ValueError:
            raise VaultUnusable("VAULT_URL is not a URL") from None
        if parts.hostname is None or parts.scheme not in {"http", "https"}:
            raise VaultUnusable("VAULT_URL is not a URL such as https://vault.example.nl:8200")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise VaultUnusable("VAULT_URL must begin with https: keys would travel in the clear")
        if parts.username is not None or parts.query or parts.fragment:
            raise VaultUnusable("VAULT_URL holds more than an address: a login has settings of its own")


def _secret_in(file: Path, *, private: bool = True) -> str:
    try:
        mode = file.stat().st_mode
        secret = file.read_text("ascii").strip()
    except OSError as error:
        raise KeyUnavailable(f"{file}: the login cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise KeyUnavailable(f"{file}: holds no login: it is not ASCII") from None
    if private and mode & stat.S_IRWXO:
        raise KeyUnavailable(
            f"{file}: everyone can read it; run `chmod o=` on it, and replace it if it leaked"
        )
    if not secret or not secret.isprintable():
        raise KeyUnavailable(f"{file}: holds no login, or more than one line")
    return secret
