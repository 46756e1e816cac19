from collections.abc import Iterator
from pathlib import Path

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform

from tests.sinks.restore_support import Erasures
from tests.sinks.sink_support import SinkBench


@pytest.fixture
def bench(kafka_bootstrap: str, database_url: str, topic_prefix: str) -> Iterator[SinkBench]:
    """Topics on the shared broker, an empty database, and sinks between them."""
    bench = SinkBench(kafka_bootstrap, database_url, topic_prefix)
    bench.make_topics()
    yield bench
    bench.close()


@pytest.fixture
def restored(bench: SinkBench, platform: Platform) -> Iterator[SinkBench]:
    """The same topics, and an empty database to restore into."""
    with fresh_database(
        platform.database_url, f"restored_{bench.settings.topic_prefix.replace('-', '_')}"
    ) as url:
        yield SinkBench(bench.settings.bootstrap, url, bench.settings.topic_prefix)


@pytest.fixture
def erase(tmp_path: Path) -> Erasures:
    return Erasures(tmp_path)
