"""The peers: what each promises, and the commands that start it. In: settings of one run. Out: processes.

What a peer is told stands in the environment of its processes; README.md lists it.
"""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from signaalwissel.console.processes import end_all
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, DECISIONS, REGULAR_FLOW, RESIDENT_EVENTS
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.streams.topics import MATCHER_RECENTS, MATCHER_TRAJECTORIES, Names, changelog_topic

from tests.benchmarks.peers.fetch import Built
from tests.benchmarks.peers.ground import Ground
from tests.benchmarks.sampling import Stuck

EXACTLY_ONCE, AT_LEAST_ONCE = "exactly_once", "at_least_once"
PRODUCT, WHOLE, KAFKA_STREAMS = "signaalwissel", "signaalwissel-whole", "kafka-streams"
_LOG_SHOWN = 3000
_ROOT = Path(__file__).parents[3]
_ENGINES = Path(__file__).with_name("engines")
_PURE = ("schemas", "processors")

Commands = Callable[[Built, int], list[list[str]]]


@dataclass(frozen=True)
class Peer:
    """An engine with the match job on it.

    Attributes:
        name: In table and JSON lines.
        guarantee: What it gives.
        commands: Its processes, from what was built and the number of workers.
        about: What a reader of the table must know.
        share: The part of the workload that it gets, where all of it would take too long.
        env: Further environment.
    """

    name: str
    guarantee: str
    commands: Commands
    about: str = ""
    share: float = 1.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One run of one peer.

    Attributes:
        ground: Its topics.
        workers: Processes or threads.
        commit_ms: Commit interval.
        folder: For logs and state.
        keys: Keys of the product.
        built: What was fetched and built.
    """

    ground: Ground
    workers: int
    commit_ms: int
    folder: Path
    keys: Path
    built: Built

    def environment(self, peer: Peer) -> dict[str, str]:
        """What the processes of a peer are told."""
        names, bootstrap = Names(self.ground.prefix), self.ground.bootstrap
        state = self.folder / f"state-{uuid.uuid4().hex[:8]}"
        state.mkdir()
        rules = self.folder / "rules"
        if not rules.exists():
            (rules / "signaalwissel").mkdir(parents=True)
            for name in _PURE:
                (rules / "signaalwissel" / name).symlink_to(_ROOT / name)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("SIGNAALWISSEL_")},
            **self._of_the_product(),
            "BOOTSTRAP": bootstrap,
            "INPUT_TOPIC": names(RESIDENT_EVENTS),
            "FOLLOWUP_TOPIC": names(COUNSELLOR_FOLLOWUP),
            "REGULAR_TOPIC": names(REGULAR_FLOW),
            "DECISIONS_TOPIC": names(DECISIONS),
            "TRAJECTORIES_CHANGELOG": changelog_topic(names.matcher_app, MATCHER_TRAJECTORIES),
            "RECENTS_CHANGELOG": changelog_topic(names.matcher_app, MATCHER_RECENTS),
            # The Python peers run the product's rules, which are pure; nothing else of it is there for them.
            **({} if peer.name in {PRODUCT, WHOLE} else {"PYTHONPATH": str(rules)}),
            "GROUP_ID": f"{self.ground.prefix}{peer.name}",
            "STATE_DIR": str(state),
            "PARTITIONS": str(self.ground.partitions),
            "COMMIT_INTERVAL_MS": str(self.commit_ms),
            "WORKERS": str(self.workers),
            "POLICY_VERSION": packaged_policies().default.version,
            **peer.env,
        }

    def _of_the_product(self) -> dict[str, str]:
        return {
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": self.ground.bootstrap,
            "SIGNAALWISSEL_TOPIC_PREFIX": self.ground.prefix,
            "SIGNAALWISSEL_KEY_DIR": str(self.keys),
            "SIGNAALWISSEL_EVERY_MUNICIPALITY": "true",
            "SIGNAALWISSEL_PARTITIONS": str(self.ground.partitions),
            "SIGNAALWISSEL_COMMIT_INTERVAL_MS": str(self.commit_ms),
        }


@contextmanager
def running(peer: Peer, task: Task) -> Iterator[list[int]]:
    """A peer's processes for the length of the block."""
    environment = task.environment(peer)
    log = task.folder / f"{peer.name}.log"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("wb") as out:
            for index, command in enumerate(peer.commands(task.built, task.workers)):
                processes.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.PIPE,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        cwd=task.folder,
                        env={**environment, "WORKER_INDEX": str(index)},
                        start_new_session=True,
                    )
                )
        yield [process.pid for process in processes]
    except Stuck as stuck:
        raise Stuck(f"{peer.name}: {stuck}\n{log.read_text(errors='replace')[-_LOG_SHOWN:]}") from stuck
    finally:
        end_all(processes)
        for process in processes:
            # Some engines start processes of their own, which outlive a parent that ends.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _product(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "signaalwissel.console", "worker", *arguments, "--lifeline"]


def _java(built: Built, project: str, main: str, *options: str) -> list[str]:
    target = built.projects[project] / "target"
    return [
        built.java_program,
        *options,
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{target}/{project}-peer-1.jar:{target}/libs/*",
        main,
    ]


def _streams(built: Built, _workers: int) -> list[list[str]]:
    return [_java(built, "kafka-streams", "signaalwissel.StreamsPeer", "-Xmx1g")]


def _flink(built: Built, _workers: int) -> list[list[str]]:
    return [
        _java(
            built, "flink", "signaalwissel.FlinkPeer", "-Xmx2g", "--add-opens=java.base/java.util=ALL-UNNAMED"
        )
    ]


def _python(peer: str, program: str, *arguments: str, single: bool = False) -> Commands:
    """Commands of a Python peer: a process for each worker, or one that makes its own."""

    def commands(built: Built, workers: int) -> list[list[str]]:
        return [[str(built.pythons[peer]), str(_ENGINES / program), *arguments]] * (1 if single else workers)

    return commands


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            PRODUCT, EXACTLY_ONCE, lambda _, workers: [_product("--only", "matcher")] * workers, "the matcher"
        ),
        Peer(KAFKA_STREAMS, EXACTLY_ONCE, _streams, "stores in memory", env={"STORE": "memory"}),
        Peer("kafka-streams-rocksdb", EXACTLY_ONCE, _streams, "RocksDB stores", env={"STORE": "rocksdb"}),
        Peer(
            WHOLE,
            EXACTLY_ONCE,
            lambda _, workers: [
                _product("--only", stage)
                for stage in ("intake", "matcher")
                for _ in range(max(workers // 2, 1))
            ],
            "intake and matcher",
        ),
        Peer("flink", EXACTLY_ONCE, _flink, "MiniCluster, hash-map state"),
        Peer(
            "bare-loop", EXACTLY_ONCE, _python("bare-loop", "bare_loop.py"), "no engine; the product's rules"
        ),
        Peer(
            "quix-streams",
            EXACTLY_ONCE,
            _python("quix-streams", "quix_peer.py"),
            "the product's rules; RocksDB",
            share=0.3,
        ),
        Peer(
            "bytewax",
            AT_LEAST_ONCE,
            _python("bytewax", "bytewax_peer.py", single=True),
            "the product's rules; snapshots each second, no transactions",
            share=0.3,
        ),
        Peer(
            "faust-naive",
            AT_LEAST_ONCE,
            _python("faust-naive", "faust_peer.py", "worker", "-l", "warn", "--without-web", single=True),
            "the product's rules; one process; its outputs are in no transaction",
            share=0.1,
        ),
    )
}
