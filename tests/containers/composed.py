"""deploy/compose.yaml with everything but Grafana, under secrets of its own; it ends with the block."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT = "signaalwissel-tested"
USER = 10001
REGISTRY_USER = 10002
STAYING = ("kafka", "postgres", "registry", "worker", "sink", "gateway", "web", "prometheus")
PROFILES = ("gateway", "web", "registry", "monitoring")
ACCESS = """\
[[issuers]]
issuer = "https://login.example.nl/realms/gemeente"
audience = "signaalwissel"
jwks_url = "https://login.example.nl/realms/gemeente/certs"
municipalities = ["0344"]
roles = { hulpverlener = "counsellor" }
claims = { roles = "roles", counsellor = "counsellor_id", teams = "teams" }

[login]
issuer = "https://login.example.nl/realms/gemeente"
client_id = "signaalwissel-pages"
authorization_endpoint = "https://login.example.nl/realms/gemeente/auth"
token_endpoint = "https://login.example.nl/realms/gemeente/token"
"""


@dataclass(frozen=True)
class Composed:
    """The containers of one project."""

    environment: dict[str, str]

    def run(self, *arguments: str, bound_s: float = 1200) -> str:
        """What compose prints; fails with what it complains of."""
        profiles = [word for profile in PROFILES for word in ("--profile", profile)]
        ended = subprocess.run(
            ["docker", "compose", "--file", ROOT / "deploy" / "compose.yaml", *profiles, *arguments],
            env=self.environment, capture_output=True, text=True, timeout=bound_s, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{' '.join(arguments)}: {ended.stdout[-2000:]}{ended.stderr[-4000:]}"
        return ended.stdout

    def states(self) -> dict[str, tuple[str, str]]:
        """State and health of every container."""
        told = self.run("ps", "--all", "--format", "json")
        found: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
        return {one["Name"].removeprefix(f"{PROJECT}-"): (one["State"], one["Health"]) for one in found}


@contextmanager
def composed(folder: Path) -> Iterator[Composed]:
    """Everything up and healthy, with ids of the registry on the wire; what it kept goes with the block."""
    made = Composed(
        os.environ | {"COMPOSE_PROJECT_NAME": PROJECT, "SIGNAALWISSEL_SECRETS": str(_secrets(folder))}
    )
    try:
        made.run("up", "--detach", "--wait", "registry")
        made.run("run", "--rm", "sink", "schemas", "register")
        made.run("up", "--detach", "--wait", *STAYING)
        yield made
    finally:
        made.run("down", "--volumes", "--timeout", "60")


def _secrets(folder: Path) -> Path:
    """The files of docs/deploy.md, each readable for whom it is."""
    made = folder / "secrets"
    (made / "ca").mkdir(parents=True)
    password = secrets.token_hex(24)
    _secret(made / "postgres-password", password)
    _secret(made / "grafana-password", secrets.token_hex(24))
    _secret(made / "access.toml", ACCESS)
    _secret(made / "settings.toml", _settings(password))
    _secret(made / "session", secrets.token_hex(32), USER)
    _certificate(made)
    # Every folder above is a test's own, which nobody else can enter; the engine can.
    return made


def _settings(password: str) -> str:
    return (
        f'database_url = "postgresql+psycopg://signaalwissel:{password}@postgres/signaalwissel"\n'
        # What is published is of the past: by today's date every deadline of it is over.
        'clock = "off"\n'
        'schema_registry_url = "https://registry:8443/apis/ccompat/v7"\n'
        'schema_registry_ca_file = "/etc/signaalwissel/ca/registry.pem"\n'
    )


def _secret(file: Path, content: str, reader: int | None = None) -> None:
    file.write_text(content, "utf-8")
    file.chmod(0o644 if reader is None else 0o600)
    if reader is not None:
        os.chown(file, reader, reader)


def _certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=registry", "-addext", "subjectAltName=DNS:registry",
         "-keyout", folder / "registry-key", "-out", folder / "ca" / "registry.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    os.chown(folder / "registry-key", REGISTRY_USER, REGISTRY_USER)
