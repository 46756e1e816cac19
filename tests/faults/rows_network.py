"""Rows about the network between the product and its servers (6, 7)."""

import statistics
import time
from collections.abc import Mapping
from typing import Any

from tests.faults.arrivals import Arrivals
from tests.faults.load import Load
from tests.faults.proxy import CALM, DEAF, Temper, slow
from tests.faults.rows_processes import slices
from tests.faults.run import GateFailed, Row, Run

_LATENCY_RATIO_MAX = 3.0
_LATENCY_S = 5.0
_ONE_WAY_S, _JITTER_S = 0.025, 0.01
_ROUND_TRIP_MS = 2_000 * (_ONE_WAY_S + _JITTER_S / 2)
_ROUND_TRIPS = 23
"""Those that a signal waits for at worst without any timeout: in each of two stages a fetch, the commit under way and
its own, of five each, and the fetch of its reader (docs/adr/0012)."""


_Plan = tuple[tuple[str, Temper, float], ...]
_SHORT: _Plan = (
    ("kafka", DEAF, 4.0),
    ("kafka", Temper(down=False), 12.0),
    ("kafka", Temper(up=False), 4.0),
    ("database", DEAF, 4.0),
    ("database", Temper(down=False), 11.0),
)
_LONG: _Plan = (
    ("kafka", DEAF, 10.0),
    ("kafka", Temper(down=False), 70.0),
    ("kafka", Temper(up=False), 70.0),
    ("kafka", DEAF, 600.0),
    ("database", DEAF, 10.0),
    ("database", Temper(down=False), 70.0),
    ("database", DEAF, 600.0),
)


def partitions(run: Run, load: Load) -> Mapping[str, Any]:
    """Nothing comes through to Kafka or PostgreSQL, in both directions or in one, for shorter and longer than they are waited for."""
    proxies = {"kafka": run.servers.kafka_proxy, "database": run.servers.database_proxy}
    plan = _LONG if run.settings.long else _SHORT
    times = 1.0 if run.settings.long or run.settings.scale <= 1 else 6.0
    with run.product.publishing(load.lines, sum(seconds * times for *_, seconds in plan)):
        for name, temper, seconds in plan:
            run.pause(0.3, 1.0)
            with proxies[name].being(temper):
                time.sleep(seconds * times)
            # A network that comes back has forgotten the connections that it had.
            proxies[name].reset(0.5)
    return {"seconds": [seconds * times for *_, seconds in plan]}


def slow_network(run: Run, load: Load) -> Mapping[str, Any]:
    """50 ms more for every answer, jitter, few bytes a second, connections that break; how long a signal takes."""
    kafka = run.servers.kafka_proxy
    calm, late, narrow, rude = slices(load.lines, 4)
    first = next(number for number, line in enumerate(calm) if line["topic"] == "signals")
    run.product.publish(calm[:first])
    run.product.settle(60.0)
    told = {}
    for name, temper, lines in (
        ("calm", CALM, calm[first:]),
        ("latency", slow(_ONE_WAY_S, _JITTER_S), late),
        ("throttle", slow(0.0, 0.0, 1 << 20), narrow),
    ):
        with kafka.being(temper), Arrivals(run.product.settings) as arrivals:
            with run.product.publishing(lines, _LATENCY_S):
                pass
            run.product.settle(60.0)
        told[f"p99_ms {name}"] = round(_p99(arrivals.latencies_ms()))
    with run.product.publishing(rude, 4.0):
        for _ in range(run.settings.times(5, 50)):
            run.pause(0.3, 0.9)
            kafka.reset(0.7)
            run.servers.database_proxy.reset(0.7)
    calm_ms, late_ms = told["p99_ms calm"], told["p99_ms latency"]
    ratio = late_ms / calm_ms
    most_ms = max(_LATENCY_RATIO_MAX * calm_ms, calm_ms + _ROUND_TRIPS * _ROUND_TRIP_MS)
    if late_ms > most_ms:
        raise GateFailed(
            f"with 50 ms of latency p99 is {ratio:.1f} times that without; {most_ms:.0f} ms at most: {told}"
        )
    return {**told, "ratio": round(ratio, 2), "resets": kafka.resets + run.servers.database_proxy.resets}


def _p99(latencies: list[float]) -> float:
    if len(latencies) < 100:
        raise GateFailed(f"only {len(latencies)} signals were timed")
    return statistics.quantiles(latencies, n=100)[98]


ROWS = [
    Row(6, "no way to Kafka or PostgreSQL, both directions and one", partitions, 1_000, 10_000),
    Row(7, "latency, jitter, throttle, resets", slow_network, 1_600),
]
