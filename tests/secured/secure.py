"""An installation on the secured cluster whose processes each log in as themselves, with nothing but their own rights."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer
from signaalwissel.console import runtime, topics
from signaalwissel.console.settings import Settings
from signaalwissel.deploy.kafka_cluster import ADMIN, Login
from signaalwissel.sinks.database import migrate
from signaalwissel.sinks.database_roles import Role
from signaalwissel.streams.topics import layout

from tests.secured.secured_support import Secured, environment_of, settled
from tests.sinks.role_support import as_role, let_in

SETTLED_BOUND_S = 120
ROLES = {
    "sink": Role.SINK,
    "web": Role.WEB,
    "gateway": Role.GATEWAY,
}
"""As whom programs log in at PostgreSQL, by the last word of their principal; all others are commands of people."""


class Secure:
    """An installation whose processes each log in as themselves."""

    def __init__(self, secured: Secured, login: Login, common: dict[str, str], folder: Path) -> None:
        self._secured = secured
        self._login = login
        self._common = common
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def settings(self, principal: str) -> Settings:
        given = {name.lower(): value for name, value in self._common.items()}
        return self._secured.settings(principal, self._login, **given)

    def run(self, principal: str, *command: str, **others: str) -> "subprocess.Popen[bytes]":
        """Start a command as somebody, with further settings by their names; it writes to `log(principal)`."""
        variables = {**self._common, **self._secured.variables(principal, self._login), **others}
        variables["DATABASE_URL"] = as_role(
            variables["DATABASE_URL"], ROLES.get(principal.rpartition("-")[2], Role.STAFF)
        )
        with self.log(principal).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "signaalwissel.console", *command],
                env=environment_of(variables), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def start(self, principal: str, *command: str, **others: str) -> None:
        """Start a command that runs until it is stopped."""
        self.running[principal] = self.run(principal, *command, **others)

    def done(self, principal: str, *command: str, code: int = 0) -> str:
        """Run a command to its end; gives what it wrote, and fails with the logs where it ends otherwise."""
        before = len(self.told(principal))
        assert self.run(principal, *command).wait(SETTLED_BOUND_S) == code, self.logs()
        return self.told(principal)[before:]

    def log(self, principal: str) -> Path:
        """The file of what somebody's programs wrote."""
        return self.folder / f"{principal}.log"

    def told(self, principal: str) -> str:
        """What somebody's programs wrote."""
        file = self.log(principal)
        return file.read_text("utf-8") if file.exists() else ""

    def logs(self) -> str:
        """The ends of all logs, for a failing assertion."""
        return "\n".join(f"== {file.name}\n{file.read_text()[-2500:]}" for file in self.folder.glob("*.log"))

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Return as soon as it is true; fail with the logs where it stays false."""
        deadline = time.monotonic() + SETTLED_BOUND_S
        while not true():
            assert time.monotonic() < deadline, f"not within {SETTLED_BOUND_S} s: {what}\n{self.logs()}"
            time.sleep(0.2)

    def stop(self) -> list[int]:
        """Stop what runs, in order; gives the exit codes."""
        for process in self.running.values():
            process.terminate()
        return [process.wait(60) for process in self.running.values()]

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


@contextmanager
def secure_installation(
    secured: Secured, login: Login, folder: Path, *, publishers_file: Path, **others: str
) -> Iterator[Secure]:
    """Topics, rights, tables and keys, made by who may; whatever was started ends with the block.

    Args:
        secured: The cluster.
        login: How everybody logs in.
        folder: For keys and logs.
        publishers_file: Who publishes.
        others: Further settings, by the names of `Settings`; `database_url` and `topic_prefix` must be there.
    """
    common = {
        "KEY_DIR": str(folder / "keys"),
        "EVERY_MUNICIPALITY": "true",
        "PARTITIONS": "2",
        "REPLICATION_FACTOR": "3",
        "CLOCK": "off",
        "PUBLISHERS_FILE": str(publishers_file),
        **{name.upper(): value for name, value in others.items()},
    }
    made = Secure(secured, login, common, folder)
    settings = made.settings(ADMIN)
    with topics.admin(settings) as client:
        topics.make(client, layout(runtime.names(settings), settings.partitions), settings.replication_factor)
        topics._mend_acls(client, settings, remove_surplus=False)
        settled(client, settings, 0)
    migrate(common["DATABASE_URL"])
    let_in(common["DATABASE_URL"])
    try:
        yield made
    finally:
        made.stop()
