"""An identity provider on a port of its own, and the access file of an installation that trusts it and nobody else."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI
from signaalwissel.deploy.ports import free_ports
from signaalwissel.processors.access import Role
from signaalwissel.security.development_login import AUDIENCE, CLIENT_ID, PATH, DevelopmentLogin

PROGRAM = "program"
_BOUND_S = 20


class Provider(NamedTuple):
    """What an installation must know of it.

    Attributes:
        access_file: Trusts it, for people and for one program.
        session_secret_file: For the pages' sessions.
        token: Of the program.
    """

    access_file: Path
    session_secret_file: Path
    token: str

    def settings(self) -> dict[str, str]:
        """As settings."""
        return {
            "ACCESS_FILE": str(self.access_file),
            "SESSION_SECRET_FILE": str(self.session_secret_file),
        }


def access_text(issuer: str, address: str, municipalities: Sequence[str], partners: Sequence[str]) -> str:
    """An access file, as somebody would write it."""
    codes, names = (", ".join(f'"{one}"' for one in several) for several in (municipalities, partners))
    roles = "".join(f'{role.value} = "{role.value}"\n' for role in Role)
    return f"""
[[issuers]]
issuer = "{issuer}"
audience = "{AUDIENCE}"
jwks_url = "{address}/sleutels"
municipalities = [{codes}]

[issuers.roles]
{roles}
[issuers.claims]
municipalities = "municipalities"

[issuers.clients.{PROGRAM}]
municipalities = [{codes}]
partners = [{names}]

[login]
issuer = "{issuer}"
client_id = "{CLIENT_ID}"
authorization_endpoint = "{address}/kiezen"
token_endpoint = "{address}/token"
"""


@contextmanager
def identity_provider(
    pages: str,
    folder: Path,
    municipalities: Sequence[str] = ("0344",),
    partners: Sequence[str] = ("water-west",),
) -> Iterator[Provider]:
    """A provider that sends people back to `pages`, such as http://127.0.0.1:8090, and is whoever they say."""
    login = DevelopmentLogin(pages, municipalities)
    app = FastAPI()
    app.include_router(login.router())
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _BOUND_S
    while not server.started:
        assert time.monotonic() < deadline, "the provider does not start"
        time.sleep(0.01)
    access_file, secret = folder / "access.toml", folder / "session-secret"
    access_file.write_text(
        access_text(login.issuer, f"http://127.0.0.1:{port}{PATH}", municipalities, partners)
    )
    secret.touch(0o600)
    secret.write_text("s" * 48 + "\n")
    try:
        yield Provider(access_file, secret, login.access_token(PROGRAM))
    finally:
        server.should_exit = True
        thread.join(_BOUND_S)
