"""The metrics page of a process: what Prometheus reads.

Flows in: collectors, which look at plain numbers when they are asked. Flows out: the page. Nothing is counted here, so a
page that nobody reads costs nothing. Labels are names of ours: stages, topics, kinds, routes, reasons, codes. No label
holds what a record or a request says of itself.
"""

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from signaalwissel.console import runtime
from signaalwissel.console.probes import Paths, Told
from signaalwissel.processors.distribution import Distribution

PREFIX = "signaalwissel_"

Labels = Mapping[str, str]
Samples = Iterable[tuple[Labels, float]]


class MetricsPage:
    """Everything that a process tells.

    Args:
        stage: The process.
        collectors: What it counts.
    """

    def __init__(self, stage: str, collectors: Iterable[Collector]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        GCCollector(self._registry)
        ProcessCollector(registry=self._registry)
        self._registry.register(Build(stage))
        for collector in collectors:
            self._registry.register(collector)

    def told(self, accept: str = "") -> Told:
        """The page in the format that was asked for."""
        encode, content_type = choose_encoder(accept)
        return Told(HTTPStatus.OK, encode(self._registry), content_type)

    @property
    def paths(self) -> Paths:
        """The page as a path beside others."""
        return {"/metrics": self.told}


class Build(Collector):
    """Which version this is.

    Args:
        stage: The process.
    """

    def __init__(self, stage: str) -> None:
        self._labels = {"stage": stage, "version": runtime.product_version()}

    def collect(self) -> Iterable[Metric]:
        yield gauge("build_info", "Version of the process that answers; always 1.", [(self._labels, 1.0)])


def gauge(name: str, about: str, samples: Samples) -> Metric:
    """A metric that rises and falls; its name gets our prefix."""
    made = GaugeMetricFamily(PREFIX + name, about)
    for labels, value in samples:
        made.add_sample(PREFIX + name, dict(labels), value)
    return made


def counter(name: str, about: str, samples: Samples) -> Metric:
    """A metric that only rises while the process lives; named without `_total`."""
    return named_counter(PREFIX + name, about, samples)


def named_counter(name: str, about: str, samples: Samples) -> Metric:
    """A counter whose whole name a convention gives."""
    made = CounterMetricFamily(name, about)
    for labels, value in samples:
        made.add_sample(f"{name}_total", dict(labels), value)
    return made


def histogram(name: str, about: str, told: Iterable[tuple[Labels, Distribution]]) -> Metric:
    """Distributions by labels; its name gets our prefix."""
    return named_histogram(PREFIX + name, about, told)


def named_histogram(name: str, about: str, told: Iterable[tuple[Labels, Distribution]]) -> Metric:
    """A histogram whose whole name a convention gives."""
    made = HistogramMetricFamily(name, about)
    for labels, distribution in told:
        buckets = distribution.buckets()
        for bound, count in buckets:
            made.add_sample(f"{name}_bucket", {**labels, "le": bound}, count)
        made.add_sample(f"{name}_count", dict(labels), buckets[-1][1])
        made.add_sample(f"{name}_sum", dict(labels), distribution.total)
    return made


def age_s(moment_s: float | None) -> float | None:
    """Seconds since a moment of a clock that never goes back."""
    return None if moment_s is None else max(time.monotonic() - moment_s, 0.0)
