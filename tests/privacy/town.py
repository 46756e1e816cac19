"""The canary run: an installation at DEBUG on servers of its own, and residents who go through every path of it.

In: servers whose folders can be read. Out: everything that is left behind, in files, logs and memory of the test.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from signaalwissel import processors

from tests.privacy import haystacks
from tests.privacy.detector import Hay
from tests.sinks.log_collector import TOKEN as LOG_TOKEN
from tests.sinks.log_collector import LogCollector
from tests.sinks.open_klant_stub import TOKEN, OpenKlantStub
from tests.system.installation import Installation

MUNICIPALITY = "0344"
PARTITIONS = 2
_ROOT = Path(__file__).parents[2]
COMMAND_BOUND_S = 120


@dataclass
class Town:
    """The installation, and what was seen of it while it ran."""

    product: Installation
    papers: Path
    open_klant: OpenKlantStub
    collector: LogCollector
    opened: list[str] = field(default_factory=list)
    crash_status: int | None = None
    seen: list[Hay] = field(default_factory=list)

    def start(self, *command: str, **variables: str) -> "subprocess.Popen[bytes]":
        """Start a process at DEBUG, with a folder of its own for its tables."""
        stage = command[-1]
        number = len(self.product.processes)
        folder = self.product.folder / "state" / stage
        env = {**self.product.environment, "SIGNAALWISSEL_STATE_DIR": str(folder), **variables}
        with (self.product.folder / f"{stage}-{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.privacy.process", *command],
                env=env, cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.product.processes.append(process)
        return process

    def run(
        self, *arguments: str, codes: frozenset[int] = frozenset({0}), given: bytes | None = None
    ) -> bytes:
        """A command of the product; what it prints goes to the logs, but for what `open-sealed` is asked for."""
        ended = subprocess.run(
            [sys.executable, "-m", "signaalwissel.console", *arguments],
            env=self.product.environment, input=given, capture_output=True, timeout=COMMAND_BOUND_S, check=False,
        )  # fmt: skip
        number = len(list(self.product.folder.glob("*.err")))
        log = self.product.folder / f"{number}-{arguments[0]}"
        log.with_suffix(".err").write_bytes(ended.stderr)
        if arguments[0] == "open-sealed":
            self.opened.append(ended.stdout.decode())
        else:
            log.with_suffix(".out").write_bytes(ended.stdout)
        assert ended.returncode in codes, f"{arguments}: {ended.returncode} {ended.stderr.decode()[-2000:]}"
        return ended.stdout

    def told(self, stage: str) -> str:
        """What a process wrote so far."""
        return "".join(file.read_text("utf-8") for file in self.product.folder.glob(f"{stage}-*.log"))

    def watch(self, *servers: int) -> None:
        """Note environment and command line of every process that runs."""
        running = [process.pid for process in self.product.processes if process.poll() is None]
        self.seen += haystacks.processes([*running, *servers])

    def told_to_others(self) -> list[Hay]:
        """What Open Klant and the processing log got."""
        stub = self.open_klant
        known = (stub.actors, stub.contacts, stub.objects, stub.tasks, stub.requests)
        return [
            Hay("Open Klant", json.dumps(known, default=str, ensure_ascii=False).encode()),
            *(
                Hay(f"processing log line {n}", one.SerializeToString())
                for n, one in enumerate(self.collector.spans)
            ),
        ]


def surroundings(
    papers: Path, own: Path, open_klant: OpenKlantStub, collector: LogCollector
) -> dict[str, str]:
    """Settings of the run: policies of one municipality, tables on disk, both other systems."""
    policies = papers / "policies"
    policies.mkdir()
    (policies / "default.toml").write_text((Path(processors.__path__[0]) / "default.toml").read_text("utf-8"))
    (policies / f"{MUNICIPALITY}.toml").touch()
    return {
        "SIGNAALWISSEL_POLICY_DIR": str(policies),
        "SIGNAALWISSEL_STATE_STORE": "rocksdb",
        "SIGNAALWISSEL_ERASURE_LEDGER": str(own / "erasures.jsonl"),
        "SIGNAALWISSEL_OPEN_KLANT_URL": open_klant.url,
        "SIGNAALWISSEL_OPEN_KLANT_TOKEN": TOKEN,
        "SIGNAALWISSEL_OPEN_KLANT_POLL_S": "5",
        "SIGNAALWISSEL_PROCESSING_LOG_URL": collector.url,
        "SIGNAALWISSEL_PROCESSING_LOG_TOKEN": LOG_TOKEN,
    }
