"""The canary run: an installation at DEBUG on servers of its own, and residents who go through every path of it.

In: servers whose folders can be read. Out: everything that is left behind, in files, logs and memory of the test.
"""

import json
import os
import signal as signals
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from signaalwissel import processors
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskKind, TaskUpdateKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.tables import tasks
from sqlalchemy import select

from tests.odd_records import Name
from tests.privacy import haystacks, people
from tests.privacy.detector import Hay
from tests.privacy.process import CRASH_VARIABLE
from tests.processors.followup_support import update
from tests.sinks.log_collector import TOKEN as LOG_TOKEN
from tests.sinks.log_collector import LogCollector
from tests.sinks.open_klant_stub import TOKEN, OpenKlantStub
from tests.system.installation import Installation

MUNICIPALITY = "0344"
PARTITIONS = 2
_ROOT = Path(__file__).parents[2]
_COMMAND_BOUND_S = 120
_REPORTED_AT: Millis = 1_792_540_800_000  # 21 October 2026


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
            env=self.product.environment, input=given, capture_output=True, timeout=_COMMAND_BOUND_S, check=False,
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


def surroundings(papers: Path, open_klant: OpenKlantStub, collector: LogCollector) -> dict[str, str]:
    """Settings of the run: policies of one municipality, tables on disk, both other systems."""
    policies = papers / "policies"
    policies.mkdir()
    (policies / "default.toml").write_text((Path(processors.__path__[0]) / "default.toml").read_text("utf-8"))
    (policies / f"{MUNICIPALITY}.toml").touch()
    return {
        "SIGNAALWISSEL_POLICY_DIR": str(policies),
        "SIGNAALWISSEL_STATE_STORE": "rocksdb",
        "SIGNAALWISSEL_OPEN_KLANT_URL": open_klant.url,
        "SIGNAALWISSEL_OPEN_KLANT_TOKEN": TOKEN,
        "SIGNAALWISSEL_OPEN_KLANT_POLL_S": "5",
        "SIGNAALWISSEL_PROCESSING_LOG_URL": collector.url,
        "SIGNAALWISSEL_PROCESSING_LOG_TOKEN": LOG_TOKEN,
    }


def live(town: Town, crowd: int, *servers: int) -> None:
    """Let every resident go through his path."""
    product = town.product
    town.run("keys", "create", MUNICIPALITY)
    stages = {
        "intake": town.start("worker", "--only", "intake", **{CRASH_VARIABLE: "S-crash"}),
        "matcher": town.start("worker", "--only", "matcher"),
        "sink": town.start("sink"),
    }
    product.publish(people.known())
    product.settle()
    product.publish(people.good())
    _publish_broken(product)
    product.settle(sink=True)
    _confirm(product)
    product.publish([people.applied("late", "2026-11-02T09:00:00Z")])
    product.settle(sink=True)
    town.watch(*servers)
    _crash(town, stages)
    _kill(town, stages, crowd)
    product.settle(sink=True)
    _use_commands(town)
    product.settle(sink=True)
    product.wait_until(lambda: bool(town.open_klant.tasks), "Open Klant has tasks")
    product.wait_until(lambda: bool(town.collector.spans), "the processing log has lines")
    with open_engine(product.database_url, name="test").connect() as connection:
        town.seen += haystacks.tables(connection)
    town.run("retention", "run", "--json")
    product.settle(sink=True)


def _publish_broken(product: Installation) -> None:
    product.publish(people.refused().values())
    record = codec("EarlySignal")
    encoded = record.encode(record.from_json(people.told("broken", "S-cut")["value"]))
    person = people.PEOPLE["broken"]
    number, name = (people.value_of(person, field).encode() for field in ("bsn", "surname"))
    producer = KafkaProducer(bootstrap_servers=product.bootstrap, max_request_size=4 << 20)
    headers = [
        ("tracestate", b"bank=" + number),
        ("traceparent", b"00-" + number),
        (Name(name), name),
        ("ce_subject", number),
    ]
    for value in (*people.broken(encoded).values(), None):
        producer.send(f"{product.prefix}signals", value, key=number, headers=headers)
    # The same one comes through every partition, so that all but one of them move it.
    moved = record.encode(record.from_json(people.told("moved", "S-moved")["value"]))
    for partition in range(PARTITIONS):
        producer.send(f"{product.prefix}signals", moved, key=number, headers=headers, partition=partition)
    producer.send(f"{product.prefix}task-updates", b"\x01" + name + number, key=number, headers=headers)
    producer.flush(timeout=60)
    producer.close()


def _confirm(product: Installation) -> None:
    """The counsellor confirms who lives at the address."""
    with open_engine(product.database_url, name="test").connect() as connection:
        query = select(tasks).where(tasks.c.kind == TaskKind.VERIFY_IDENTITY.value)
        (task,) = connection.execute(query).mappings()
    trajectory_id, client = task["candidates"][0]
    said = update(
        TaskUpdateKind.IDENTITY_CONFIRMED, task["task_id"], occurred_at=_REPORTED_AT,
        trajectory_id=trajectory_id, client=client,
    )  # fmt: skip
    product.send_raw("task-updates", codec("TaskUpdate").encode(said))
    product.settle(sink=True)


def _crash(town: Town, stages: dict[str, Any]) -> None:
    """An exception inside a handler ends intake; the next one, without the defect, handles the record."""
    town.product.publish([people.told("crashing", "S-crash")])
    town.crash_status = stages["intake"].wait(_COMMAND_BOUND_S)
    stages["intake"] = town.start("worker", "--only", "intake")


def _kill(town: Town, stages: dict[str, Any], crowd: int) -> None:
    lines = list(people.crowd(crowd))
    part = -(-len(lines) // len(stages))
    for number, name in enumerate(("intake", "matcher", "sink")):
        town.product.publish(lines[number * part : (number + 1) * part])
        os.kill(stages[name].pid, signals.SIGKILL)
        stages[name].wait()
        command = ("sink",) if name == "sink" else ("worker", "--only", name)
        stages[name] = town.start(*command)


def _use_commands(town: Town) -> None:
    """Everything that a person may ask for, and what he is refused."""
    product = town.product
    letters = [json.loads(line) for line in town.run("dead-letters", "list", "--json").splitlines()]
    for letter in letters:
        town.run("dead-letters", "show", letter["dead_letter_id"])
    town.run("dead-letters", "replay", "--code", "PUBLISHER_NOT_ALLOWED", "--json")
    mended = town.papers / "mended.json"
    mended.write_text(json.dumps(people.told("broken", "S-mended")["value"]), "utf-8")
    wrong = next(letter["dead_letter_id"] for letter in letters if letter["field"] == "arrears")
    town.run("dead-letters", "replay", wrong, "--mended", str(mended))
    for routed in (product.read("counsellor-followup")[0], product.read("regular-flow")[0]):
        town.run("open-sealed", "-", given=routed.value)
    town.run(
        "open-sealed",
        "-",
        given=b"\x01" + people.value_of(people.PEOPLE["broken"], "bsn").encode(),
        codes=frozenset({2}),
    )
    lines = town.papers / "lines.jsonl"
    bad = [*people.refused().values(), {"topic": "signals", "value": {"subject": {"bsn": 45298415}}}]
    lines.write_text(
        "\n".join(map(json.dumps, bad)) + '\n{"topic": "signals", "value": {"bsn": "892551732"', "utf-8"
    )
    for command in ("validate", "simulate", "publish"):
        town.run(command, str(lines), codes=frozenset({1, 2}))
    for signal_id in ("S-hit", "S-late", "S-address"):
        town.run("signal", "show", signal_id)
    town.run("report", "new-arrears", "--json")
    town.run("audit", "verify", codes=frozenset({0, 1}))
    town.run("doctor", codes=frozenset({0, 1}))
