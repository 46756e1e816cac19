"""Three Kafka brokers on this machine that trust nobody: TLS, SCRAM or client certificates, and access lists.

Flows in: the jars of `embedded_kafka`, users with their passwords, an authority. Flows out: an address for each way of
logging in. Each node is broker and controller; one of three may be killed and no acknowledged record is lost. Who has
no right on an access list may do nothing, except the user `ADMIN`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from signaalwissel.deploy.certificates import Issued
from signaalwissel.deploy.embedded_kafka import (
    SINGLE_NODE,
    BrokerSettings,
    EmbeddedKafka,
    KafkaPrograms,
    cluster_id,
)
from signaalwissel.deploy.errors import PortTaken
from signaalwissel.deploy.ports import free_ports
from signaalwissel.deploy.server import PORT_ATTEMPTS, Timing

ADMIN: Final = "admin"
NODES: Final = 3
HOST: Final = "localhost"
_SCRAM: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required"
_PLAIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_ITERATIONS: Final = 8192
_CONTROLLER: Final = "CONTROLLER"
REAUTHENTICATION_MS: Final = 10_000
"""After so long a client must log in again on the listener `BOTH`, or its connection is closed."""
_SECURED: Final[Mapping[str, str]] = {
    "controller.listener.names": _CONTROLLER,
    "inter.broker.listener.name": "SCRAM",
    "listener.security.protocol.map": "SCRAM:SASL_SSL,MTLS:SSL,BOTH:SASL_SSL,CONTROLLER:SASL_SSL",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
    # SCRAM users are known only when the controllers have found each other.
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.both.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    # On this listener a user who was taken away is gone soon; on the others he keeps the connections that he has.
    "listener.name.both.scram-sha-512.connections.max.reauth.ms": str(REAUTHENTICATION_MS),
    "listener.name.mtls.ssl.client.auth": "required",
    "listener.name.both.ssl.client.auth": "required",
    "ssl.client.auth": "none",
    "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
    # A client certificate logs in as its common name: the same names whichever way somebody logs in.
    "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:{ADMIN}",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.num.partitions": "3",
    "broker.session.timeout.ms": "6000",
}


class Login(StrEnum):
    """How a client proves who it is, by the name of the listener."""

    SCRAM = "SCRAM"
    MTLS = "MTLS"
    BOTH = "BOTH"


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """What a cluster is made of.

    Attributes:
        broker: Certificate of the brokers, for `localhost`.
        ca: Who signed the brokers and the clients.
        users: Passwords by name, for SCRAM; `ADMIN` gets one of its own.
        heap_mb: Of each node.
    """

    broker: Issued
    ca: Path
    users: Mapping[str, str] = field(default_factory=dict)
    heap_mb: int = 256


@dataclass(frozen=True)
class _Cluster:
    """What the nodes have in common: id, passwords, ports of each listener by node."""

    identity: str
    settings: ClusterSettings
    users: Mapping[str, str]
    ports: Mapping[str, Sequence[int]]

    def addresses(self, listener: str) -> str:
        return ",".join(f"{HOST}:{port}" for port in self.ports[listener])

    def properties(self, node: int) -> dict[str, str]:
        """All that node number `node`, from 0, has of its own."""
        password = self.users[ADMIN]
        scram = f'{_SCRAM} username="{ADMIN}" password="{password}";'
        plain = f'{_PLAIN} username="{ADMIN}" password="{password}" user_{ADMIN}="{password}";'
        voters = enumerate(self.ports[_CONTROLLER], start=1)
        listeners = [f"{name}://{HOST}:{ports[node]}" for name, ports in self.ports.items()]
        return {
            **_SECURED,
            "node.id": str(node + 1),
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(one for one in listeners if not one.startswith(_CONTROLLER)),
            "controller.quorum.voters": ",".join(f"{number}@{HOST}:{port}" for number, port in voters),
            "listener.name.scram.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.both.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.settings.broker.bundled()),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.settings.ca),
        }

    def format_options(self) -> list[str]:
        options = [
            f"SCRAM-SHA-512=[name={name},password={password},iterations={_ITERATIONS}]"
            for name, password in self.users.items()
        ]
        return [part for option in options for part in ("--add-scram", option)]


class ClusterNode(EmbeddedKafka):
    """One of the brokers; `kill`, `stop` and `start` it as any other server."""

    def __init__(self, programs: KafkaPrograms, cluster: _Cluster, node: int, folder: Path) -> None:
        settings = BrokerSettings(heap_mb=cluster.settings.heap_mb)
        super().__init__(programs, settings, folder, Timing(start_bound_s=180.0))
        self._cluster = cluster
        self._node = node
        # The other nodes know this one by its ports.
        self._ports = [ports[node] for ports in cluster.ports.values()]
        self._was_ready = True

    def properties(self) -> dict[str, str]:
        return {**SINGLE_NODE, **self._cluster.properties(self._node)}

    def format_options(self) -> list[str]:
        return ["-t", self._cluster.identity, *self._cluster.format_options()]


@dataclass(frozen=True)
class SecuredCluster:
    """A cluster that runs."""

    nodes: Sequence[ClusterNode]
    ca: Path
    admin_password: str
    _addresses: Mapping[str, str]

    def bootstrap(self, login: Login) -> str:
        """The value for `bootstrap.servers` of clients that log in this way."""
        return self._addresses[login]


@contextmanager
def secured_cluster(
    programs: KafkaPrograms, settings: ClusterSettings, folder: Path
) -> Iterator[SecuredCluster]:
    """Three brokers for the length of the block, with their data in `folder`.

    Raises ServerFailed with the end of a broker's log when they do not come up.
    """
    users = {**settings.users, ADMIN: secrets.token_urlsafe(24)}
    with ExitStack() as ends:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            cluster = _Cluster(cluster_id(), settings, users, _free())
            nodes = [
                ClusterNode(programs, cluster, number, folder / f"{attempt}-{number + 1}")
                for number in range(NODES)
            ]
            try:
                _start(nodes, ends)
            except PortTaken:
                if attempt == PORT_ATTEMPTS:
                    raise
            else:
                break
        yield SecuredCluster(
            nodes, settings.ca, users[ADMIN], {login: cluster.addresses(login) for login in Login}
        )


def _free() -> dict[str, list[int]]:
    names = [*map(str, Login), _CONTROLLER]
    ports = free_ports(len(names) * NODES)
    return {name: ports[at * NODES : (at + 1) * NODES] for at, name in enumerate(names)}


def _start(nodes: Sequence[ClusterNode], ends: ExitStack) -> None:
    """Start all at the same time: none is ready before it has found another one."""
    ends.callback(_end, nodes)
    with ThreadPoolExecutor(len(nodes)) as pool:
        for started in [pool.submit(node.start) for node in nodes]:
            started.result()


def _end(nodes: Sequence[ClusterNode]) -> None:
    """End all as a crash would: in good order each one would wait for others that are gone already."""
    for node in nodes:
        node.kill()
    for node in nodes:
        node.close()
