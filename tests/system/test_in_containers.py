"""The whole in containers of its own image: Kafka, PostgreSQL, worker and sink; a month in, every result checked.

Opt-in: SIGNAALWISSEL_TEST_CONTAINERS=1, an engine, and an image that SIGNAALWISSEL_IMAGE names (docs/deploy.md builds it).
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from signaalwissel.sources.generator import generate
from testcontainers.core.container import DockerContainer

from tests.deploy.support import need_engine
from tests.system.installation import Installation
from tests.system.test_upgrade import check

IMAGE_VARIABLE = "SIGNAALWISSEL_IMAGE"
IMAGE = "signaalwissel:0.1.0"
USER = 10001
KEYS = "/var/lib/signaalwissel/keys"

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


@pytest.fixture
def engine() -> None:
    """Skip where containers were not asked for or no engine answers."""
    need_engine()


@dataclass
class Contained(Installation):
    """An installation whose processes run in containers, on the network of this machine, as compose locks them in."""

    containers: list[DockerContainer] = field(default_factory=list)

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command of the program in a container; it ends with the installation."""
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        os.chown(keys, USER, USER)
        ours = {name: value for name, value in self.environment.items() if name.startswith("SIGNAALWISSEL_")}
        container = (
            DockerContainer(os.environ.get(IMAGE_VARIABLE) or IMAGE)
            .with_command(list(command))
            .with_envs(**{**ours, "SIGNAALWISSEL_KEY_DIR": KEYS})
            .with_volume_mapping(str(keys), KEYS, "rw")
            .with_tmpfs_mount("/tmp")  # noqa: S108 - in the container
            .with_kwargs(
                network_mode="host",
                read_only=True,
                user=f"{USER}:{USER}",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges:true"],
            )
        )
        container.start()
        self.containers.append(container)
        log = (self.folder / f"{command[0]}-{len(self.containers)}.log").open("wb")
        with log:
            return subprocess.Popen(
                ["docker", "logs", "--follow", container.get_wrapped_container().id],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        """Stop every container."""
        for container in self.containers:
            container.stop()


@pytest.fixture
def contain(
    engine: None,
    topic_prefix: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[], Contained]]:
    # Not before it is known that there is an engine: these two start their containers.
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    database_url = request.getfixturevalue("database_url")
    made: list[Contained] = []

    def new() -> Contained:
        folder = tmp_path_factory.mktemp("contained")
        made.append(Contained(bootstrap, database_url, topic_prefix, folder))
        return made[-1]

    yield new
    for one in made:
        one.stop()


def test_a_month_in_containers_of_our_image_is_routed_and_stored_as_the_rules_say(
    contain: Callable[[], Contained],
) -> None:
    lines = list(generate(1_000, 3_000, 31))
    product = contain()
    product.start("worker")
    product.start("sink")
    product.publish(lines)
    check(product, lines)
