"""Rows about the network between the product and its servers (6, 7)."""

import itertools
import statistics
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.faults.arrivals import Arrivals, Stored
from tests.faults.load import Load
from tests.faults.proxy import CALM, DEAF, Temper, slow
from tests.faults.run import GateFailed, Row, Run
from tests.oracle.intake import Line

_LATENCY_RATIO_MAX = 3.0
_LATENCY_S = 5.0
_ONE_WAY_S, _JITTER_S = 0.025, 0.01
_ROUND_TRIP_MS = 2_000 * (_ONE_WAY_S + _JITTER_S / 2)
_ROUND_TRIPS = 23
"""Those that a signal waits for at worst without any timeout: in each of two stages a fetch, the commit under way and
its own, of five each, and the fetch of its reader (docs/adr/0012)."""
_STATEMENTS = 100
"""Those of the database that a signal waits for at worst without any timeout: the sink's transaction under way and its own,
of about fifty each where a batch has a bit of everything, a COPY for two (docs/adr/0012)."""


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


class _Phase(NamedTuple):
    """How the network is for a while."""

    name: str
    kafka: Temper = CALM
    database: Temper = CALM


_CALM = "calm"
_PHASES = (
    _Phase(_CALM),
    _Phase("5 ms", kafka=slow(0.0025)),
    _Phase("10 ms", kafka=slow(0.005)),
    _Phase("50 ms", kafka=slow(_ONE_WAY_S, _JITTER_S)),
    _Phase("database 50 ms", database=slow(_ONE_WAY_S, _JITTER_S)),
    _Phase("throttle", kafka=slow(0.0, 0.0, 1 << 20)),
)


class _Times(NamedTuple):
    """p99 from the moment at which Kafka took a signal, in milliseconds."""

    routed_ms: int
    stored_ms: int


_ROUTED, _STORED = 0, 1
_LIMITS = (
    ("5 ms", _ROUTED, 0),
    ("10 ms", _ROUTED, 0),
    ("50 ms", _ROUTED, _ROUND_TRIPS),
    ("database 50 ms", _ROUTED, 0),
    ("database 50 ms", _STORED, _STATEMENTS),
)
"""Three times the calm p99 in every phase; where round trips are named, so many more than it may it be as well."""


def slow_network(run: Run, load: Load) -> Mapping[str, Any]:
    """Latency of Kafka and of PostgreSQL, jitter, few bytes a second, connections that break; how long a signal takes."""
    before, *parts, rude = _by_signals(load.lines, len(_PHASES) + 1)
    run.product.publish(before)
    run.product.settle(60.0)
    (municipality,) = load.municipalities
    told = {
        phase.name: _timed(run, municipality, phase, lines)
        for phase, lines in zip(_PHASES, parts, strict=True)
    }
    kafka, database = run.servers.kafka_proxy, run.servers.database_proxy
    with run.product.publishing(rude, 4.0):
        for _ in range(run.settings.times(5, 50)):
            run.pause(0.3, 0.9)
            kafka.reset(0.7)
            database.reset(0.7)
    if late := _too_late(told, run.settings.slack_ms):
        raise GateFailed(f"{', '.join(late)}: {told}")
    p99 = {name: dict(times._asdict()) for name, times in told.items()}
    return {"p99": p99, "resets": kafka.resets + database.resets}


def _by_signals(lines: list[Line], count: int) -> list[list[Line]]:
    """What comes before the first signal, and so many parts with as many signals each."""
    at = [number for number, line in enumerate(lines) if line["topic"] == "signals"]
    cuts = [0, *(at[len(at) * part // count] for part in range(count)), len(lines)]
    return [lines[begin:end] for begin, end in itertools.pairwise(cuts)]


def _timed(run: Run, municipality: str, phase: _Phase, lines: list[Line]) -> _Times:
    """Send lines while the network is so, and time the signals among them."""
    product, servers = run.product, run.servers
    arrivals, stored = Arrivals(product.settings), Stored(product.engine, municipality)
    with (
        servers.kafka_proxy.being(phase.kafka),
        servers.database_proxy.being(phase.database),
        arrivals,
        stored,
    ):
        with product.publishing(lines, _LATENCY_S):
            pass
        product.settle(60.0)
    return _Times(_p99(arrivals.latencies_ms()), _p99(arrivals.latencies_ms(stored.seen)))


def _too_late(told: Mapping[str, _Times], slack_ms: float) -> list[str]:
    """What takes longer than its limit."""
    found = []
    for name, what, round_trips in _LIMITS:
        calm_ms, late_ms = told[_CALM][what], told[name][what]
        most_ms = max(_LATENCY_RATIO_MAX * calm_ms, calm_ms + round_trips * _ROUND_TRIP_MS) + slack_ms
        if late_ms > most_ms:
            found.append(f"{name}: {_Times._fields[what]} is {late_ms}, {most_ms:.0f} at most")
    return found


def _p99(latencies: list[float]) -> int:
    if len(latencies) < 100:
        raise GateFailed(f"only {len(latencies)} signals were timed")
    return round(statistics.quantiles(latencies, n=100)[98])


ROWS = [
    Row(6, "no way to Kafka or PostgreSQL, both directions and one", partitions, 1_000, 10_000),
    Row(7, "latency, jitter, throttle, resets", slow_network, 2_800),
]
