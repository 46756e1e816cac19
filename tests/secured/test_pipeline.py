"""Intake, matcher and sink with nothing but their own rights route every signal exactly once."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer
from signaalwissel.console import runtime, topics
from signaalwissel.console.lag import stream_lag
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.kafka_cluster import ADMIN, Login
from signaalwissel.processors.emissions import COUNSELLOR_FOLLOWUP, REGULAR_FLOW, TASKS
from signaalwissel.processors.simulation_lines import Line
from signaalwissel.schemas.contract import codec
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.health import health
from signaalwissel.streams.topics import layout

from tests.secured.secured_support import WHOLE, Secured, environment_of, settled
from tests.system.lines import OTHER_BSN, applied, signal

pytestmark = pytest.mark.timeout(400)

_SIGNALS = 30
_SETTLED_BOUND_S = 120
_PARTNER = {"partner_id": "water-west", "kind": "WATER"}


class Secure:
    """An installation whose processes each log in as themselves."""

    def __init__(self, secured: Secured, login: Login, common: dict[str, str], folder: Path) -> None:
        self._secured = secured
        self._login = login
        self._common = common
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def settings(self, principal: str) -> Settings:
        given = {name.lower(): value for name, value in self._common.items()}
        return self._secured.settings(principal, self._login, **given)

    def run(self, principal: str, *command: str) -> "subprocess.Popen[bytes]":
        variables = {**self._common, **self._secured.variables(principal, self._login)}
        with (self._folder / f"{principal}-{command[0]}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "signaalwissel.console", *command],
                env=environment_of(variables), stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def start(self, principal: str, *command: str) -> None:
        self._running.append(self.run(principal, *command))

    def done(self, principal: str, *command: str) -> None:
        """Run a command to its end; fails with the logs where it does not end with 0."""
        assert self.run(principal, *command).wait(_SETTLED_BOUND_S) == 0, self.logs()

    def logs(self) -> str:
        return "\n".join(f"== {file.name}\n{file.read_text()[-2500:]}" for file in self._folder.glob("*.log"))

    def stop(self) -> list[int]:
        for process in self._running:
            process.terminate()
        return [process.wait(60) for process in self._running]

    def read(self, principal: str, group: str, topic: str, count: int) -> list[Any]:
        """What somebody reads of a topic in his own group: at least so many records, and what comes right after."""
        settings = self.settings(principal)
        consumer = KafkaConsumer(
            settings.topic_prefix + topic, bootstrap_servers=runtime.bootstrap(settings).split(","),
            group_id=settings.topic_prefix + group, auto_offset_reset="earliest", isolation_level="read_committed",
            enable_auto_commit=False, consumer_timeout_ms=60_000, **runtime.kafka_python_connection(settings),
        )  # fmt: skip
        found: list[Any] = []
        try:
            for record in consumer:
                found.append(record)
                if len(found) >= count:
                    break
            for records in consumer.poll(timeout_ms=1000).values():
                found += records
        finally:
            consumer.close()
        assert len(found) >= count, self.logs()
        return found


@pytest.fixture(params=list(Login) if WHOLE else [Login.MTLS])
def secure(
    request: pytest.FixtureRequest,
    secured: Secured,
    database_url: str,
    topic_prefix: str,
    publishers_file: Path,
    tmp_path: Path,
) -> Iterator[Secure]:
    common = {
        "DATABASE_URL": database_url,
        "TOPIC_PREFIX": topic_prefix,
        "KEY_DIR": str(tmp_path / "keys"),
        "EVERY_MUNICIPALITY": "true",
        "PARTITIONS": "2",
        "REPLICATION_FACTOR": "3",
        "CLOCK": "off",
        "PUBLISHERS_FILE": str(publishers_file),
    }
    made = Secure(secured, request.param, common, tmp_path)
    with topics.admin(made.settings(ADMIN)) as client:
        settings = made.settings(ADMIN)
        topics.make(client, layout(runtime.names(settings), settings.partitions), settings.replication_factor)
        topics._mend_acls(client, settings, remove_surplus=False)
        settled(client, settings, 0)
    migrate(database_url)
    yield made
    made.stop()


def of_a_publisher(line: Line, publisher: str) -> Line:
    return {**line, "topic": f"{line['topic']}.{publisher}"}


def lines_in(folder: Path, name: str, lines: list[Line]) -> str:
    file = folder / name
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def test_the_whole_pipeline_runs_with_its_own_rights_and_routes_each_signal_once(
    secure: Secure, tmp_path: Path, database_url: str
) -> None:
    hits = [signal(f"hit-{n}", "2026-02-10", partner=_PARTNER) for n in range(_SIGNALS)]
    others = [
        signal(f"other-{n}", "2026-02-10", partner=_PARTNER, subject={"bsn": OTHER_BSN})
        for n in range(_SIGNALS)
    ]
    foreign = signal("foreign", "2026-02-10", partner={**_PARTNER, "partner_id": "somebody-else"})
    opened = [of_a_publisher(applied("2026-01-01"), "casus")]
    sent = [of_a_publisher(line, "water-west") for line in (*hits, *others, foreign)]
    secure.done("publisher-casus", "publish", lines_in(tmp_path, "opened.jsonl", opened))
    secure.start("signaalwissel-intake", "worker", "--only", "intake")
    secure.start("signaalwissel-matcher", "worker", "--only", "matcher")
    secure.start("signaalwissel-sink", "sink")
    secure.done("publisher-water-west", "publish", lines_in(tmp_path, "sent.jsonl", sent))

    followed = secure.read("task-system", "task-system", COUNSELLOR_FOLLOWUP, _SIGNALS)
    regular = secure.read("early-signalling", "early-signalling", REGULAR_FLOW, _SIGNALS)
    tasks = secure.read("task-system", "task-system", TASKS, 1)

    assert Counter(codec("RoutedSignal").decode(record.value).signal_id for record in followed) == Counter(
        line["value"]["signal_id"] for line in hits
    )
    assert Counter(codec("RoutedSignal").decode(record.value).signal_id for record in regular) == Counter(
        line["value"]["signal_id"] for line in others
    )
    assert codec("TaskEvent").decode(tasks[0].value).municipality == "0344"
    # The operator sees the lag without the right to read a record.
    operator = secure.settings("signaalwissel-operator")
    engine = open_engine(database_url, name="test")
    deadline = time.monotonic() + _SETTLED_BOUND_S
    while stream_lag(operator) or not health(engine).dead_letters:
        assert time.monotonic() < deadline, secure.logs()
        time.sleep(0.3)
    assert sum(health(engine).dead_letters.values()) == 1
    assert secure.stop() == [0, 0, 0], secure.logs()
