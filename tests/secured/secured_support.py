"""A secured cluster for tests: who there is, how each of them logs in, and what the settings of each are."""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kafka.admin import KafkaAdminClient
from signaalwissel.console import runtime
from signaalwissel.console.acls import acl_differences
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.certificates import Authority, Issued, Validity
from signaalwissel.deploy.kafka_cluster import ADMIN, Login, SecuredCluster
from signaalwissel.processors.access_rights import rights_of, roles
from signaalwissel.processors.principals import Principals

PUBLISHERS = """
["signals.water-west"]
municipalities = ["0344"]
partners = ["water-west"]

["trajectories.casus"]
municipalities = ["0344"]

["feedback.water-west"]
partners = ["water-west"]

["feedback.energie-noord"]
partners = ["energie-noord"]
"""
TOLD = ("feedback.water-west", "feedback.energie-noord")
INPUTS = ("signals.water-west", "trajectories.casus", *TOLD)
WHOLE = os.environ.get("SIGNAALWISSEL_SECURED") == "whole"
"""Whether every case runs (`make secured`) or those that say most in the least time."""
STRANGER, REVOKED = "stranger", "revoked"
LEAVING = ("intake", "matcher", "sink", "gateway", "web")
"""Roles of which somebody is taken away while he works."""
TABLE = roles(Principals(), INPUTS)
PRINCIPALS = rights_of(TABLE)
EVERYBODY = (*PRINCIPALS, STRANGER, REVOKED, *(f"leaving-{role}" for role in LEAVING))
_BOUND_MS = 15_000
_SETTLED_BOUND_S = 60
_LOOKS = 8
"""A look asks any of the three brokers."""


@dataclass(frozen=True)
class People:
    """Passwords and certificates by name, and those that nobody should accept."""

    authority: Authority
    passwords: Mapping[str, str]
    certificates: Mapping[str, Issued]
    expired: Issued
    broker: Issued
    folder: Path

    @classmethod
    def in_folder(cls, folder: Path, now: datetime) -> "People":
        authority = Authority(folder / "authority", Validity.around(now))
        past = Validity(now - timedelta(days=9), now - timedelta(days=2))
        passwords = {name: secrets.token_urlsafe(16) for name in EVERYBODY}
        for name, password in passwords.items():
            file = folder / f"{name}.password"
            file.touch(0o600)
            file.write_text(password + "\n")
        return cls(
            authority,
            passwords,
            {name: authority.issue(name) for name in (*EVERYBODY, ADMIN)},
            authority.issue("expired", validity=past),
            # For one name only: at 127.0.0.1 it is somebody else.
            authority.issue("broker", hosts=["localhost"]),
            folder,
        )


@dataclass(frozen=True)
class Secured:
    """The cluster, and who there is."""

    cluster: SecuredCluster
    people: People

    def variables(self, principal: str, login: Login = Login.SCRAM) -> dict[str, str]:
        """The variables with which somebody logs in."""
        issued = self.people.certificates.get(principal)
        given = {
            "KAFKA_BOOTSTRAP": self.cluster.bootstrap(login),
            "KAFKA_SECURITY_PROTOCOL": "SSL" if login is Login.MTLS else "SASL_SSL",
            "KAFKA_SECURITY_CA_FILE": str(self.people.authority.ca),
        }
        if login is not Login.SCRAM and issued is not None:
            given["KAFKA_SECURITY_CERTIFICATE_FILE"] = str(issued.certificate)
            given["KAFKA_SECURITY_KEY_FILE"] = str(issued.key)
        if login is not Login.MTLS:
            given["KAFKA_SECURITY_MECHANISM"] = "SCRAM-SHA-512"
            given["KAFKA_SECURITY_USERNAME"] = principal
            if principal == ADMIN:
                given["KAFKA_SECURITY_PASSWORD"] = self.cluster.admin_password
            else:
                given["KAFKA_SECURITY_PASSWORD_FILE"] = str(self.people.folder / f"{principal}.password")
        return given

    def settings(self, principal: str, login: Login = Login.SCRAM, **others: Any) -> Settings:
        """The settings of somebody."""
        given = {name.lower(): value for name, value in self.variables(principal, login).items()}
        return Settings(**given, **others)

    @contextmanager
    def client(self, principal: str, login: Login = Login.SCRAM) -> Iterator[KafkaAdminClient]:
        """An administration client of somebody."""
        settings = self.settings(principal, login)
        made = KafkaAdminClient(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            bootstrap_timeout_ms=_BOUND_MS,
            request_timeout_ms=_BOUND_MS,
            **runtime.kafka_python_connection(settings),
        )
        try:
            yield made
        finally:
            made.close()


def settled(client: KafkaAdminClient, settings: Settings, count: int) -> None:
    """Until every broker that answers shows so many differences from the table of rights; fails where they do not."""
    agree = 0
    deadline = time.monotonic() + _SETTLED_BOUND_S
    while agree < _LOOKS:
        found = acl_differences(client, settings)
        agree = agree + 1 if len(found) == count else 0
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """A process's environment with these settings of ours and no others."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAALWISSEL_")}
    return {**rest, **{f"SIGNAALWISSEL_{name}": value for name, value in variables.items()}}
