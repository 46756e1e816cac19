"""Who is taken away while he works: his processes end, or say why nothing goes on, in words that help (security.md 3)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from kafka.admin import ScramMechanism, UserScramCredentialDeletion
from signaalwissel.deploy.kafka_cluster import ADMIN, REAUTHENTICATION_MS, Login
from signaalwissel.deploy.ports import free_ports
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.row_security import grant_reader

from tests.secured.secure import Secure, secure_installation
from tests.secured.secured_support import LEAVING, Secured
from tests.security.provider import identity_provider
from tests.sources.gateway_support import signal as a_signal

pytestmark = pytest.mark.timeout(300)

_UNAVAILABLE = 3
_SETTINGS = "(settings: SIGNAALWISSEL_KAFKA_SECURITY_...)"
_NOT_ACCEPTED = "USERNAME or its password is not accepted"
_COMMANDS = {
    "intake": ("worker", "--only", "intake"),
    "matcher": ("worker", "--only", "matcher"),
    "sink": ("sink",),
    "gateway": ("gateway",),
    "web": ("web",),
}


class Leaving(NamedTuple):
    """Those at work, and how a program reaches their gateway."""

    secure: Secure
    gateway: str
    token: str


@pytest.fixture
def leaving(
    secured: Secured, database_url: str, topic_prefix: str, publishers_file: Path, tmp_path: Path
) -> Iterator[Leaving]:
    """Five programs at work, each under a name that nobody else has."""
    principals = tmp_path / "principals.toml"
    names = "".join(f'{role} = ["leaving-{role}"]\n' for role in LEAVING)
    principals.write_text(f"[roles]\n{names}")
    ports = free_ports(2)
    with identity_provider(f"http://127.0.0.1:{ports[1]}", tmp_path) as provider, secure_installation(
        secured, Login.BOTH, tmp_path,
        publishers_file=publishers_file, database_url=database_url, topic_prefix=topic_prefix,
        principals_file=str(principals), broker_timeout_s="10",
        gateway_answer_s="2", gateway_port=str(ports[0]), web_port=str(ports[1]), **provider.settings(),
    ) as made:  # fmt: skip
        grant_reader(open_engine(database_url, name="test"))
        for role in LEAVING:
            made.start(f"leaving-{role}", *_COMMANDS[role])
        ready = {"intake": "reading partitions", "matcher": "reading partitions", "sink": "sink reads"}
        for role in LEAVING:
            word = ready.get(role, "listens on")
            made.until(lambda: word in made.told(f"leaving-{role}"), f"{role} works")  # noqa: B023
        yield Leaving(made, f"http://127.0.0.1:{ports[0]}", provider.token)


def test_a_user_who_is_taken_away_while_running_is_told_why(secured: Secured, leaving: Leaving) -> None:
    secure, gateway, token = leaving
    with secured.client(ADMIN) as client:
        gone = [
            UserScramCredentialDeletion(f"leaving-{role}", ScramMechanism.SCRAM_SHA_512) for role in LEAVING
        ]
        assert set(client.alter_user_scram_credentials(gone).values()) == {None}

    # Those who only read and write Kafka end.
    for role in ("intake", "matcher", "sink"):
        ended = secure.running[f"leaving-{role}"].wait(60 + REAUTHENTICATION_MS / 1000)
        told = secure.told(f"leaving-{role}")
        assert ended == _UNAVAILABLE, told
        assert _NOT_ACCEPTED in told, told
        assert _SETTINGS in told

    # The gateway takes nothing that it cannot hand on, and its log says why.
    with httpx.Client(base_url=gateway, timeout=60) as program:
        program.headers["authorization"] = f"Bearer {token}"

        def refused() -> bool:
            return program.post("/v1/signalen", json=a_signal()).status_code == 503

        secure.until(refused, "the gateway refuses")
        secure.until(lambda: program.get("/readyz").status_code == 503, "the gateway is not ready")
        secure.until(lambda: _NOT_ACCEPTED in secure.told("leaving-gateway"), "the gateway says why")
    for role in ("gateway", "web"):
        assert secure.running[f"leaving-{role}"].poll() is None
