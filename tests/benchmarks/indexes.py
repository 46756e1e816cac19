"""`python -m tests.benchmarks.indexes`: what the indexes of migration 0018 cost the sink, with and without by turns.

In: a generated month, decided once. Out: for each run the sink's speed and CPU and PostgreSQL's CPU, and the ratios of
the medians. The same records are read into a fresh database each time. On a machine that does other work look at CPU.
"""

import argparse
import dataclasses
import json
import logging
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.processors.emissions import DECISIONS, SIGNALS, TRAJECTORIES
from signaalwissel.sinks.database import migrate, open_engine
from sqlalchemy import text

from tests.benchmarks.kafka_records import preload, read_committed
from tests.benchmarks.machine import load
from tests.benchmarks.month import Month, make_month
from tests.benchmarks.processes import running
from tests.benchmarks.report import Place, records_before, window_of
from tests.benchmarks.sampling import Watch, tree_used_s
from tests.benchmarks.sink_stage import Records, offsets_of, postgres_of, size, stored_offsets
from tests.system.installation import Installation

_INDEXES = (
    *("ix_decisions_revised", "ix_decisions_latest"),
    *("ix_task_history_climbed", "ix_task_updates_contact_made"),
)
_PREFIX = "indexes-"
_PARTITIONS = 8


class Run(NamedTuple):
    """One reading of everything into a database of its own."""

    per_second: float
    sink_cpu_us: float
    postgres_cpu_us: float


def main(arguments: argparse.Namespace) -> None:
    """Measure by turns and print the runs and ratios."""
    logging.basicConfig(level=logging.ERROR)
    month = make_month(arguments.residents, arguments.signals)
    # A broker and a database of its own, whatever the environment offers.
    settings = dataclasses.replace(
        PlatformSettings.from_environment(os.environ),
        given_bootstrap=None,
        given_database_url=None,
        # Processes in containers have other numbers.
        containers=False,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        platform(settings, progress=progress_on(sys.stderr)) as servers,
    ):
        first = Installation(
            servers.kafka_bootstrap, servers.database_url, _PREFIX, Path(folder), _PARTITIONS
        )
        decisions = _decided(first, month)
        found: dict[str, list[Run]] = {"with": [], "without": []}
        for turn in range(arguments.runs):
            # Each goes first as often as the other.
            for kind in list(found)[:: 1 if turn % 2 else -1]:
                with fresh_database(servers.database_url, f"indexes_{kind}_{turn}") as url:
                    installation = dataclasses.replace(first, database_url=url, schema=_SCHEMAS[kind])
                    found[kind].append(_read(installation, decisions))
                told = {"indexes": kind, **found[kind][-1]._asdict(), "load": load()}
                print(json.dumps(told), flush=True)
    for figure in Run._fields:
        medians = {
            kind: statistics.median(getattr(run, figure) for run in runs) for kind, runs in found.items()
        }
        told = {"figure": figure, **medians, "ratio": round(medians["with"] / medians["without"], 3)}
        print(json.dumps(told), flush=True)


def _decided(installation: Installation, month: Month) -> Records:
    """Let the worker decide everything, and give what is on the topic."""
    for name, records in ((TRAJECTORIES, month.events), (SIGNALS, month.signals)):
        preload(installation.bootstrap, installation.prefix + name, installation.partitions, records)
        with running(installation, "worker"):
            installation.settle()
    topic = installation.prefix + DECISIONS
    begins = {Place(topic, number): 0 for number in range(installation.partitions)}
    return read_committed(installation.bootstrap, topic, begins)


def _without_indexes(url: str) -> None:
    migrate(url)
    with open_engine(url, name="benchmark").begin() as connection:
        for index in _INDEXES:
            connection.execute(text(f"DROP INDEX {index}"))


_SCHEMAS = {"with": migrate, "without": _without_indexes}


def _read(installation: Installation, decisions: Records) -> Run:
    engine = open_engine(installation.database_url, name="benchmark")
    server = postgres_of(engine)
    assert server is not None
    before_s = tree_used_s(server)
    with running(installation, "sink") as process:
        watch = Watch([process.pid], stored_offsets(engine, installation.prefix + DECISIONS))
        total, done = size(decisions), 0
        while done < total and watch.until_quiet():
            done = records_before(offsets_of(decisions), watch.samples[-1].next_offsets)
    assert done == total, f"{done} of {total} stored"
    window = window_of(watch.samples, offsets_of(decisions), total)
    return Run(window.per_second, window.cpu_us, 1e6 * (tree_used_s(server) - before_s) / total)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=10_000)
    parser.add_argument("--signals", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=4)
    main(parser.parse_args())
