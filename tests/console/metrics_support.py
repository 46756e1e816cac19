"""Metrics pages without processes, and what is read from a page."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from signaalwissel.console.metrics import MetricsPage
from signaalwissel.console.metrics_http import HttpMetrics
from signaalwissel.console.metrics_process import KeyMetrics, ProgressMetrics
from signaalwissel.console.metrics_sink import DatabaseMetrics, SinkMetrics
from signaalwissel.console.metrics_worker import WorkerMetrics
from signaalwissel.processors.progress import Standing
from signaalwissel.sinks.counts import SinkCounts
from signaalwissel.sinks.gauges import DatabaseGauges, RunningTasks, SlowGauges
from signaalwissel.sinks.settings import ServiceAway
from signaalwissel.streams.stats import EngineStats


@dataclass
class Looked:
    """A process under watch as it is found."""

    found: Standing = field(default_factory=lambda: Standing(None, 0))
    idle_s: float = 0.0
    live: bool = True


GAUGES = DatabaseGauges(
    3, 7.5, (RunningTasks("CONTACT_ON_RELAPSE", "ESCALATED", 4, 1, 2),), 1, 60.0, 11, 2.5, 5, 6
)


@dataclass
class FakeDatabase:
    """Looks that find the same, or nobody."""

    away: bool = False
    slow_looks: int = 0

    def read(self) -> DatabaseGauges:
        if self.away:
            raise ServiceAway("PostgreSQL: gone")
        return GAUGES

    def read_slowly(self) -> SlowGauges:
        self.slow_looks += 1
        return SlowGauges({"NO_TASK": 2}, 3)


def worker_metrics(stats: EngineStats | None = None, tables: tuple[Any, ...] = ()) -> WorkerMetrics:
    """Those of a worker that has these numbers."""
    app = SimpleNamespace(stats=stats or EngineStats(), chunk_tables=tables)
    return WorkerMetrics("intake", cast("Any", app))


def families(*collectors: Collector) -> dict[str, Metric]:
    """The page of these collectors, as Prometheus reads it."""
    page = MetricsPage("test", collectors).told().body.decode()
    return {family.name: family for family in text_string_to_metric_families(page)}


def value(family: Metric, **labels: str) -> float:
    """The one sample with these labels among its own."""
    (found,) = (
        sample.value
        for sample in family.samples
        if labels.items() <= sample.labels.items() and not sample.name.endswith(("_bucket", "_sum"))
    )
    return float(found)


def every_page() -> dict[str, dict[str, Metric]]:
    """What each process exports, by its name."""
    database = DatabaseMetrics(FakeDatabase())
    database.look(0.0)
    watched = (ProgressMetrics("x", Looked()), KeyMetrics("x", SimpleNamespace(away=False)))
    worker = families(worker_metrics(), *watched)
    return {
        "intake": worker,
        "matcher": worker,
        "sink": families(SinkMetrics(SinkCounts()), database, *watched),
        "gateway": families(HttpMetrics()),
        "web": families(HttpMetrics(), watched[1]),
    }
