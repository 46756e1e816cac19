"""Servers of the canary run's own: their files are looked through, so nobody else may write to them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from signaalwissel.deploy.embedded_kafka import EmbeddedKafka, kafka_programs
from signaalwissel.deploy.embedded_postgres import EmbeddedPostgres
from signaalwissel.deploy.postgres_programs import postgres_programs
from signaalwissel.deploy.progress import Silent
from signaalwissel.deploy.settings import PlatformSettings

from tests.privacy.life import live
from tests.privacy.people import PUBLISHER_TOPIC
from tests.privacy.town import PARTITIONS, Town, surroundings
from tests.sinks.log_collector import log_collector
from tests.sinks.open_klant_server import running_stub
from tests.system.installation import Installation

CROWD = int(os.environ.get("SIGNAALWISSEL_CANARY_SIGNALS", "150"))


class Ran(NamedTuple):
    """A canary run that is over but for its servers, which still run."""

    town: Town
    kafka_folder: Path
    postgres_folder: Path


@pytest.fixture(scope="module")
def ran(platform_settings: PlatformSettings) -> Iterator[Ran]:
    with ExitStack() as ends:
        # Not pytest's own folder: PostgreSQL's account must be able to pass through.
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="canary-")))
        home.chmod(0o711)
        folders = [home / name for name in ("kafka", "postgres", "papers", "product")]
        for folder in folders:
            folder.mkdir()
        kafka_folder, postgres_folder, papers, own = folders
        cache = platform_settings.cache
        kafka = ends.enter_context(EmbeddedKafka(kafka_programs(cache, Silent()), folder=kafka_folder))
        postgres = ends.enter_context(
            EmbeddedPostgres(postgres_programs(cache, Silent()), folder=postgres_folder)
        )
        open_klant = ends.enter_context(running_stub())
        collector = ends.enter_context(log_collector())
        publishers = papers / "publishers.toml"
        publishers.write_text(
            f'["{PUBLISHER_TOPIC}"]\nmunicipalities = ["0344"]\npartners = ["woonstichting"]\n', "utf-8"
        )
        product = Installation(
            kafka.address, postgres.address, "canary-", own, PARTITIONS, publishers,
            extra=surroundings(papers, own, open_klant, collector),
        )  # fmt: skip
        ends.callback(product.stop)
        town = Town(product, papers, open_klant, collector)
        live(town, CROWD, kafka.pid, postgres.pid)
        product.stop()
        yield Ran(town, kafka_folder, postgres_folder)
