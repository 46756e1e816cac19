"""The product under fault: an installation, its stages by way of the proxies, and whoever publishes into it.

In: servers and a prefix. Out: stages by name; lines published at a pace; the moment at which everything is read.
"""

import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kafka.errors import KafkaError
from pydantic import SecretStr
from signaalwissel.console.failures import ServiceAway
from signaalwissel.console.lag import total_lag
from signaalwissel.console.publish import Partner
from signaalwissel.deploy.ports import LOOPBACK, free_ports
from signaalwissel.processors.rejection import Rejected
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.health import health
from signaalwissel.sinks.settings import SinkError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests.faults.stages import Stage, Supervisor
from tests.oracle.intake import Line
from tests.system.installation import Installation

COMMANDS = {
    "intake": ("worker", "--only", "intake"),
    "matcher": ("worker", "--only", "matcher"),
    "sink": ("sink",),
}
MEMORY, ROCKSDB = STORES = ("memory", "rocksdb")
QUIET_LOOKS = 2
_LOOK_S = 0.2
_SLICE_S = 0.25


class Stuck(Exception):
    """Something that must come did not come in time."""


class Product:
    """One installation and its three stages; further ones join and leave.

    Args:
        installation: Where it is.
        proxied: Kafka and PostgreSQL as the stages reach them.
        store: Where tables lie; on disk every process has a folder of its own, which it finds again after a kill.
    """

    def __init__(self, installation: Installation, proxied: tuple[str, str], store: str = MEMORY) -> None:
        self.installation = installation
        self.settings = installation.settings
        self.folder = installation.folder
        self.supervisor = Supervisor()
        self._proxied = proxied
        self._store = store
        self._health = free_ports(1)[0]
        self.engine: Engine = open_engine(installation.database_url, name="faults")
        self.resent = False
        self._joined = 0

    @contextmanager
    def running(self, **kept: str) -> Iterator["Product"]:
        """Start the stages, each with the faults that `kept` names for it."""
        try:
            for name in COMMANDS:
                self.supervisor.add(self.stage(name, kept=kept.get(name, "")))
            self.supervisor.start()
            yield self
        finally:
            self.supervisor.close()
            self.engine.dispose()

    def stage(self, name: str, *, kept: str = "", log: Path | None = None, faults: str = "") -> Stage:
        """A stage that is not started yet; only the first of each name answers for its health."""
        bootstrap, database = self._proxied
        environment = self.installation.environment | {
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": bootstrap,
            "SIGNAALWISSEL_DATABASE_URL": database,
        }
        first = not any(one.name == name for one in self.supervisor.stages)
        if first:
            environment["SIGNAALWISSEL_HEALTH_PORT"] = str(self._health)
        self._joined += 1
        if self._store == ROCKSDB and name != "sink":
            tables = self.folder / f"tables-{self._joined}"
            environment |= {
                "SIGNAALWISSEL_STATE_STORE": ROCKSDB,
                "SIGNAALWISSEL_STATE_DIR": str(tables),
            }
        file = log or self.folder / f"{name}-{self._joined}.log"
        return Stage(name, COMMANDS[name], environment, file, faults=faults, kept=kept)

    def __getitem__(self, name: str) -> Stage:
        return next(stage for stage in self.supervisor.stages if stage.name == name)

    def join(self, name: str) -> Stage:
        """One more process of a stage."""
        return self.supervisor.add(self.stage(name))

    def leave(self, stage: Stage, *, by_kill: bool = False) -> None:
        """End a process that joined."""
        stage.close(by_kill=by_kill)

    def publish(self, lines: Sequence[Line]) -> None:
        """Send lines; a broker that does not take all of them gets them again."""
        while True:
            try:
                with Partner(self.settings) as partner:
                    _send(partner, lines)
            except ServiceAway:
                self.resent = True
                time.sleep(_LOOK_S)
            else:
                return

    @contextmanager
    def publishing(self, lines: Sequence[Line], seconds: float) -> Iterator[threading.Thread]:
        """Send lines evenly over some seconds, beside what the block does; all are sent when the block is left."""
        thread = threading.Thread(target=self._pace, args=(lines, seconds), daemon=True)
        thread.start()
        try:
            yield thread
        finally:
            thread.join()

    def _pace(self, lines: Sequence[Line], seconds: float) -> None:
        slices = max(int(seconds / _SLICE_S), 1)
        size = -(-len(lines) // slices)
        began, done = time.monotonic(), 0
        while done < len(lines):
            try:
                with Partner(self.settings) as partner:
                    while done < len(lines):
                        _send(partner, lines[done : done + size])
                        done += size
                        due = began + done / max(len(lines), 1) * seconds
                        time.sleep(max(due - time.monotonic(), 0))
            except ServiceAway:
                # What was given and not taken is not known: all of it goes again, which is safe.
                self.resent = True
                done = 0
                time.sleep(_LOOK_S)

    def take_database(self, url: str) -> None:
        """Ask another database from now on."""
        self.engine.dispose()
        self.engine = open_engine(url, name="faults")
        self.settings = self.settings.model_copy(update={"database_url": SecretStr(url)})

    def lag(self) -> int | None:
        """How much is left to read and to relay; None where a service is away."""
        try:
            return total_lag(self.settings) + health(self.engine).outbox_unsent
        except (KafkaError, SinkError, ServiceAway, DBAPIError):
            return None

    def settle(self, bound_s: float) -> float:
        """Wait until everything is read and relayed and all three are ready; the seconds that it took."""
        began, quiet = time.monotonic(), 0
        while quiet < QUIET_LOOKS:
            left = self.lag()
            quiet = quiet + 1 if left == 0 and self.ready() else 0
            if time.monotonic() - began > bound_s:
                self._let_tell()
                raise Stuck(f"after {bound_s:g} s {left} is left to read, ready: {self.ready()}")
            time.sleep(_LOOK_S)
        return time.monotonic() - began

    def _let_tell(self) -> None:
        """Let every process write into its log what it waits for."""
        for stage in self.supervisor.stages:
            stage.send(signal.SIGUSR1)
        time.sleep(1.0)

    def ready(self) -> bool:
        """Whether intake, matcher and sink each say that they are."""
        return all(self._answers(number) for number in range(len(COMMANDS)))

    def _answers(self, number: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._health + number}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def wait_until(self, true: Callable[[], bool], what: str, bound_s: float = 60.0) -> float:
        """Wait for something; the seconds that it took."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > bound_s:
                raise Stuck(f"not within {bound_s:g} s: {what}")
            time.sleep(0.05)
        return time.monotonic() - began


def _send(partner: Partner, lines: Sequence[Line]) -> None:
    for line in lines:
        try:
            partner.send(line)
        except Rejected as refused:
            raise AssertionError(f"a line that fits its schema cannot be sent: {refused}") from refused
