"""A gateway in the test's process, with an outlet that remembers, and somebody who may send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc import jwt
from signaalwissel.processors.access import Role
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.publishers import Publisher, Publishers
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.security.access_settings import Access, Rights
from signaalwissel.security.http_auth import Authenticator
from signaalwissel.security.http_middleware import Bounds
from signaalwissel.security.limits import RateLimit
from signaalwissel.sources.gateway import Parts, TasksAway, build_gateway, with_version
from signaalwissel.sources.gateway_checks import Asked, Checks, ChecksAway, Reply
from signaalwissel.sources.gateway_delivery import Away
from signaalwissel.sources.gateway_records import Rules
from signaalwissel.sources.gateway_webhooks import Webhook
from signaalwissel.sources.profile_loading import Loaded

from tests.security.token_support import RSA, claims, header, issuer, tokens

NOW_MS = 1_780_000_000_000
SERVER = "https://gateway.example.nl"
RIGHTS = Rights(municipalities=frozenset({"0344", "0363"}), partners=frozenset({"water-west"}))
SYSTEM = Rights(roles=frozenset({Role.SIGNAL_SYSTEM}), municipalities=frozenset({"0344", "0363"}))
"""The municipality's own early-signalling system: it asks, and sends nothing."""
ACCESS = Access(issuers=(issuer(clients={"water-west": RIGHTS, "ris": SYSTEM}),))
TASKS = {"t-1": "0344", "t-2": "0599"}


class Sent(NamedTuple):
    topic: str
    key: bytes
    value: bytes
    headers: dict[str, bytes]


@dataclass
class Outlet:
    """Remembers what was delivered; `away` decides which keys are not."""

    sent: list[Sent] = field(default_factory=list)
    away: Callable[[bytes], bool] = lambda _: False

    async def deliver(
        self, topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        if self.away(key):
            raise Away("gone")
        self.sent.append(Sent(topic, key, value, dict(headers)))

    async def ready(self) -> bool:
        return not self.away(b"")

    def close(self) -> None:
        pass


async def owners(ids: Sequence[str], municipalities: frozenset[str]) -> Mapping[str, str]:
    if "broken" in ids:
        raise TasksAway("gone")
    return {one: TASKS[one] for one in ids if TASKS.get(one) in municipalities}


@dataclass
class Asks:
    """Answers checks as told, and remembers them."""

    asked: list[Asked] = field(default_factory=list)
    away: bool = False

    def __call__(self, every: Sequence[Asked]) -> list[Reply | Rejected]:
        if self.away:
            raise ChecksAway("gone")
        self.asked += every
        without_keys = Rejected(RejectionCode.UNKNOWN_MUNICIPALITY, "municipality", "no keys")
        return [
            without_keys
            if one.signal.signal_id == "no-keys"
            else Reply("REGULAR_FLOW", f"{one.trace_id.hex()}-{'0' * 16}")
            for one in every
        ]


def gateway(
    outlet: Outlet,
    *,
    tasks: Any = owners,
    publishers: Publishers | None = None,
    asks: Callable[[Sequence[Asked]], Sequence[Reply | Rejected]] | None = None,
    checks_per_s: float = 10_000,
    access: Access = ACCESS,
    webhooks: Sequence[Loaded] = (),
) -> FastAPI:
    rules = Rules(
        packaged_policies(for_every_code=True), publishers or Publishers(), lambda kind: kind, lambda: NOW_MS
    )
    authenticator = Authenticator(access, tokens(access), RateLimit(10_000, 10_000))
    checks = None if asks is None else Checks(asks, RateLimit(checks_per_s, checks_per_s))
    hooks = tuple(Webhook(loaded, rules.clock) for loaded in webhooks)
    parts = Parts(
        rules, outlet, authenticator, lambda topic: f"p-{topic}", "urn:nld:test", tasks, checks, hooks
    )
    return build_gateway(parts, SERVER, with_version(Bounds(body_bytes_max=1_000_000, per_address_s=1e6)))


def only(**limits: Any) -> Publishers:
    return Publishers({"signals": Publisher(**limits)})


def token(subject: str = "water-west") -> str:
    return jwt.encode(header(), claims(sub=subject), RSA, algorithms=["RS256"])


def client(outlet: Outlet | None = None, subject: str = "water-west", **given: Any) -> TestClient:
    app = gateway(Outlet() if outlet is None else outlet, **given)
    return TestClient(app, headers={"authorization": f"Bearer {token(subject)}"})


def signal(**changed: Any) -> dict[str, Any]:
    return {
        "signal_id": "S-1",
        "municipality": "0344",
        "partner": {"partner_id": "water-west", "kind": "WATER"},
        "subject": {"bsn": "999990019"},
        "arrears": "182.40",
        **changed,
    }


def event(**changed: Any) -> dict[str, Any]:
    return {
        "event_id": "e-1",
        "trajectory_id": "T-1",
        "municipality": "0344",
        "sequence": 1,
        "occurred_on": "2026-01-01",
        "recorded_at": "2026-01-01T09:00:00Z",
        "kind": "APPLIED",
        "clients": [{"bsn": "999990019"}],
        **changed,
    }


def update(**changed: Any) -> dict[str, Any]:
    return {
        "update_id": "u-1",
        "task_id": "t-1",
        "occurred_at": "2026-03-02T10:00:00Z",
        "kind": "ACCEPTED",
        "by": "c-7",
        **changed,
    }
