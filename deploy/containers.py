"""Kafka and PostgreSQL in containers of this machine's engine, by testcontainers; for development only.

Flows in: image names. Flows out: the same two addresses as the embedded servers give. The Kafka image takes
broker properties as `KAFKA_*` variables and the PostgreSQL image `POSTGRES_*` ones, as the usual images do.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import ClassVar, Final

from docker.errors import DockerException  # type: ignore[import-untyped]
from signaalwissel.deploy.databases import create_database
from signaalwissel.deploy.embedded_kafka import SINGLE_NODE
from signaalwissel.deploy.embedded_postgres import DATABASE, LOCALE_OPTIONS, OWNER
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.ports import LOOPBACK, free_ports
from signaalwissel.deploy.settings import (
    BOOTSTRAP_VARIABLE,
    DATABASE_VARIABLE,
    KAFKA_IMAGE_VARIABLE,
    POSTGRES_IMAGE_VARIABLE,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

START_BOUND_S: Final = 120
KAFKA_PORT: Final = 9092
CONTROLLER_PORT: Final = 9093
BROKER_PORT: Final = 9094
POSTGRES_PORT: Final = 5432


def engine_problem() -> str | None:
    """Return why no container can be started here, or None."""
    try:
        DockerClient().client.ping()
    except DockerException as refused:
        return f"no container engine answers: {refused}"
    return None


class ContainerServer(ABC):
    """One server in a container, bound to 127.0.0.1 of this machine."""

    name: ClassVar[str]
    variable: ClassVar[str]
    image_variable: ClassVar[str]
    inner_port: ClassVar[int]
    ready_text: ClassVar[str]

    def __init__(self, image: str) -> None:
        self._image = image
        self._container: DockerContainer | None = None
        self._port = free_ports(1)[0]

    @property
    @abstractmethod
    def address(self) -> str:
        """What clients connect to."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the container's variables."""

    def start(self) -> None:
        """Start and wait until ready; raises PlatformError with what the engine or the server said."""
        ready = LogMessageWaitStrategy(self.ready_text).with_startup_timeout(START_BOUND_S)
        try:
            container = DockerContainer(self._image).with_envs(**self.environment()).waiting_for(ready)
            # The engine takes an address with the port; the annotation knows ports alone.
            container.ports[f"{self.inner_port}/tcp"] = (LOOPBACK, self._port)  # type: ignore[assignment]
            self._container = container
            container.start()
        except (DockerException, RuntimeError, TimeoutError) as failed:
            raise PlatformError(
                f"{self.name} cannot be started in a container of {self._image}: {failed}. "
                f"Check `docker info` and {self.image_variable}, "
                f"or set {self.variable} to a {self.name} that runs."
            ) from failed

    def close(self) -> None:
        """Remove the container and its data."""
        container, self._container = self._container, None
        if container is not None:
            container.stop()


class ContainerKafka(ContainerServer):
    """One broker that is its own controller, with the settings of the embedded one."""

    name: ClassVar[str] = "Kafka"
    variable: ClassVar[str] = BOOTSTRAP_VARIABLE
    image_variable: ClassVar[str] = KAFKA_IMAGE_VARIABLE
    inner_port: ClassVar[int] = KAFKA_PORT
    ready_text: ClassVar[str] = "Kafka Server started"

    @property
    def address(self) -> str:
        """The value for `bootstrap.servers`."""
        return f"{LOOPBACK}:{self._port}"

    def environment(self) -> dict[str, str]:
        """Return the broker's properties as variables."""
        # For transactions a broker connects to itself too, and inside the container nobody has the port of this machine.
        itself = f"BROKER://{LOOPBACK}:{BROKER_PORT}"
        properties = {
            **{key: value for key, value in SINGLE_NODE.items() if key != "log.dirs"},
            "listeners": f"PLAINTEXT://:{KAFKA_PORT},{itself},CONTROLLER://{LOOPBACK}:{CONTROLLER_PORT}",
            "advertised.listeners": f"PLAINTEXT://{self.address},{itself}",
            "inter.broker.listener.name": "BROKER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.voters": f"1@{LOOPBACK}:{CONTROLLER_PORT}",
        }
        return {f"KAFKA_{key.upper().replace('.', '_')}": value for key, value in properties.items()}


class ContainerPostgres(ContainerServer):
    """One PostgreSQL server with one database, and a password that is drawn for it."""

    name: ClassVar[str] = "PostgreSQL"
    variable: ClassVar[str] = DATABASE_VARIABLE
    image_variable: ClassVar[str] = POSTGRES_IMAGE_VARIABLE
    inner_port: ClassVar[int] = POSTGRES_PORT
    ready_text: ClassVar[str] = "database system is ready to accept connections"

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self._password = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """The database as a SQLAlchemy URL."""
        return f"{self._server}/{DATABASE}"

    @property
    def _server(self) -> str:
        return f"postgresql+psycopg://{OWNER}:{self._password}@{LOOPBACK}:{self._port}"

    def environment(self) -> dict[str, str]:
        """Return owner, password and locale."""
        return {
            "POSTGRES_USER": OWNER,
            "POSTGRES_PASSWORD": self._password,
            "POSTGRES_DB": "postgres",
            "POSTGRES_INITDB_ARGS": " ".join(LOCALE_OPTIONS),
            "TZ": "UTC",
        }

    def start(self) -> None:
        """Start, wait until it takes connections from outside, and create the database."""
        super().start()
        # The images first start a server for their own preparations, which says that it is ready too.
        waiting = Retrying(
            retry=retry_if_exception_type(PlatformError),
            stop=stop_after_delay(START_BOUND_S),
            wait=wait_fixed(0.2),
            reraise=True,
        )
        waiting(create_database, f"{self._server}/postgres", DATABASE)
