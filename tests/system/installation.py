"""An installation of the product for one test: topics of its own, worker and sink processes, keys and a database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from signaalwissel.console import runtime
from signaalwissel.console.lag import stream_lag
from signaalwissel.console.publish import Partner
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin, make
from signaalwissel.processors.emissions import DEAD_LETTERS, DECISIONS
from signaalwissel.processors.policy import packaged_policies
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.simulation import Simulation
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.followup import TaskKind
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.schemas.routing import Decision, Route
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.nonces import fresh_nonce
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.health import lag as sink_lag
from signaalwissel.sinks.tables import tasks
from signaalwissel.streams.topics import layout
from sqlalchemy import select

PATIENCE_S = 180.0
_QUIET_LOOKS = 3


@dataclass
class Installation:
    """Everything that one test runs, on the shared broker under a prefix of its own."""

    bootstrap: str
    database_url: str
    prefix: str
    folder: Path
    partitions: int = 4
    publishers: Path | None = None
    replication: int = 1
    extra: dict[str, str] = field(default_factory=dict)
    schema: Callable[[str], object] = migrate
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = Settings(
            kafka_bootstrap=self.bootstrap,
            database_url=self.database_url,
            topic_prefix=self.prefix,
            key_dir=self.folder / "keys",
            every_municipality="SIGNAALWISSEL_POLICY_DIR" not in self.extra,
            partitions=self.partitions,
            publishers_file=self.publishers,
        )
        with admin(self.settings) as client:
            make(client, layout(runtime.names(self.settings), self.partitions), self.replication)
        self.schema(self.database_url)

    @property
    def environment(self) -> dict[str, str]:
        given = {
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": self.bootstrap,
            "SIGNAALWISSEL_DATABASE_URL": self.database_url,
            "SIGNAALWISSEL_TOPIC_PREFIX": self.prefix,
            "SIGNAALWISSEL_KEY_DIR": str(self.folder / "keys"),
            "SIGNAALWISSEL_EVERY_MUNICIPALITY": str(self.settings.every_municipality).lower(),
            "SIGNAALWISSEL_PARTITIONS": str(self.partitions),
            # What tests publish is old: by today's date every deadline of it is over.
            "SIGNAALWISSEL_CLOCK": "off",
            **self.extra,
        }
        if self.publishers is not None:
            given["SIGNAALWISSEL_PUBLISHERS_FILE"] = str(self.publishers)
        return {**os.environ, **given}

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command of the program; it ends with the installation."""
        log = (self.folder / f"{'-'.join(command)}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "signaalwissel.console", *command],
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """Stop everything that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self) -> str:
        """The ends of all logs, for a failing assertion."""
        return "\n".join(
            f"== {file.name}\n{file.read_text()[-3000:]}" for file in sorted(self.folder.glob("*.log"))
        )

    def publish(self, lines: Iterable[Line]) -> None:
        """Send lines as a partner would; those that fit no schema nobody can send."""
        with Partner(self.settings) as partner:
            for line in lines:
                try:
                    partner.send(line)
                except Rejected:
                    continue

    def send_raw(
        self, topic: str, value: bytes | None, *, key: bytes | None = None, partition: int | None = None
    ) -> None:
        """Send bytes as they are."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=4 << 20)
        producer.send(self.prefix + topic, value=value, key=key, partition=partition).get(timeout=30)
        producer.close()

    def send_many(self, topic: str, values: Iterable[bytes]) -> None:
        """Send values without a key."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20)
        for value in values:
            producer.send(self.prefix + topic, value=value)
        producer.flush(timeout=60)
        producer.close()

    def settle(self, *, sink: bool = False) -> None:
        """Wait until worker, and sink where there is one, have read everything."""
        quiet = 0

        def settled() -> bool:
            nonlocal quiet
            left = stream_lag(self.settings)
            if sink:
                engine = open_engine(self.database_url, name="test")
                stored = sink_lag(engine, runtime.sink_settings(self.settings))
                left += sum(partition.lag for partition in stored.values())
            quiet = quiet + 1 if left == 0 else 0
            return quiet >= _QUIET_LOOKS

        self.wait_until(settled, "everything is read")

    def wait_until(self, true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Return as soon as it is true; fail with the logs when it stays false or a process has ended."""
        deadline = time.monotonic() + patience_s
        while not true():
            assert time.monotonic() < deadline, f"not within {patience_s} s: {what}\n{self.logs()}"
            time.sleep(0.3)

    def read(self, topic: str) -> list[Any]:
        """The committed records of a topic, partition by partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", isolation_level="read_committed",
            enable_auto_commit=False, max_poll_records=5000,
        )  # fmt: skip
        try:
            found = [
                TopicPartition(self.prefix + topic, n)
                for n in consumer.partitions_for_topic(self.prefix + topic)
            ]
            consumer.assign(found)
            ends = consumer.end_offsets(found)
            consumer.seek_to_beginning(*found)
            records: list[Any] = []
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                for polled in consumer.poll(timeout_ms=2000).values():
                    records += polled
            return records
        finally:
            consumer.close()

    def decisions(self) -> list[Decision]:
        """Every revision that was published."""
        return [read_decision(record.value) for record in self.read(DECISIONS)]

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter that was published."""
        return [codec("DeadLetter").decode(record.value) for record in self.read(DEAD_LETTERS)]

    def contacts_to_make(self) -> list[str]:
        """The tasks of counsellors to reach somebody about new arrears."""
        wanted = select(tasks.c.task_id).where(tasks.c.kind == TaskKind.CONTACT_ON_RELAPSE.value)
        with open_engine(self.database_url, name="test").connect() as connection:
            return list(connection.execute(wanted).scalars())

    def simulated(self, lines: Sequence[Line]) -> list[Line]:
        """What the same lines give without Kafka, under the same keys."""
        keys = LocalKeys(self.folder / "keys", create_municipalities=True)
        simulation = Simulation(packaged_policies(for_every_code=True), keys, fresh_nonce)
        return [output for line in lines for output in simulation.feed(line)]


def simulated_decisions(outputs: Iterable[Line]) -> Iterator[Decision]:
    """The decisions among output lines."""
    for output in outputs:
        if output["topic"] == DECISIONS:
            yield codec("Decision").from_json(output["value"])


def last_of_each(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The last revision of each accepted delivery."""
    last: dict[str, Decision] = {}
    for decision in decisions:
        delivery = decision.routing_id.split("-")[0]
        if delivery not in last or last[delivery].revision < decision.revision:
            last[delivery] = decision
    return last


def outcome(decision: Decision) -> tuple[Route, str | None]:
    """Route, and trajectory where that is the counsellor's."""
    followed = decision.route is Route.COUNSELLOR_FOLLOWUP
    return decision.route, decision.trajectory_id if followed else None


def gapless(decisions: Iterable[Decision]) -> bool:
    """Whether every delivery has the revisions 0, 1, 2, ... once each."""
    numbers: dict[str, list[int]] = {}
    for decision in decisions:
        numbers.setdefault(decision.routing_id.split("-")[0], []).append(decision.revision)
    return all(sorted(found) == list(range(len(found))) for found in numbers.values())
