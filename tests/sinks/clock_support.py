"""A sink's database, a day that the test sets, and the clock that works on both; no Kafka."""

import gzip
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.policy import Policies
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import ClientPseudonym, Fact, TrajectoryState
from signaalwissel.schemas.routing import Decision
from signaalwissel.schemas.trajectory import Counsellor, TrajectoryEventKind
from signaalwissel.schemas.units import Millis
from signaalwissel.sinks import task_store
from signaalwissel.sinks.accounting_tables import processing_log
from signaalwissel.sinks.audit_verify import verify
from signaalwissel.sinks.clock_batch import ClockBatch
from signaalwissel.sinks.database import migrate, open_engine
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.records import Batch, ReceivedState, ReceivedUpdate
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.tables import METADATA, tasks
from signaalwissel.sinks.timekeeping import unobserved
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Connection, Table, select

from tests.processors.followup_support import MUNICIPALITY, at_noon
from tests.sinks.sink_support import ACCOUNTS, INCIDENTAL, POLICIES, seal

RESIDENT = ClientPseudonym(bsn=b"b" * 32)
MONDAY = date(2026, 3, 2)


class SetTime:
    """Noon of a day that the test sets."""

    def __init__(self, day: date = MONDAY) -> None:
        self.day = day

    def now(self, _: Connection) -> Millis:
        return at_noon(self.day)


class _Said:
    topic, partition, offset, timestamp, key, value, headers = "task-updates", 0, 0, 0, None, b"", ()


class Office:
    """What one municipality's counsellors see, day by day."""

    def __init__(self, database_url: str, policies: Policies = POLICIES, **changes: Any) -> None:
        migrate(database_url)
        self.settings = replace(
            SinkSettings(bootstrap="", database_url=database_url, retry_s=10.0), **changes
        )
        self.policies = policies
        self.engine = open_engine(database_url, name="test")
        self.time = SetTime()
        with self.engine.begin() as connection:
            PolicyShelf(policies).keep(connection)

    def store(
        self,
        *decisions: Decision,
        states: Iterable[TrajectoryState] = (),
        updates: Iterable[TaskUpdate] = (),
    ) -> None:
        """Let the sink store one batch."""
        batch = Batch(
            states=[ReceivedState(state, codec("TrajectoryState").encode(state)) for state in states],
            decisions=list(decisions),
            updates=[ReceivedUpdate(update, _Said()) for update in updates],
        )
        with self.engine.begin() as connection:
            Writer(self.settings, self.policies, seal, self.time).store(connection, batch)

    def tick(self, day: date | None = None) -> int:
        """Let the clock handle all that is due on `day`; gives how many batches that took."""
        self.time.day = day or self.time.day
        batch = ClockBatch(self.settings, self.policies, self.time, unobserved)
        count = 0
        with self.engine.connect() as connection:
            while batch.run(connection):
                count += 1
                assert count < 1000
        return count

    def tick_daily(self, days: int) -> None:
        """Let the days pass one by one."""
        for _ in range(days):
            self.tick(self.time.day + timedelta(days=1))

    def tasks(self) -> list[Task]:
        """Every task, in order of its id."""
        with self.engine.connect() as connection:
            ids = connection.execute(select(tasks.c.task_id).order_by(tasks.c.task_id)).scalars().all()
            return task_store.by_ids(connection, ids)

    @property
    def only(self) -> Task:
        """The one task that there is."""
        (task,) = self.tasks()
        return task

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """What a table says."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]


def said(
    office: Office, hidden: Mapping[str, Collection[str]] = INCIDENTAL
) -> dict[str, list[dict[str, Any]]]:
    """What every table says but for numbers and moments that a second run may give otherwise.

    Accounts depend on transactions: `accounted` says of those what does not.
    """
    everything = {}
    for table in METADATA.sorted_tables:
        if table.name in ACCOUNTS:
            continue
        left_out = hidden.get(table.name, ())
        rows = [{k: v for k, v in row.items() if k not in left_out} for row in office.rows(table)]
        everything[table.name] = sorted(rows, key=repr)
    return everything


def accounted(office: Office) -> Counter[tuple[str, bytes]]:
    """How often each line stands in the processing log, of an office whose audit trail verifies."""
    assert verify(office.engine).findings == ()
    packed = b"".join(bytes(row["content"]) for row in office.rows(processing_log))
    request = ExportTraceServiceRequest.FromString(gzip.decompress(packed))
    spans = [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    return Counter((span.name, span.span_id) for span in spans)


def steps(task: Task) -> list[str]:
    """What happened to a task."""
    return [str(step.what) for step in task.history]


def state(*told: tuple[TrajectoryEventKind, date], counsellor: Counsellor | None = None) -> TrajectoryState:
    """Trajectory T-1 with these facts, in their order; the version is their number."""
    facts = tuple(
        Fact(
            f"e-{n}",
            n,
            day,
            at_noon(day),
            kind,
            clients=(RESIDENT,) if kind is TrajectoryEventKind.APPLIED else (),
            counsellor=counsellor if n == 1 else None,
        )
        for n, (kind, day) in enumerate(told, 1)
    )
    return TrajectoryState(MUNICIPALITY, "T-1", len(facts), False, facts[-1].event_id, facts, (b"k" * 33,))
