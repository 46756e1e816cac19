"""The same two servers in containers, where an engine is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from signaalwissel.deploy.containers import ContainerKafka, ContainerPostgres, engine_problem
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.deploy.platform import Platform, platform
from signaalwissel.deploy.settings import PlatformSettings

from tests.deploy.holder import both_answer
from tests.deploy.support import need_engine


@pytest.fixture(scope="module")
def engine() -> None:
    """Skip where containers were not asked for or no engine answers."""
    need_engine()


@pytest.fixture(scope="module")
def in_containers(engine: None, platform_settings: PlatformSettings) -> Iterator[Platform]:
    settings = replace(platform_settings, given_bootstrap=None, given_database_url=None)
    with platform(settings) as running:
        yield running


@pytest.mark.containers
def test_both_servers_answer_from_containers(in_containers: Platform) -> None:
    assert both_answer(in_containers)
    assert in_containers.kafka_bootstrap.startswith("127.0.0.1:")


@pytest.mark.parametrize("server", [ContainerKafka("none/none:0"), ContainerPostgres("none/none:0")])
def test_without_an_engine_it_says_what_to_check(
    server: ContainerKafka | ContainerPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    assert engine_problem() is not None
    with pytest.raises(PlatformError, match=r"container of none/none:0.*Check `docker info`"):
        server.start()
    server.close()


def test_the_broker_in_a_container_has_the_settings_of_the_embedded_one() -> None:
    environment = ContainerKafka("any").environment()
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert environment["KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS"] == "1"
    assert environment["KAFKA_ADVERTISED_LISTENERS"].startswith("PLAINTEXT://127.0.0.1:")


def test_the_broker_reaches_itself_on_a_port_that_it_has_inside_the_container() -> None:
    environment = ContainerKafka("any").environment()
    name = environment["KAFKA_INTER_BROKER_LISTENER_NAME"]
    (told,) = (
        one for one in environment["KAFKA_ADVERTISED_LISTENERS"].split(",") if one.startswith(f"{name}://")
    )
    assert told in environment["KAFKA_LISTENERS"].split(",")
