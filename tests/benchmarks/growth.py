"""`make bench-growth`: the matcher with more and more residents in its tables; recovery, memory, disk, two workers.

The changelogs are filled first, so a worker starts as after a crash: cold from them, or warm from its folder on disk.
Then signals about known residents lie in an open transaction, which is committed at once. Every run goes through all
cases, so what the machine does meanwhile meets each of them. Ends with 1 when a signal was not decided exactly once.
Ratios are of one run; figures of different runs do not compare.
"""

import argparse
import dataclasses
import json
import logging
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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

from tests.benchmarks.growth_report import MEMORY, ROCKSDB, Case, Outcome, Start, summary, table
from tests.benchmarks.known import Town
from tests.benchmarks.machine import facts, load, sentence
from tests.benchmarks.pages import NoPlace, check_place, fill
from tests.benchmarks.peers.catalogue import PEERS, PRODUCT, Peer, Task, running
from tests.benchmarks.peers.fetch import Built
from tests.benchmarks.peers.ground import Ground, Looks
from tests.benchmarks.peers.tree import Tree
from tests.benchmarks.report import NoWindow, Place, Sample, window_of
from tests.benchmarks.sampling import Stuck

_TABLE = "growth"
_SIGNALS = 120_000
"""Four seconds of one worker: of 40,000 a window lasted one, and chance decided between sizes."""
_READY = "reading partitions"
_START_BOUND_S, _RUN_BOUND_S, _QUIET_S, _PAUSE_S = 300.0, 240.0, 2.0, 0.02
_MIB = 1 << 20
_BROKER = BrokerSettings(
    properties={"offsets.topic.num.partitions": "4", "transaction.state.log.num.partitions": "4"},
    heap_mb=1024,
    java_options=("-XX:TieredStopAtLevel=4",),
)


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
        events = self._town.events(copies, case.asked)
        with ground.topics():
            self._town.fill(ground, copies)
            with ground.held_back(RESIDENT_EVENTS, events) as gate, ground.looking() as looks:
                with _started(peer, task) as (tree, start):
                    outcome.cold.append(start)
                    began = looks.ends(DECISIONS)
                    gate.open()
                    samples = _watch(tree, looks, len(events))
                self._judge(outcome, ground, began, samples)
                if case.store == ROCKSDB:
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
    if case.store == MEMORY:
        return product
    env = {"SIGNAALWISSEL_STATE_STORE": ROCKSDB, "SIGNAALWISSEL_STATE_DIR": str(folder / "tables")}
    return dataclasses.replace(product, env=env)


def cases_of(options: argparse.Namespace) -> list[Case]:
    """The cases of a run: sizes in memory, one size with two workers, one on disk, the sizes with as many asked."""
    cases = [Case(residents, 1, MEMORY) for residents in options.residents]
    if options.two_workers:
        cases.append(Case(options.two_workers, 2, MEMORY))
    if options.rocksdb:
        cases.append(Case(options.rocksdb, 1, ROCKSDB))
    if options.asked:
        cases += [Case(residents, 1, MEMORY, options.asked) for residents in options.residents]
    return cases


def main(arguments: list[str]) -> int:
    """Run everything; 0 when each signal was decided once, else 1."""
    options = _options(arguments)
    try:
        check_place(options.markdown, _TABLE)
    except (NoPlace, OSError) as refused:
        print(f"growth: {refused}", file=sys.stderr)
        return 2
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
    return _report(outcomes, machine | {"load_average_at_end": load()}, options)


def _report(outcomes: list[Outcome], machine: dict[str, Any], options: argparse.Namespace) -> int:
    """Print what was found, and write the page where one is given and nothing was wrong; gives the status to end with."""
    print(json.dumps({"machine": machine}))
    for outcome in outcomes:
        print(json.dumps(outcome.told()))
    print(json.dumps({"summary": summary(outcomes)}))
    if any(outcome.wrong for outcome in outcomes):
        return 1
    if options.markdown is not None:
        run = f"{options.partitions} partitions, commits every {options.commit_ms} ms; runs: {options.runs}."
        fill(options.markdown, _TABLE, [f"{sentence(machine)} {run}", "", *table(outcomes)])
    return 0


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--residents",
        type=lambda text: [int(one) for one in text.split(",")],
        default=[10_000, 100_000, 1_000_000, 3_000_000],
        help="sizes, with commas",
    )
    parser.add_argument(
        "--two-workers", type=int, default=100_000, help="residents of that case; 0 leaves it out"
    )
    parser.add_argument(
        "--rocksdb",
        type=int,
        default=630_000,
        help="residents of that case; 0 leaves it out. As given, a million entries",
    )
    parser.add_argument(
        "--asked",
        type=int,
        default=10_000,
        help="every size once more, with signals about so many residents; 0 leaves that out",
    )
    parser.add_argument("--signals", type=int, default=_SIGNALS)
    parser.add_argument("--runs", type=int, default=1, help="of every case, by turns; medians are told")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--commit-ms", type=int, default=100)
    parser.add_argument("--markdown", type=Path, help="page whose table of growth is written anew")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
