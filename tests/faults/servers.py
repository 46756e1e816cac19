"""The servers of a fault run: one broker or three, PostgreSQL, each behind a proxy, their data on small disks.

In: a folder and a seed. Out: addresses, direct for whoever checks and through the proxies for the product.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from signaalwissel.deploy.embedded_kafka import (
    SINGLE_NODE,
    BrokerSettings,
    EmbeddedKafka,
    KafkaPrograms,
    cluster_id,
    kafka_programs,
)
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.ports import LOOPBACK, free_ports
from signaalwissel.deploy.postgres_programs import postgres_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.server import Timing
from signaalwissel.deploy.settings import PlatformSettings
from sqlalchemy import make_url

from tests.faults.proxy import Proxy

BROKER_DISK_MB = 2048
DATABASE_DISK_MB = 1024
NODES = 3
# Small index files, or a broker's disk is full of nothing; sessions as short as the fault runs have them.
_SMALL = {
    "log.index.size.max.bytes": str(1 << 20),
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.threads": "1",
}
_REPLICATED = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}


class ProxiedKafka(EmbeddedKafka):
    """A broker with two doors: `address`, and `proxied` through a proxy; no client learns of the other door."""

    ports_needed = 3

    def __init__(self, programs: KafkaPrograms, proxy: Proxy, folder: Path) -> None:
        super().__init__(programs, BrokerSettings(heap_mb=384), folder)
        self._proxy = proxy

    @property
    def proxied(self) -> str:
        return f"{LOOPBACK}:{self._proxy.port}"

    def properties(self) -> dict[str, str]:
        direct, controller, behind = self._ports
        self._proxy.target = behind
        return {
            **SINGLE_NODE,
            **_SMALL,
            "listeners": f"PLAINTEXT://{LOOPBACK}:{direct},PROXIED://{LOOPBACK}:{behind},"
            f"CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{direct},PROXIED://{self.proxied}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        }


class Node(EmbeddedKafka):
    """One of three brokers that trust everybody; any one of them may be killed."""

    ports_needed = 2

    def __init__(
        self,
        programs: KafkaPrograms,
        identity: str,
        number: int,
        ports: Sequence[tuple[int, int]],
        folder: Path,
    ) -> None:
        super().__init__(programs, BrokerSettings(heap_mb=256), folder, Timing(start_bound_s=120.0))
        self._identity = identity
        self._number = number
        self._all = ports

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self._all[self._number][0]}"

    def format_options(self) -> list[str]:
        return ["-t", self._identity]

    def properties(self) -> dict[str, str]:
        broker, controller = self._all[self._number]
        voters = ",".join(f"{n}@{LOOPBACK}:{ports[1]}" for n, ports in enumerate(self._all, start=1))
        return {
            **SINGLE_NODE,
            **_SMALL,
            **_REPLICATED,
            "node.id": str(self._number + 1),
            "listeners": f"PLAINTEXT://{LOOPBACK}:{broker},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{broker}",
            "controller.quorum.voters": voters,
        }


@dataclass
class Servers:
    """What a run has: its own broker and database, each behind a proxy."""

    kafka: ProxiedKafka
    kafka_proxy: Proxy
    postgres: EmbeddedPostgres
    database_proxy: Proxy
    folder: Path
    small_disks: bool

    def through_proxy(self, url: str) -> str:
        """The address of a database, by way of the proxy."""
        return make_url(url).set(port=self.database_proxy.port).render_as_string(hide_password=False)


def platform_settings() -> PlatformSettings:
    return PlatformSettings.from_environment(os.environ)


def _broker_programs() -> KafkaPrograms:
    return kafka_programs(platform_settings().cache, Silent())


@contextmanager
def servers(folder: Path, seed: int, *, small_disks: bool = True) -> Iterator[Servers]:
    """Start broker and database for the length of the block, on disks that can be filled where that is wanted."""
    small = small_disks and _may_mount(folder)
    with ExitStack() as ends:
        kafka_proxy = ends.enter_context(Proxy(seed).running())
        database_proxy = ends.enter_context(Proxy(seed + 1).running())
        broker_folder = ends.enter_context(small_disk(folder / "kafka", BROKER_DISK_MB if small else 0))
        database_folder = ends.enter_context(
            small_disk(folder / "postgres", DATABASE_DISK_MB if small else 0)
        )
        kafka = ProxiedKafka(_broker_programs(), kafka_proxy, broker_folder)
        postgres = EmbeddedPostgres(postgres_programs(platform_settings().cache, Silent()), database_folder)
        with ThreadPoolExecutor(2) as pool:
            for started in [pool.submit(ends.enter_context, one) for one in (kafka, postgres)]:
                started.result()
        database_proxy.target = make_url(postgres.address).port or 0
        yield Servers(kafka, kafka_proxy, postgres, database_proxy, folder, small)


@contextmanager
def cluster(folder: Path) -> Iterator[list[Node]]:
    """Three brokers for the length of the block."""
    ports = free_ports(2 * NODES)
    pairs = list(zip(ports[::2], ports[1::2], strict=True))
    programs, identity = _broker_programs(), cluster_id()
    nodes = [Node(programs, identity, number, pairs, folder / f"node-{number}") for number in range(NODES)]
    try:
        with ThreadPoolExecutor(NODES) as pool:
            for started in [pool.submit(node.start) for node in nodes]:
                started.result()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
        for node in nodes:
            node.close()


def _may_mount(folder: Path) -> bool:
    """Root may, but not in every container."""
    if os.geteuid():
        return False
    try:
        with small_disk(folder / "probe", 1):
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A disk of its own for a folder, which only root may mount; of size 0 it is the folder alone."""
    folder.mkdir(parents=True)
    if not size_mb:
        yield folder
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """The disk under a folder is full to the last byte for the length of the block."""
    filler = folder / "filler"
    try:
        with filler.open("wb") as file:
            block = b"\0" * (1 << 20)
            try:
                while True:
                    file.write(block)
                    file.flush()
            except OSError:
                pass
        yield
    finally:
        filler.unlink(missing_ok=True)
