"""Metrics of the sink: what it stored, and how the database stands.

Flows in: the sink's counts, and a look at the database now and then from a thread of its own. Flows out: metrics. A
database that is away or slow never holds up the page: it tells the last look and its age.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import product
from typing import Protocol

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from signaalwissel.console.metrics import age_s, counter, gauge, histogram
from signaalwissel.schemas.routing import CorrectionAction, CorrectionCause, Route, TrueReason
from signaalwissel.sinks.counts import CODES, NOTHING, STAGES, SinkCounts
from signaalwissel.sinks.database import database_away
from signaalwissel.sinks.gauges import DatabaseGauges, SlowGauges
from signaalwissel.sinks.settings import ServiceAway

log = logging.getLogger(__name__)

_STAGE = {"stage": "sink"}
LOOK_S = 15.0
SLOW_LOOK_S = 3600.0


class SinkMetrics(Collector):
    """What a sink tells of itself.

    Args:
        counts: What it has done.
    """

    def __init__(self, counts: SinkCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        yield from self._reading()
        yield from self._stored()

    def _reading(self) -> Iterator[Metric]:
        counts = self._counts
        at = [
            ({**_STAGE, "topic": place.topic, "partition": str(place.partition)}, float(behind))
            for place, behind in counts.lag.items()
        ]
        yield gauge("lag_records", "Offsets that are to be read, as of the last batch.", at)
        yield histogram("chunk_records", "Records of one batch.", [(_STAGE, counts.batch_records)])
        yield counter("transactions", "Batches stored.", [(_STAGE, float(counts.transactions))])
        yield counter("stored_records", "Records of stored batches.", [(_STAGE, float(counts.read))])
        yield histogram("commit_duration_seconds", "How long storing took.", [(_STAGE, counts.storing_s)])
        age = age_s(counts.last_commit_monotonic)
        yield gauge(
            "last_commit_age_seconds",
            "Time since the last batch; it grows while there is nothing to do.",
            [] if age is None else [(_STAGE, age)],
        )
        yield gauge(
            "held_by_processing_log",
            "1 while the processing log is too far behind: the sink takes in nothing.",
            [(_STAGE, float(counts.held))],
        )

    def _stored(self) -> Iterator[Metric]:
        # All that may come stands there with 0: of a counter that begins with 1, no rate sees the first.
        decisions = {(route.value, reason.value): 0 for route in Route for reason in TrueReason}
        corrections = dict.fromkeys(product(_names(CorrectionAction), _names(CorrectionCause)), 0)
        letters = dict.fromkeys(product(STAGES, CODES), 0)
        # Copies, because the sink's own thread goes on counting.
        decisions |= dict(self._counts.decisions)
        corrections |= dict(self._counts.corrections)
        letters |= dict(self._counts.dead_letters)
        yield counter(
            "decisions",
            "First decisions of signals that were stored, by route and true reason.",
            [({"route": route, "reason": reason}, float(n)) for (route, reason), n in decisions.items()],
        )
        yield counter(
            "corrections",
            "Later revisions that were stored, by action and cause.",
            [({"action": action, "cause": cause}, float(n)) for (action, cause), n in corrections.items()],
        )
        yield counter(
            "dlq",
            "Dead letters that were stored, by the stage that refused and the code.",
            [({"refused_by": stage, "cause": code}, float(n)) for (stage, code), n in letters.items()],
        )


def _names(of: Iterable[StrEnum]) -> list[str]:
    return [NOTHING, *(member.value for member in of)]


class Look(Protocol):
    """Looks at a database; see `sinks.gauges`."""

    def read(self) -> DatabaseGauges:
        """The cheap look."""

    def read_slowly(self) -> SlowGauges:
        """The thorough look."""


class DatabaseMetrics(Collector):
    """How the database stands.

    Args:
        database: Looks at it; raises ServiceAway, or what `database_away` takes for it.
    """

    def __init__(self, database: Look) -> None:
        self._database = database
        self._found: DatabaseGauges | None = None
        self._slow: SlowGauges | None = None
        self._up = False
        self._read_at: float | None = None
        self._slow_at: float | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Look now and then until stopped."""
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self, now_s: float) -> None:
        """Look once, at `now_s` of a clock that never goes back."""
        try:
            with database_away():
                self._found = self._database.read()
                if self._slow_at is None or now_s - self._slow_at >= SLOW_LOOK_S:
                    self._slow = self._database.read_slowly()
                    self._slow_at = now_s
        except ServiceAway as away:
            if self._up:
                log.warning("metrics: %s", away)
            self._up = False
        else:
            self._up = True
            self._read_at = time.monotonic()

    def _run(self) -> None:
        while True:
            self.look(time.monotonic())
            if self._stopped.wait(LOOK_S):
                return

    def collect(self) -> Iterable[Metric]:
        yield gauge(
            "database_up", "1 where the last look at the database succeeded.", [({}, float(self._up))]
        )
        age = age_s(self._read_at)
        if age is not None:
            yield gauge("database_look_age_seconds", "Time since the last look that succeeded.", [({}, age)])
        if self._found is not None:
            yield from _waiting(self._found)
            yield from _tasks(self._found)
        if self._slow is not None:
            yield from _never(self._slow)


def _waiting(found: DatabaseGauges) -> Iterator[Metric]:
    yield gauge("outbox_pending", "Records that wait for the relay.", [({}, float(found.outbox_pending))])
    yield gauge("outbox_oldest_seconds", "How long the oldest waits.", [({}, found.outbox_oldest_s)])
    yield gauge("dlq_open", "Dead letters that nobody mended.", [({}, float(found.dead_letters_open))])
    yield gauge(
        "dlq_oldest_seconds", "How old the oldest open dead letter is.", [({}, found.dead_letters_oldest_s)]
    )
    yield gauge(
        "processing_log_pending_lines",
        "Lines of the processing log that are not acknowledged.",
        [({}, float(found.log_lines))],
    )
    yield gauge(
        "processing_log_oldest_seconds", "How long the oldest of them waits.", [({}, found.log_oldest_s)]
    )
    yield gauge(
        "clock_waiting",
        "Tasks and trajectories that wait for the clock since an earlier day.",
        [({}, float(found.clock_waiting))],
    )
    yield gauge(
        "handovers_failing",
        "Hand-overs to Open Klant whose last attempt failed.",
        [({}, float(found.handovers_failing))],
    )


def _tasks(found: DatabaseGauges) -> Iterator[Metric]:
    labelled = [({"kind": one.kind, "status": one.status}, one) for one in found.tasks]
    yield gauge(
        "tasks_running",
        "Tasks that have not ended.",
        [(labels, float(one.running)) for labels, one in labelled],
    )
    yield gauge(
        "tasks_due_today",
        "Of those, due today.",
        [(labels, float(one.due_today)) for labels, one in labelled],
    )
    yield gauge(
        "tasks_overdue",
        "Of those, due on an earlier day.",
        [(labels, float(one.overdue)) for labels, one in labelled],
    )
    escalated = sum(one.running for one in found.tasks if one.status == "ESCALATED")
    yield gauge("tasks_escalated", "Running tasks that were escalated.", [({}, float(escalated))])
    yield gauge(
        "inform_due_overdue",
        "Residents who should have been informed before today.",
        [({}, float(found.inform_overdue))],
    )


def _never(found: SlowGauges) -> Iterator[Metric]:
    yield gauge(
        "followup_unattended",
        "Hits without a task, running tasks without owner or next day; must be 0.",
        [({}, float(sum(found.unattended.values())))],
    )
    yield gauge(
        "erasure_overdue",
        "Kinds of data, by municipality, that outlived their period; must be 0.",
        [({}, float(found.erasure_overdue))],
    )
