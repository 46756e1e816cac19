"""`make bench-peers`: every peer and the product over one workload, alternating. Ends with 1 when an output is wrong."""

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from signaalwissel.deploy.cache import cache_folder
from signaalwissel.deploy.embedded_kafka import BrokerSettings, EmbeddedKafka, kafka_programs
from signaalwissel.deploy.progress import progress_on

from tests.benchmarks.machine import facts, load, sentence
from tests.benchmarks.pages import check_place, fill
from tests.benchmarks.peers.catalogue import PEERS, Task
from tests.benchmarks.peers.fetch import Built, NotBuilt, build
from tests.benchmarks.peers.ground import Ground
from tests.benchmarks.peers.latency import latency
from tests.benchmarks.peers.measure import Given, cold, given_to, throughput
from tests.benchmarks.peers.results import Result, markdown_of, names_of, table_of
from tests.benchmarks.peers.workload import Workload, workload
from tests.benchmarks.report import NoWindow
from tests.benchmarks.sampling import Stuck

_WIDTH = 170
_TABLE = "side by side"
# The broker of the tests is made to start quickly; here it must keep up.
_BROKER = BrokerSettings(
    properties={
        "num.network.threads": "3",
        "num.io.threads": "8",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
    },
    heap_mb=1024,
    java_options=("-XX:TieredStopAtLevel=4",),
)


@dataclass(frozen=True)
class Comparison:
    """Runs peers on one broker."""

    bootstrap: str
    folder: Path
    built: Built
    months: Workload
    options: argparse.Namespace

    def run(self, names: Iterable[str], workers: int) -> list[Result]:
        """Every peer of these names, alternating: each run goes through all of them before the next."""
        results = [Result(PEERS[name], workers) for name in names]
        for number in range(self.options.runs):
            for result in results:
                given = given_to(result.peer, self.months)
                result.signals = len(given.answers)
                self._note(
                    result, f"throughput {number + 1}", lambda r=result, g=given: self._throughput(r, g)
                )
        for number in range(self.options.latency_runs):
            for result in results:
                self._note(result, f"latency {number + 1}", lambda r=result: self._latency(r))
        for result in results if self.options.cold else ():
            self._note(result, "cold replay", lambda r=result: self._cold(r))
        return results

    def _throughput(self, result: Result, given: Given) -> str:
        figures = throughput(result.peer, self._task(result), given)
        result.runs.append(figures)
        return f"{figures.signals_per_s:,.0f}/s, {figures.cpu_us:.1f} us, {_told(figures.verdict.findings)}"

    def _latency(self, result: Result) -> str:
        found = latency(result.peer, self._task(result), given_to(result.peer, self.months))
        result.latencies.append(found)
        return f"p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms"

    def _cold(self, result: Result) -> str:
        given = given_to(result.peer, self.months)
        verdict = cold(result.peer, self._task(result), given)
        result.replay = verdict
        return f"{verdict.right:,} of {len(given.answers):,} right, {_told(verdict.findings)}"

    def _task(self, result: Result) -> Task:
        mark = uuid.uuid4().hex[:8]
        folder = self.folder / f"{result.peer.name}-{mark}"
        folder.mkdir()
        ground = Ground(self.bootstrap, f"bench-{mark}-", self.options.partitions)
        return Task(ground, result.workers, self.options.commit_ms, folder, self.months.keys, self.built)

    @staticmethod
    def _note(result: Result, what: str, measure: Callable[[], str]) -> None:
        try:
            told = measure()
        except (Stuck, NoWindow) as failure:
            result.failures.append(f"{what}: {failure}")
            told = f"FAILED: {failure}"
        print(f"{result.peer.name}, {result.workers} workers, {what}: {told}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the comparison; 0 when every run was correct, 1 when not, 2 when it cannot be run here."""
    options = _options(arguments)
    _end_in_order()
    logging.basicConfig(level=logging.CRITICAL)
    cache, progress = cache_folder(os.environ), progress_on(sys.stderr)
    try:
        names = names_of(options.peers)
        check_place(options.markdown, _TABLE)
        built = build(names, cache, progress)
    except (ValueError, OSError, NotBuilt) as refused:
        print(f"bench-peers: {refused}", file=sys.stderr)
        return 2
    months = workload(options.residents, options.signals, cache, progress)
    told, console, results = facts(), Console(width=_WIDTH), []
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedKafka(kafka_programs(cache, progress), _BROKER) as broker,
    ):
        comparison = Comparison(broker.address, Path(folder), built, months, options)
        for workers in options.workers:
            results += comparison.run(names, workers)
    for workers in options.workers:
        console.print(table_of(results, workers))
    told |= {"load_average_at_end": load()}
    print(json.dumps({"machine": told}))
    for result in results:
        print(result.line())
    if options.markdown is not None:
        fill(options.markdown, _TABLE, _page(sentence(told), results, options))
    return 0 if all(result.correct for result in results) else 1


def _page(machine: str, results: list[Result], options: argparse.Namespace) -> list[str]:
    """What a page shows of a run."""
    about = (
        f"{machine} {options.signals:,} signals about {options.residents:,} residents, {options.partitions} partitions, "
        f"commits every {options.commit_ms} ms; medians of {options.runs} runs for throughput and "
        f"{options.latency_runs} for latency, by turns."
    )
    tables = [markdown_of(results, workers) for workers in options.workers]
    return [about, *(line for table in tables for line in ("", *table))]


def _told(findings: dict[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in findings.items()) or "correct"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.peers", description=__doc__)
    parser.add_argument("--peers", default="", help="names with commas; all without it")
    parser.add_argument("--runs", type=int, default=3, help="throughput runs of each")
    parser.add_argument("--latency-runs", type=int, default=3)
    parser.add_argument("--no-cold", dest="cold", action="store_false", help="without the cold replay")
    parser.add_argument("--workers", type=lambda text: [int(one) for one in text.split(",")], default=[2])
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--signals", type=int, default=400_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--commit-ms", type=int, default=100)
    parser.add_argument("--markdown", type=Path, help="page whose table of the comparison is written anew")
    return parser.parse_args(arguments)


def _end_in_order() -> None:
    """Leave with everything stopped on SIGTERM."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
