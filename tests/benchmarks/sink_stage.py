"""One sink process, and two, over the same decisions. In: decisions on Kafka, a database for each. Out: figures.

Each database has read the lifecycle events before, and each time the decisions are complete before a sink starts. Two
sinks have a share of the partitions each. What PostgreSQL used is told beside it: on a machine of few cores that, and
no sink, may be what sets the limit.
"""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import psutil
from kafka import KafkaConsumer, TopicPartition
from signaalwissel.console.topics import admin
from signaalwissel.processors.emissions import DECISIONS
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.settings import TASKS
from sqlalchemy import Engine, text

from tests.benchmarks.kafka_records import Read
from tests.benchmarks.processes import running
from tests.benchmarks.report import Measurement, NoWindow, Place, Window, records_before, window_of
from tests.benchmarks.sampling import Look, Watch, tree_used_s
from tests.system.installation import Installation

Records = dict[Place, list[Read]]
GOAL_PER_SECOND = 6000.0
"""Decisions a second into PostgreSQL that one process should store."""
_GOAL_OF_TWO = 1.0
"""More processes store more."""
_NEXT = text("SELECT topic, partition, next_offset FROM consumed_offsets WHERE topic = :topic")
_STORED = text("SELECT routing_id FROM decisions")
# Which of a trajectory's signals opens its task, and so the task's id, hangs on the order between partitions.
_FOLLOWED = text(
    "SELECT tasks.kind, tasks.municipality, tasks.trajectory_id, task_signals.routing_id "
    "FROM tasks JOIN task_signals USING (task_id)"
)


class Stored(NamedTuple):
    """What one run gave.

    Attributes:
        window: Between 10 % and 90 % of the decisions.
        postgres_cpu_us: CPU of PostgreSQL for each decision, over the whole run; None where it cannot be seen from here.
        followed: For each signal the kinds of tasks that it is in, with their trajectories.
    """

    window: Window
    postgres_cpu_us: float | None
    followed: set[tuple[Any, ...]]


class SinkStage:
    """Measures the sink.

    Args:
        one: Where one process stores.
        two: The same topics and another database, for two processes.

    Attributes:
        measurements: What was measured.
        wrong: What was not as it must be, in words.
    """

    def __init__(self, one: Installation, two: Installation) -> None:
        self._one, self._two = one, two
        self.measurements: list[Measurement] = []
        self.wrong: list[str] = []

    def run(self, decisions: Records) -> None:
        """Store these decisions twice.

        Raises:
            Stuck: A sink ended by itself.
        """
        found: dict[str, Stored] = {}
        for name, installation, processes in (("sink alone", self._one, 1), ("two sinks", self._two, 2)):
            forget_tasks(installation)
            try:
                found[name] = self._stored(name, installation, processes, decisions)
            except NoWindow as error:
                self.wrong.append(f"{name}: {error}\n{installation.logs()}")
                continue
            self._tell(name, found[name], GOAL_PER_SECOND if processes == 1 else None)
        if len(found) > 1:
            one, two = found.values()
            ratio = two.window.per_second / one.window.per_second
            self.measurements.append(Measurement("two sinks against one", ratio, "x", _GOAL_OF_TWO))
            if different := len(one.followed ^ two.followed):
                self.wrong.append(f"two sinks: {different} signals in tasks are not those of one")

    def _stored(self, name: str, installation: Installation, processes: int, decisions: Records) -> Stored:
        offsets, total = offsets_of(decisions), size(decisions)
        engine = open_engine(installation.database_url, name="benchmark")
        try:
            postgres = postgres_of(engine)
            before_s = tree_used_s(postgres) if postgres else 0.0
            with ExitStack() as running_ones:
                pids = [
                    running_ones.enter_context(running(installation, *c)).pid for c in commands(processes)
                ]
                watch = Watch(pids, stored_offsets(engine, installation.prefix + DECISIONS))
                done = 0
                while done < total and watch.until_quiet():
                    done = records_before(offsets, watch.samples[-1].next_offsets)
            used_s = tree_used_s(postgres) - before_s if postgres else None
            with engine.connect() as connection:
                self._check(name, list(connection.execute(_STORED).scalars()), decisions)
                followed = {tuple(row) for row in connection.execute(_FOLLOWED)}
        finally:
            engine.dispose()
        window = window_of(watch.samples, offsets, total)
        return Stored(window, None if used_s is None else used_s * 1e6 / total, followed)

    def _check(self, name: str, stored: list[str], decisions: Records) -> None:
        wanted = {read_decision(one.value or b"").routing_id for reads in decisions.values() for one in reads}
        if len(stored) != len(wanted) or set(stored) != wanted:
            self.wrong.append(
                f"{name}: {len(stored)} decisions in the database, {len(wanted)} on the topic, "
                f"{len(wanted.symmetric_difference(stored))} of them not in both"
            )

    def _tell(self, name: str, stored: Stored, goal: float | None) -> None:
        window = stored.window
        about: dict[str, Any] = {"window_signals": window.records, "window_s": round(window.seconds, 2)}
        if stored.postgres_cpu_us is not None:
            about["postgres_cpu_us"] = round(stored.postgres_cpu_us, 1)
        self.measurements += [
            Measurement(f"{name}, throughput", window.per_second, "1/s", goal, about),
            Measurement(f"{name}, CPU per signal", window.cpu_us, "us", None, about),
        ]


def commands(processes: int) -> list[tuple[str, ...]]:
    """The command of each sink process."""
    return [("sink", "--instance", str(number), "--instances", str(processes)) for number in range(processes)]


def forget_tasks(installation: Installation) -> None:
    """Empty the topic of tasks: a database that lacks what it tells would be taken for a restored one."""
    topic = installation.prefix + TASKS
    with closing(
        KafkaConsumer(bootstrap_servers=installation.bootstrap, enable_auto_commit=False)
    ) as consumer:
        numbers = sorted(consumer.partitions_for_topic(topic) or ())
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in numbers])
    with admin(installation.settings) as client:
        client.delete_records(ends)


def postgres_of(engine: Engine) -> psutil.Process | None:
    """The server's first process; None where it does not run beside us."""
    try:
        with engine.connect() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            server = psutil.Process(pid).parent()
    except psutil.NoSuchProcess:
        return None
    # In a container processes have other numbers, which may be anybody's here.
    return server if server is not None and "postgres" in server.name() else None


def stored_offsets(engine: Engine, topic: str) -> Look:
    """Looks how far a topic is stored, per partition."""

    def look() -> Mapping[Place, int]:
        with engine.connect() as connection:
            rows = connection.execute(_NEXT, {"topic": topic}).all()
        return {Place(row.topic, row.partition): row.next_offset for row in rows}

    return look


def offsets_of(records: Records) -> dict[Place, list[int]]:
    """The offsets of records, ascending."""
    return {place: [read.offset for read in reads] for place, reads in records.items()}


def size(records: Records) -> int:
    """How many records there are."""
    return sum(map(len, records.values()))
