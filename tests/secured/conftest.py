"""One secured cluster for every test of this folder; it starts with the first one that asks."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from signaalwissel.deploy.embedded_kafka import kafka_programs
from signaalwissel.deploy.kafka_cluster import ClusterSettings, secured_cluster
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.streams.clock import now_ms

from tests.console.conftest import bare_environment, signaalwissel
from tests.secured.secured_support import PUBLISHERS, People, Secured

__all__ = ["bare_environment", "people", "publishers_file", "secured", "signaalwissel"]


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Everybody who logs in, with certificates that count from this moment on."""
    return People.in_folder(tmp_path_factory.mktemp("people"), datetime.fromtimestamp(now_ms() / 1000, UTC))


@pytest.fixture(scope="session")
def secured(
    platform_settings: PlatformSettings, people: People, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secured]:
    """Three brokers: TLS, SCRAM, client certificates, access lists, nothing for who is not on them."""
    programs = kafka_programs(platform_settings.cache, progress_on(sys.__stderr__ or sys.stderr))
    settings = ClusterSettings(broker=people.broker, ca=people.authority.ca, users=people.passwords)
    with secured_cluster(programs, settings, tmp_path_factory.mktemp("cluster")) as cluster:
        yield Secured(cluster, people)


@pytest.fixture
def publishers_file(tmp_path: Path) -> Path:
    """Three publishers, each with topics of its own."""
    file = tmp_path / "publishers.toml"
    file.write_text(PUBLISHERS)
    return file
