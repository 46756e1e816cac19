"""`make bench-growth`: the matcher with more and more residents in its tables; recovery, memory, disk, two workers.

The changelogs are filled first, so a worker starts as after a crash: cold from them, or warm from its folder on disk.
Then signals about known residents lie in an open transaction, which is committed at once. Ends with 1 when a signal
was not decided exactly once. Ratios are of one run; figures of different runs do not compare.
"""

import argparse
import dataclasses
import json
import logging
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from signaalwissel.deploy.cache import cache_folder
from signaalwissel.deploy.embedded_kafka import BrokerSettings, EmbeddedKafka, kafka_programs
from signaalwissel.deploy.progress import progress_on
from signaalwissel.processors.emissions import DECISIONS, RESIDENT_EVENTS
from signaalwissel.schemas.decision_codec import read_decision

from tests.benchmarks.known import Town
from tests.benchmarks.machine import facts, load
from tests.benchmarks.peers.catalogue import PEERS, PRODUCT, Peer, Task, running
from tests.benchmarks.peers.fetch import Built
from tests.benchmarks.peers.ground import Ground, Looks
from tests.benchmarks.peers.tree import Tree
from tests.benchmarks.report import NoWindow, Place, Sample, window_of
from tests.benchmarks.sampling import Stuck

_MEMORY, _ROCKSDB = "memory", "rocksdb"
_READY = "reading partitions"
_START_BOUND_S, _RUN_BOUND_S, _QUIET_S, _PAUSE_S = 300.0, 240.0, 2.0, 0.02
_MIB = 1 << 20
_BROKER = BrokerSettings(
    properties={"offsets.topic.num.partitions": "4", "transaction.state.log.num.partitions": "4"},
    heap_mb=1024,
    java_options=("-XX:TieredStopAtLevel=4",),
)


@dataclass(frozen=True)
class Case:
    """What is run."""

    residents: int
    workers: int
    store: str


@dataclass(frozen=True)
class Start:
    """How a worker came up.

    Attributes:
        ready_s: From its launch until it read its partitions.
        recovery_s: Of that, from the moment at which its app started: the group, the tables, the index.
        cpu_s: What it had used by then.
        rss_mib: What it took in memory then.
    """

    ready_s: float
    recovery_s: float
    cpu_s: float
    rss_mib: float


@dataclass
class Outcome:
    """What a case gave, each run of it."""

    case: Case
    entries: int
    cold: list[Start] = field(default_factory=list)
    warm: list[Start] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """The JSON line of the case, medians of its runs."""
        return {
            **dataclasses.asdict(self.case),
            "entries": self.entries,
            "signals_per_s": _median(self.per_second, 0),
            "cpu_us_per_signal": _median(self.cpu_us, 1),
            "cold_start_s": _median([one.ready_s for one in self.cold], 1),
            "cold_recovery_s": _median([one.recovery_s for one in self.cold], 1),
            "cold_start_cpu_s": _median([one.cpu_s for one in self.cold], 1),
            "warm_start_s": _median([one.ready_s for one in self.warm], 1),
            "warm_recovery_s": _median([one.recovery_s for one in self.warm], 1),
            "warm_start_cpu_s": _median([one.cpu_s for one in self.warm], 1),
            "rss_mib": _median([one.rss_mib for one in self.cold], 0),
            "runs": [round(one) for one in self.per_second],
            "correct": not self.wrong,
            "wrong": self.wrong,
        }


class Growth:
    """Runs cases on one broker."""

    def __init__(self, bootstrap: str, folder: Path, town: Town, options: argparse.Namespace) -> None:
        self._bootstrap, self._folder, self._town, self._options = bootstrap, folder, town, options

    def run(self, outcome: Outcome) -> None:
        """One run of a case: fill, start cold, measure, and with a folder on disk start again."""
        case, mark = outcome.case, uuid.uuid4().hex[:8]
        ground = Ground(self._bootstrap, f"growth-{mark}-", self._options.partitions)
        folder = self._folder / mark
        folder.mkdir()
        peer = _peer(case, folder)
        task = Task(
            ground, case.workers, self._options.commit_ms, folder, self._folder / "keys", Built({}, "", {})
        )
        copies = self._town.copies(case.residents)
        events = self._town.events(copies, self._options.asked)
        with ground.topics():
            self._town.fill(ground, copies)
            with ground.held_back(RESIDENT_EVENTS, events) as gate, ground.looking() as looks:
                with _started(peer, task) as (tree, start):
                    outcome.cold.append(start)
                    began = looks.ends(DECISIONS)
                    gate.open()
                    samples = _watch(tree, looks, len(events))
                self._judge(outcome, ground, began, samples)
                if case.store == _ROCKSDB:
                    with _started(peer, task) as (_, again):
                        outcome.warm.append(again)

    def _judge(
        self, outcome: Outcome, ground: Ground, began: dict[Place, int], samples: list[Sample]
    ) -> None:
        offsets: dict[Place, list[int]] = {place: [] for place in began}
        ids: list[str] = []
        for output in ground.read():
            place = Place(output.topic, output.partition)
            if place in offsets:
                offsets[place].append(output.offset)
                ids.append(read_decision(output.value).routing_id)
        wanted = len(self._town.signals)
        if not len(ids) == len(set(ids)) == wanted:
            outcome.wrong.append(
                f"{len(ids)} decisions, {len(set(ids))} different ones, for {wanted} signals"
            )
        window = window_of(samples, offsets, len(ids))
        outcome.per_second.append(window.per_second)
        outcome.cpu_us.append(window.cpu_us)


@contextmanager
def _started(peer: Peer, task: Task) -> Iterator[tuple[Tree, Start]]:
    """The workers for the length of the block, all partitions read by somebody."""
    log = task.folder / f"{peer.name}.log"
    launched = time.monotonic()
    with running(peer, task) as pids:
        tree = Tree(pids)
        seen, quiet_since, used_s = 0, launched, 0.0
        while True:
            time.sleep(_PAUSE_S)
            cpu_s = tree.cpu_s()
            now = time.monotonic()
            lines = log.read_text(errors="replace").count(_READY)
            if lines != seen:
                seen, quiet_since, used_s = lines, now, cpu_s
            # With two workers the group changes hands until all are there.
            if seen and now - quiet_since > (_QUIET_S * task.workers):
                break
            if now - launched > _START_BOUND_S:
                raise Stuck(f"not ready within {_START_BOUND_S:g} s")
        yield tree, Start(quiet_since - launched, _recovery_s(log), used_s, _rss_mib(pids))


def _recovery_s(log: Path) -> float:
    """From the first line of the log that says that an app starts to the last one that says that it reads."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    starts = [line["at"] for line in lines if line["event"].endswith(" starts")]
    reads = [line["at"] for line in lines if _READY in line["event"]]
    return (datetime.fromisoformat(max(reads)) - datetime.fromisoformat(min(starts))).total_seconds()


def _rss_mib(pids: list[int]) -> float:
    roots = [psutil.Process(pid) for pid in pids]
    everyone = [one for root in roots for one in (root, *root.children(recursive=True))]
    return sum(one.memory_info().rss for one in everyone) / _MIB


def _watch(tree: Tree, looks: Looks, wanted: int) -> list[Sample]:
    samples: list[Sample] = []
    began_at = moved_at = time.monotonic()
    while True:
        cpu_s, ends = tree.cpu_s(), looks.ends(DECISIONS)
        now = time.monotonic()
        if not samples or samples[-1].next_offsets != ends:
            moved_at = now
        samples.append(Sample(now, cpu_s, ends))
        if sum(ends.values()) >= wanted and now - moved_at > _QUIET_S:
            return samples
        if now - began_at > _RUN_BOUND_S:
            raise Stuck(f"not done within {_RUN_BOUND_S:g} s: {sum(ends.values())} of {wanted}")
        time.sleep(_PAUSE_S)


def _peer(case: Case, folder: Path) -> Peer:
    product = PEERS[PRODUCT]
    if case.store == _MEMORY:
        return product
    env = {"SIGNAALWISSEL_STATE_STORE": _ROCKSDB, "SIGNAALWISSEL_STATE_DIR": str(folder / "tables")}
    return dataclasses.replace(product, env=env)


def cases_of(options: argparse.Namespace) -> list[Case]:
    """The cases of a run: sizes in memory, one size with two workers, one on disk."""
    cases = [Case(residents, 1, _MEMORY) for residents in options.residents]
    if options.two_workers:
        cases.append(Case(options.two_workers, 2, _MEMORY))
    if options.rocksdb:
        cases.append(Case(options.rocksdb, 1, _ROCKSDB))
    return cases


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """What the issue asks for, from the cases of one run; None where a case is missing."""
    alone = [
        one for one in outcomes if one.case.workers == 1 and one.case.store == _MEMORY and one.per_second
    ]
    names = ("fall_percent", "cpu_rise_percent", "bytes_per_entry", "two_workers")
    told: dict[str, Any] = dict.fromkeys(names)
    if len(alone) > 1:
        first, last = alone[0], alone[-1]
        rates = [statistics.median(one.per_second) for one in alone]
        told["fall_percent"] = round(100 * (1 - rates[-1] / rates[0]), 1)
        costs = [statistics.median(one.cpu_us) for one in alone]
        told["cpu_rise_percent"] = round(100 * (costs[-1] / costs[0] - 1), 1)
        grown_mib = last.cold[0].rss_mib - first.cold[0].rss_mib
        told["bytes_per_entry"] = round(grown_mib * _MIB / (last.entries - first.entries))
    for pair in (one for one in outcomes if one.case.workers > 1 and one.per_second):
        for single in (one for one in alone if one.case.residents == pair.case.residents):
            ratio = statistics.median(pair.per_second) / statistics.median(single.per_second)
            told["two_workers"] = round(ratio, 2)
    return told


def main(arguments: list[str]) -> int:
    """Run everything; 0 when each signal was decided once, else 1."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(level=logging.CRITICAL)
    progress, machine = progress_on(sys.stderr), facts()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedKafka(kafka_programs(cache_folder(os.environ), progress), _BROKER) as broker,
    ):
        town = Town(options.signals, Path(folder) / "keys")
        growth = Growth(broker.address, Path(folder), town, options)
        outcomes = [Outcome(case, town.entries(town.copies(case.residents))) for case in cases_of(options)]
        for number in range(options.runs):
            for outcome in outcomes:
                try:
                    growth.run(outcome)
                except (Stuck, NoWindow) as failure:
                    outcome.wrong.append(str(failure))
                print(f"run {number + 1}: {json.dumps(outcome.told())}", file=sys.stderr, flush=True)
    print(json.dumps({"machine": machine | {"load_average_at_end": load()}}))
    for outcome in outcomes:
        print(json.dumps(outcome.told()))
    print(json.dumps({"summary": summary(outcomes)}))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _median(values: list[float], digits: int) -> float | None:
    return round(statistics.median(values), digits or None) if values else None


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--residents",
        type=lambda text: [int(one) for one in text.split(",")],
        default=[10_000, 100_000, 1_000_000],
    )
    parser.add_argument(
        "--two-workers", type=int, default=100_000, help="residents of that case; 0 leaves it out"
    )
    parser.add_argument(
        "--rocksdb", type=int, default=1_000_000, help="residents of that case; 0 leaves it out"
    )
    parser.add_argument(
        "--asked", type=int, default=0, help="residents whom the signals are about; 0: all of them"
    )
    parser.add_argument("--signals", type=int, default=40_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--commit-ms", type=int, default=100)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
