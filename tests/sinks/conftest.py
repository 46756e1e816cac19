from collections.abc import Iterator

import pytest

from tests.sinks.sink_support import SinkBench


@pytest.fixture
def bench(kafka_bootstrap: str, database_url: str, topic_prefix: str) -> Iterator[SinkBench]:
    """Topics on the shared broker, an empty database, and sinks between them."""
    bench = SinkBench(kafka_bootstrap, database_url, topic_prefix)
    bench.make_topics()
    yield bench
    bench.close()
