"""Intake, matcher and sink on real Kafka and PostgreSQL, one after the other, each while only it runs.

In: a month, and how many of its signals intake must accept. Out: signals a second and CPU per signal of each stage,
and what was wrong with its outputs. Before anything is measured all three have read the lifecycle events, so that
each window holds signals alone; the input of each stage is complete before the stage starts. The sink runs twice, as
one process and as two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition
from signaalwissel.processors.emissions import (
    COUNSELLOR_FOLLOWUP,
    DEAD_LETTERS,
    DECISIONS,
    REGULAR_FLOW,
    RESIDENT_EVENTS,
    SIGNALS,
    TRAJECTORIES,
)
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.routing import TrueReason

from tests.benchmarks.kafka_records import preload, read_committed
from tests.benchmarks.month import Month
from tests.benchmarks.processes import running
from tests.benchmarks.report import Measurement, NoWindow, Place, window_of
from tests.benchmarks.sampling import Watch
from tests.benchmarks.sink_stage import Records, SinkStage, offsets_of, size
from tests.system.installation import Installation

_OUTPUTS = (RESIDENT_EVENTS, DECISIONS, REGULAR_FLOW, COUNSELLOR_FOLLOWUP, DEAD_LETTERS)


class Expected(NamedTuple):
    """What intake must make of the signals."""

    accepted: int
    refused: int


class Goals(NamedTuple):
    """What a stage should reach; None where nothing is asked."""

    per_second: float | None
    cpu_us: float | None


_GOALS = {"intake": Goals(None, 70.0), "matcher": Goals(None, 40.0)}


class Stages:
    """Runs and measures the stages of one installation.

    Args:
        installation: Its topics, and the database of one sink.
        two_sinks: The same topics with the database of two.
        month: What goes in.
        expected: What intake must make of it.

    Attributes:
        measurements: What was measured.
        wrong: What was not as it must be, in words.
    """

    def __init__(
        self, installation: Installation, two_sinks: Installation, month: Month, expected: Expected
    ) -> None:
        self._installation = installation
        self._two_sinks = two_sinks
        self._month = month
        self._expected = expected
        self._began: dict[Place, int] = {}
        self.measurements: list[Measurement] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        """Run everything.

        Raises:
            Stuck: A stage ended by itself, or did not come to an end.
        """
        self._learn()
        self._load(SIGNALS)
        with self._consumer() as consumer:
            self._began = _ends(consumer, [self._topic(name) for name in _OUTPUTS])
            keyed = self._stage("intake", ("worker", "--only", "intake"), consumer, RESIDENT_EVENTS)
            self._check("dead letters of intake", self._count(DEAD_LETTERS), self._expected.refused)
            decisions = self._stage("matcher", ("worker", "--only", "matcher"), consumer, DECISIONS)
            self._check_decisions(decisions)
            self._check("signals for the matcher", size(keyed), self._expected.accepted)
        self._store(decisions)

    def _learn(self) -> None:
        """Let every stage read the lifecycle events."""
        self._load(TRAJECTORIES)
        with (
            running(self._installation, "worker"),
            running(self._installation, "sink"),
            running(self._two_sinks, "sink"),
        ):
            for installation in (self._installation, self._two_sinks):
                installation.settle(sink=True)

    def _load(self, name: str) -> None:
        records = self._month.signals if name == SIGNALS else self._month.events
        preload(self._installation.bootstrap, self._topic(name), self._installation.partitions, records)

    def _stage(self, name: str, command: tuple[str, ...], consumer: KafkaConsumer, output: str) -> Records:
        topic = self._topic(output)
        records: Records = {}
        with running(self._installation, *command) as process:
            watch = Watch([process.pid], lambda: _ends(consumer, [topic]))
            while size(records) < self._expected.accepted and watch.until_quiet():
                records = read_committed(self._installation.bootstrap, topic, self._began)
        self._measured(name, watch, records)
        return records

    def _store(self, decisions: Records) -> None:
        stage = SinkStage(self._installation, self._two_sinks)
        try:
            stage.run(decisions)
        finally:
            self.measurements += stage.measurements
            self.wrong += stage.wrong

    def _measured(self, stage: str, watch: Watch, records: Records) -> None:
        try:
            window = window_of(watch.samples, offsets_of(records), size(records))
        except NoWindow as error:
            self.wrong.append(f"{stage}: {error}\n{self._installation.logs()}")
            return
        goals = _GOALS[stage]
        about = {"window_signals": window.records, "window_s": round(window.seconds, 2)}
        self.measurements += [
            Measurement(f"{stage} alone, throughput", window.per_second, "1/s", goals.per_second, about),
            Measurement(f"{stage} alone, CPU per signal", window.cpu_us, "us", goals.cpu_us, about),
        ]

    def _check_decisions(self, records: Records) -> None:
        decisions = [read_decision(read.value or b"") for reads in records.values() for read in reads]
        accepted = self._expected.accepted
        self._check("decisions", len(decisions), accepted)
        self._check("different signals decided", len({one.routing_id for one in decisions}), accepted)
        self._check("first decisions", sum(one.revision == 0 for one in decisions), accepted)
        self._check("routed signals", self._count(REGULAR_FLOW) + self._count(COUNSELLOR_FOLLOWUP), accepted)
        found = sum(one.reason is not TrueReason.NO_TRAJECTORY for one in decisions)
        share = 100 * found / max(len(decisions), 1)
        self.measurements.append(Measurement("signals that met a trajectory", share, "%"))

    def _check(self, what: str, found: int, wanted: int) -> None:
        if found != wanted:
            self.wrong.append(f"{what}: {found}, not {wanted}")

    def _count(self, name: str) -> int:
        return size(read_committed(self._installation.bootstrap, self._topic(name), self._began))

    def _topic(self, name: str) -> str:
        return self._installation.prefix + name

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        consumer = KafkaConsumer(
            bootstrap_servers=self._installation.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        try:
            yield consumer
        finally:
            consumer.close()


def _ends(consumer: KafkaConsumer, topics: list[str]) -> dict[Place, int]:
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    return {Place(*tp): end for tp, end in consumer.end_offsets(partitions).items()}
