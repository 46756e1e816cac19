"""Metrics of the processes that answer over HTTP: requests by route, method and status.

Flows in: answers. Flows out: a histogram, named by the semantic conventions of OpenTelemetry.
"""

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from signaalwissel.console.metrics import Labels, named_histogram
from signaalwissel.processors.distribution import SECONDS, Distribution
from signaalwissel.security.http_middleware import Answered

GATEWAY, WEB = 100, 101
FIRST_GATEWAY_CHILD = 110
"""The numbers of the HTTP processes among those of one machine: behind any sink."""

_Key = tuple[str, str, int]


class HttpMetrics(Collector):
    """Counts answers, in the one thread that answers."""

    def __init__(self) -> None:
        self._took: dict[_Key, Distribution] = {}

    def observe(self, answered: Answered) -> None:
        """Count an answer."""
        key = answered.method, answered.route, answered.status
        took = self._took.get(key)
        if took is None:
            took = self._took[key] = Distribution(SECONDS)
        took.note(answered.took_s)

    def collect(self) -> Iterable[Metric]:
        # A copy, because the page is asked for in another thread.
        yield named_histogram(
            "http_server_request_duration_seconds",
            "How long answers took.",
            [(_labels(key), took) for key, took in self._took.copy().items()],
        )


def _labels(key: _Key) -> Labels:
    method, route, status = key
    return {
        "http_request_method": method,
        "http_route": route,
        "http_response_status_code": str(status),
    }
