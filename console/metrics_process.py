"""Metrics that each watched process has: whether it gets on, and whether it does its full work.

Flows in: a process under watch. Flows out: gauges.
"""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from signaalwissel.console.metrics import gauge
from signaalwissel.processors.progress import Standing


class Looked(Protocol):
    """What is known of a process under watch."""

    found: Standing

    @property
    def idle_s(self) -> float: ...
    @property
    def live(self) -> bool: ...


class ProgressMetrics(Collector):
    """What `/livez` and `/readyz` say, in numbers.

    Args:
        stage: The process.
        progress: What is known of it.
    """

    def __init__(self, stage: str, progress: Looked) -> None:
        self._labels = {"stage": stage}
        self._progress = progress

    def collect(self) -> Iterable[Metric]:
        labels, progress = self._labels, self._progress
        ready = progress.live and not progress.found.unready
        yield gauge("live", "1 while there is progress, or nothing to do.", [(labels, float(progress.live))])
        yield gauge("ready", "1 while the process does its full work.", [(labels, float(ready))])
        yield gauge(
            "idle_seconds",
            "For how long nothing was done although something is due.",
            [(labels, progress.idle_s)],
        )


class Keys(Protocol):
    """A key provider, as far as it tells whether it answers."""

    @property
    def away(self) -> bool: ...


class KeyMetrics(Collector):
    """Whether the keys can be had.

    Args:
        stage: The process.
        keys: Its key provider.
    """

    def __init__(self, stage: str, keys: Keys) -> None:
        self._labels = {"stage": stage}
        self._keys = keys

    def collect(self) -> Iterable[Metric]:
        yield gauge(
            "key_unavailable",
            "1 while the key service does not answer: nothing is read or written until it does.",
            [(self._labels, float(self._keys.away))],
        )
