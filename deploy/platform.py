"""Kafka and PostgreSQL for whoever needs them. Flows in: settings. Flows out: two addresses.

Addresses that were given are used as they are. Otherwise both servers start at the same time, as processes of
this machine or, where asked, in containers, and end with the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from signaalwissel.deploy.embedded_kafka import EmbeddedKafka, kafka_programs
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.postgres_programs import postgres_programs
from signaalwissel.deploy.progress import PlatformProgress, Silent
from signaalwissel.deploy.settings import PlatformSettings


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the two servers are; empty for the one that was not asked for."""

    kafka_bootstrap: str
    """For `bootstrap.servers`."""
    database_url: str
    """As SQLAlchemy writes it: `postgresql+psycopg://...`."""


class Server(Protocol):
    """A server that can be started, whatever it runs in."""

    @property
    def address(self) -> str:
        """What clients connect to, once it runs."""

    def start(self) -> None:
        """Start and wait until ready."""

    def close(self) -> None:
        """End it and remove its data."""


@contextmanager
def platform(
    settings: PlatformSettings,
    *,
    kafka: bool = True,
    database: bool = True,
    progress: PlatformProgress | None = None,
) -> Iterator[Platform]:
    """Give Kafka and PostgreSQL for the length of the block.

    `kafka` and `database` say which are wanted; `progress` is told about downloads and starts. Raises
    PlatformError with what to do when a server cannot be had.
    """
    shown = progress or Silent()
    needed: dict[str, Server] = {}
    if kafka and settings.given_bootstrap is None:
        needed["Kafka"] = _kafka(settings, shown)
    if database and settings.given_database_url is None:
        needed["PostgreSQL"] = _postgres(settings, shown)
    with ExitStack() as ends:
        if needed:
            with shown.step(f"Starting {' and '.join(needed)}", None):
                _start(list(needed.values()), ends)
        started = {name: server.address for name, server in needed.items()}
        yield Platform(
            kafka_bootstrap=started.get("Kafka", settings.given_bootstrap or "" if kafka else ""),
            database_url=started.get("PostgreSQL", settings.given_database_url or "" if database else ""),
        )


def _start(servers: list[Server], ends: ExitStack) -> None:
    """Start all at the same time; `ends` closes them, and on a failure or Ctrl-C closes them at once."""
    pool = ThreadPoolExecutor(len(servers))
    ends.callback(pool.shutdown)
    for server in servers:  # closing a server ends its start, so this comes before waiting for the pool
        ends.callback(server.close)
    done, _ = wait([pool.submit(server.start) for server in servers], return_when=FIRST_EXCEPTION)
    for start in done:
        start.result()


def _kafka(settings: PlatformSettings, progress: PlatformProgress) -> Server:
    if settings.containers:
        from signaalwissel.deploy.containers import ContainerKafka  # noqa: PLC0415 - for development only

        return ContainerKafka(settings.kafka_image)
    return EmbeddedKafka(kafka_programs(settings.cache, progress))


def _postgres(settings: PlatformSettings, progress: PlatformProgress) -> Server:
    if settings.containers:
        from signaalwissel.deploy.containers import ContainerPostgres  # noqa: PLC0415 - for development only

        return ContainerPostgres(settings.postgres_image)
    return EmbeddedPostgres(postgres_programs(settings.cache, progress))
