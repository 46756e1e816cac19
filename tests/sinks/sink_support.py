"""A sink on the test's own topics and database."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from signaalwissel.processors.identifiers import signal_key, trajectory_key
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.processing_register import BUILT_IN
from signaalwissel.processors.topic_settings import ALWAYS
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskEvent, TaskUpdate
from signaalwissel.schemas.internal import TrajectoryState
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.destruction import Destruction, Why
from signaalwissel.sinks.forgetting import forget_tasks
from signaalwissel.sinks.health import health, lag
from signaalwissel.sinks.ledger import Ledger
from signaalwissel.sinks.process import run_sink
from signaalwissel.sinks.refusals import Unsealed
from signaalwissel.sinks.settings import (
    DECISIONS,
    INPUT_TOPICS,
    NOTICES,
    RESIDENT_EVENTS,
    TASK_UPDATES,
    TASKS,
    TRAJECTORY_STATES,
    SinkSettings,
)
from signaalwissel.sinks.tables import METADATA, tasks
from sqlalchemy import Engine, Table, select

from tests.processors.followup_support import POLICY

POLICIES = Policies(POLICY, for_every_code=True)
PARTITIONS = 2
BOUND_S = 60.0
# What a second run may number or date otherwise: not part of what the sink says.
INCIDENTAL = {
    "consumed_offsets": {"updated_at"},
    "notices": {"made_at"},
    "outbox": {"id", "created_at", "sent_at", "headers"},
    "policies": {"first_seen_at"},
}

_NUMBERED = {"tasks": {"version"}, "outbox": {"version", "value"}}
"""What holds the number of a version: a database that finds later ones on the topic goes on from these."""

ACCOUNTS = {"processing_log", "audit_chains", "audit_starts", "audit_blocks", "audit_events"}
"""Whose rows depend on how work fell into transactions."""


def ledger() -> Ledger:
    """A ledger of a writer that is none of the product's."""
    return Ledger("test", lambda _: BUILT_IN)


def take_tasks_away(engine: Engine) -> None:
    """Delete every task as erasure does, with its row in the audit trail."""
    with engine.begin() as connection:
        accounts = ledger()
        ids = connection.execute(select(tasks.c.task_id)).scalars().all()
        forget_tasks(Destruction(connection, accounts, Why.ERASED), ids, date(2026, 3, 9))
        accounts.store(connection)


def unnumbered(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the numbers of versions, in an order that does not follow from them."""
    hidden = _NUMBERED.get(table, set())
    shown = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
    return sorted(shown, key=str) if hidden else shown


def seal(unsealed: Unsealed) -> bytes:
    """A seal that a test can look into."""
    body: bytes = codec("OriginalRecord").encode_body(unsealed.original)
    return b"sealed:" + body[::-1]


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition` holds; fails after a bound."""
    end = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < end, f"waited {BOUND_S:g} s for {what}"
        time.sleep(0.05)


class SinkBench:
    """Topics, a database and sinks between them."""

    def __init__(self, bootstrap: str, database_url: str, prefix: str) -> None:
        self.settings = SinkSettings(
            bootstrap=bootstrap, database_url=database_url, topic_prefix=prefix, retry_s=10.0, clock=False
        )
        self.engine: Engine = open_engine(database_url, name="test")
        self._producers: list[KafkaProducer] = []

    def make_topics(self, partitions: int = PARTITIONS) -> None:
        names = [*INPUT_TOPICS, TASKS, NOTICES, RESIDENT_EVENTS]
        admin = KafkaAdminClient(bootstrap_servers=self.settings.bootstrap)
        admin.create_topics(
            [NewTopic(self.settings.topic(n), partitions, 1, topic_configs=ALWAYS) for n in names]
        )
        admin.close()

    def settings_with(self, **changes: Any) -> SinkSettings:
        return replace(self.settings, **changes)

    def close(self) -> None:
        for producer in self._producers:
            producer.close(timeout=5)

    @cached_property
    def _plain(self) -> KafkaProducer:
        return self.producer()

    def producer(self, **options: Any) -> KafkaProducer:
        producer = KafkaProducer(bootstrap_servers=self.settings.bootstrap, linger_ms=5, **options)
        self._producers.append(producer)
        return producer

    def decide(self, decisions: Iterable[Decision], producer: KafkaProducer | None = None) -> None:
        producer = producer or self._plain
        for made in decisions:
            key = signal_key(made.municipality, made.partner.partner_id, made.signal_id)
            producer.send(self.settings.topic(DECISIONS), key=key, value=codec("Decision").encode(made))
        producer.flush()

    def tell(self, *states: TrajectoryState) -> None:
        for state in states:
            key = trajectory_key(state.municipality, state.trajectory_id)
            self.publish(TRAJECTORY_STATES, key, codec("TrajectoryState").encode(state))

    def report(self, *updates: TaskUpdate) -> None:
        for said in updates:
            self.publish(TASK_UPDATES, said.task_id.encode(), codec("TaskUpdate").encode(said))

    def publish(self, topic: str, key: bytes | None, value: bytes | None, **options: Any) -> None:
        self._plain.send(self.settings.topic(topic), key=key, value=value, **options)
        self._plain.flush()

    @contextmanager
    def running(self, *, failing: bool = False, **changes: Any) -> Iterator["RunningSink"]:
        """A sink in a thread; it is stopped at the end, and must have ended well unless `failing`."""
        sink = RunningSink(replace(self.settings, **changes))
        sink.start()
        try:
            yield sink
        finally:
            sink.stopped.set()
            sink.join(BOUND_S)
        assert failing or sink.failure is None, repr(sink.failure)

    def drain(self, **changes: Any) -> None:
        """Run a sink until everything is read, stored and relayed."""
        with self.running(**changes) as sink:
            until(lambda: sink.failure is not None or self.drained(), "an empty log and outbox")

    def drained(self) -> bool:
        if not self.migrated():
            return False
        behind = lag(self.engine, self.settings).values()
        # A partition without news is behind only where it was never read.
        return all(p.next_offset == p.end for p in behind) and health(self.engine).outbox_unsent == 0

    def migrated(self) -> bool:
        with self.engine.connect() as connection:
            return self.engine.dialect.has_table(connection, "outbox")

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """What a table says, in order of its primary key, without what is incidental."""
        hidden = INCIDENTAL.get(table.name, set())
        shown = [column for column in table.columns if column.name not in hidden]
        order = ["aggregate_id", "version"] if table.name == "outbox" else list(table.primary_key.columns)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(*shown).order_by(*order)).mappings()]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """What every table says but those that depend on how records fell into batches."""
        return {
            table.name: self.rows(table) for table in METADATA.sorted_tables if table.name not in ACCOUNTS
        }

    def published(self, topic: str, count: int) -> list[Any]:
        """The first `count` records of a topic, in order of each partition."""
        consumer = KafkaConsumer(
            self.settings.topic(topic),
            bootstrap_servers=self.settings.bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        records: list[Any] = []
        end = time.monotonic() + BOUND_S
        while len(records) < count:
            assert time.monotonic() < end, f"{len(records)} of {count} records on {topic}"
            for found in consumer.poll(timeout_ms=500).values():
                records += found
        consumer.close()
        return records

    def task_events(self, count: int) -> list[TaskEvent]:
        return [codec("TaskEvent").decode(record.value) for record in self.published(TASKS, count)]


class RunningSink(threading.Thread):
    """A sink in a thread of the test."""

    def __init__(self, settings: SinkSettings) -> None:
        super().__init__(daemon=True)
        self.settings = settings
        self.stopped = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            run_sink(self.settings, POLICIES, seal, self.stopped)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.failure = error
