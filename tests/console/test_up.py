"""`up` runs sink and pages in its own PostgreSQL with the rights that they have in production, and no others."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from signaalwissel.deploy.ports import free_ports
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.database_roles import Role
from sqlalchemy import Engine, text

from tests.console.webpages.web_support import Visitor, counsellor_choice

pytestmark = pytest.mark.timeout(300)


class Started(NamedTuple):
    """What a user has after `up`: the owner's database, and the pages."""

    engine: Engine
    pages: str

    def logins(self, program: str) -> set[str]:
        """As whom a program is connected."""
        asked = text("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = :program")
        with self.engine.connect() as connection:
            return set(connection.execute(asked, {"program": program}).scalars())

    def change(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def started(
    kafka_bootstrap: str, topic_prefix: str, bare_environment: pytest.MonkeyPatch
) -> Iterator[Started]:
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "SIGNAALWISSEL_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "SIGNAALWISSEL_TOPIC_PREFIX": topic_prefix,
        "SIGNAALWISSEL_WEB_PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "signaalwissel.console", "up", "--json"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            url = told["settings"]["SIGNAALWISSEL_DATABASE_URL"]
            yield Started(open_engine(url, name="test"), told["pages"])
        finally:
            process.terminate()
            process.wait(60)


def answers(client: httpx.Client) -> httpx.Response:
    """The work list of a counsellor who has just logged in, once the pages are up."""
    transport = httpx.HTTPTransport(retries=60)
    with httpx.Client(base_url=client.base_url, transport=transport, timeout=30) as patient:
        patient.get("/")
    return Visitor(client, **counsellor_choice()).get("/taken")


def test_sink_and_pages_have_their_own_roles(started: Started) -> None:
    with httpx.Client(base_url=started.pages, timeout=60) as browser:
        assert answers(browser).status_code == 200
        assert started.logins("signaalwissel-sink") == {Role.SINK.value}
        started.change("REVOKE SELECT ON ended_sessions FROM signaalwissel_web")
        assert browser.get("/taken").status_code == 500, "the pages have what their role has"
