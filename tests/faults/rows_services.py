"""Rows about Kafka, PostgreSQL and the network between them and the product (4, 5, 6, 7, 8)."""

import os
import signal
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from signaalwissel.deploy.errors import PlatformError
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.faults.arrivals import Arrivals
from tests.faults.books import Books
from tests.faults.checker import judge
from tests.faults.load import Load
from tests.faults.product import Product
from tests.faults.proxy import CALM, DEAF, Temper, slow
from tests.faults.rows_processes import slices
from tests.faults.run import GateFailed, Row, Run, Skipped
from tests.faults.servers import cluster, full, small_disk
from tests.system.installation import Installation

KAFKA_RECOVERS_S = 120.0
"""Kafka's own bound in its transactions test."""
_LATENCY_RATIO_MAX = 3.0
_LOGS_MB = 1
_LATENCY_S = 5.0
_HELD = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'tasks'::regclass"


def one_broker(run: Run, load: Load) -> Mapping[str, Any]:
    """The only broker is killed, stands still, is restarted in good order; then one of three after the other is killed."""
    kafka, times = run.servers.kafka, run.settings.times(1, 5)
    first, second = slices(load.lines, 2)
    with run.product.publishing(first, times * 10.0):
        for _ in range(times):
            run.pause(1.0, 2.0)
            kafka.kill()
            kafka.start()
            run.pause(1.0, 2.0)
            os.kill(kafka.pid, signal.SIGSTOP)
            time.sleep(4)
            os.kill(kafka.pid, signal.SIGCONT)
    run.product.publish(second)
    kafka.restart()
    took = run.product.settle(KAFKA_RECOVERS_S)
    return {"one broker": {"kills": times, "pauses": times, "restarts": 1, "recovered_s": round(took, 1)}}


def three_brokers(run: Run, load: Load) -> Mapping[str, Any]:
    """Both forms of row 4."""
    told = dict(one_broker(run, load))
    told["three brokers"] = _bounced(run, load)
    return told


def _bounced(run: Run, load: Load) -> Mapping[str, Any]:
    times = run.settings.times(3, 15)
    folder = run.servers.folder / "cluster"
    folder.mkdir(exist_ok=True)
    url = _new_database(run, "faults_cluster")
    with cluster(folder) as nodes:
        bootstrap = ",".join(node.address for node in nodes)
        installed = folder / "product"
        installed.mkdir(exist_ok=True)
        installation = Installation(
            bootstrap, url, "three-", installed, 2, replication=3,
            extra={"SIGNAALWISSEL_BROKER_TIMEOUT_S": "15"},
        )  # fmt: skip
        product = Product(installation, (bootstrap, url))
        books = Books(product.settings)
        with product.running():
            with product.publishing(load.lines, times * 5.0):
                for number in range(times):
                    run.pause(1.0, 3.0)
                    nodes[number % len(nodes)].kill()
                    run.pause(0.5, 2.0)
                    nodes[number % len(nodes)].start()
            took = product.settle(KAFKA_RECOVERS_S)
            books.read_on()
            verdict = judge(load, books, product.engine, resent=product.resent)
    if not verdict.green:
        raise GateFailed(f"three brokers: {'; '.join(verdict.problems)}")
    return {"bounces": times, "signals": load.signals, "recovered_s": round(took, 1)}


def _new_database(run: Run, name: str) -> str:
    plain = make_url(run.servers.postgres.address)
    with psycopg.connect(_plain(run.servers.postgres.address), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return plain.set(database=name).render_as_string(hide_password=False)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def database_trouble(run: Run, load: Load) -> Mapping[str, Any]:
    """PostgreSQL stops at once, is killed, takes no writes, has no session left, and lets two transactions wait for each other."""
    cycles = run.settings.times(1, 20)
    ways = (_immediate, _killed, _read_only, _exhausted, _deadlock)
    done: dict[str, int] = {}
    parts = slices(load.lines, cycles * len(ways))
    for number, lines in enumerate(parts):
        way = ways[number % len(ways)]
        with run.product.publishing(lines, 3.0):
            way(run)
        name = way.__name__.removeprefix("_")
        done[name] = done.get(name, 0) + 1
        run.product.settle(60.0)
    return done


def _immediate(run: Run) -> None:
    run.pause(0.5, 1.5)
    run.servers.postgres.kill()
    run.servers.postgres.start()


def _killed(run: Run) -> None:
    """The whole server is gone at once, without a chance to tell its children."""
    run.pause(0.5, 1.5)
    postgres = run.servers.postgres
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.kill()
    for _ in range(20):
        try:
            postgres.start()
        except PlatformError:  # children of the dead server are still ending
            time.sleep(0.5)
        else:
            return
    postgres.start()


def _read_only(run: Run) -> None:
    name = make_url(run.servers.postgres.address).database
    with _administering(run) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        _end_sessions(connection)
        time.sleep(3)
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        _end_sessions(connection)


def _exhausted(run: Run) -> None:
    """Every session of the server is taken by others for some seconds, and the product's are cut."""
    taken: list[psycopg.Connection[Any]] = []
    with _administering(run) as connection:
        _end_sessions(connection)
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(_plain(run.servers.postgres.address)))
        _end_sessions(connection)
        with suppress(psycopg.OperationalError):
            taken.append(psycopg.connect(_plain(run.servers.postgres.address)))
        time.sleep(3)
    for session in taken:
        session.close()


def _deadlock(run: Run) -> None:
    """Somebody else's transaction holds what the sink wants, and wants what the sink holds; the sink is the victim."""
    stop = time.monotonic() + 20
    with _administering(run) as looker, psycopg.connect(_plain(run.servers.postgres.address)) as other:
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
        while not looker.execute(_HELD).fetchall():
            if time.monotonic() > stop:
                raise GateFailed("the sink never waited for the tasks: no deadlock was made")
            time.sleep(0.02)
        other.execute("SELECT * FROM consumed_offsets FOR UPDATE")
        other.rollback()


@contextmanager
def _administering(run: Run) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(_plain(run.servers.postgres.address), autocommit=True) as connection:
        yield connection


def _end_sessions(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'signaalwissel%'"
    )


def partitions(run: Run, load: Load) -> Mapping[str, Any]:
    """Nothing comes through to Kafka or PostgreSQL, in both directions or in one, for shorter and longer than they are waited for."""
    scale = 1.0 if run.settings.scale <= 1 else 6.0
    kafka, database = run.servers.kafka_proxy, run.servers.database_proxy
    plan = (
        (kafka, DEAF, 4.0 * scale),
        (kafka, Temper(down=False), 12.0 * scale),
        (kafka, Temper(up=False), 4.0 * scale),
        (database, DEAF, 4.0 * scale),
        (database, Temper(down=False), 11.0 * scale),
    )
    with run.product.publishing(load.lines, sum(seconds for *_, seconds in plan)):
        for proxy, temper, seconds in plan:
            run.pause(0.3, 1.0)
            with proxy.being(temper):
                time.sleep(seconds)
            # A network that comes back has forgotten the connections that it had.
            proxy.reset(0.5)
    return {"seconds": [seconds for *_, seconds in plan]}


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
        ("latency", slow(0.025, 0.01), late),
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
    ratio = told["p99_ms latency"] / told["p99_ms calm"]
    if ratio > _LATENCY_RATIO_MAX:
        raise GateFailed(
            f"with 50 ms of latency p99 is {ratio:.1f} times that without; must be 3 times at most"
        )
    return {**told, "ratio": round(ratio, 2), "resets": kafka.resets + run.servers.database_proxy.resets}


def _p99(latencies: list[float]) -> float:
    if len(latencies) < 100:
        raise GateFailed(f"only {len(latencies)} signals were timed")
    return statistics.quantiles(latencies, n=100)[98]


def full_disks(run: Run, load: Load) -> Mapping[str, Any]:
    """The disks of broker, database and logs fill up to the last byte, one after the other, and are made room on again."""
    if not run.servers.small_disks:
        raise Skipped("only root may mount the small disks that this row fills")
    broker, database, logs = slices(load.lines, 3)
    told: dict[str, Any] = {}
    servers = run.servers
    with run.product.publishing(broker, 4.0):
        time.sleep(0.5)
        with full(servers.folder / "kafka"):
            told["broker stopped"] = _ends(servers.kafka.pid, 8.0)
        servers.kafka.kill()
        servers.kafka.start()
    run.product.settle(60.0)
    with run.product.publishing(database, 4.0):
        time.sleep(0.5)
        with full(servers.folder / "postgres"):
            time.sleep(4.0)
        if not _answers(run):
            servers.postgres.kill()
            servers.postgres.start()
    run.product.settle(60.0)
    told["logs"] = _full_logs(run, logs)
    return told


def _full_logs(run: Run, lines: list[Any]) -> str:
    product = run.product
    names = ("intake", "matcher", "sink")
    kept = {name: product[name].log for name in names}
    with small_disk(run.servers.folder / "logs", _LOGS_MB) as folder:
        files = {name: folder / f"{name}.log" for name in names}
        for file in files.values():
            file.touch()
        try:
            with full(folder):
                for name in names:
                    product[name].log = files[name]
                    product[name].kill()
                product.publish(lines)
                product.settle(60.0)
        finally:
            for name in names:
                product[name].log = kept[name]
                product[name].kill()
    return "worked without a log"


def _ends(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


def _answers(run: Run) -> bool:
    for _ in range(20):
        try:
            with run.product.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            time.sleep(0.25)
        else:
            return True
    return False


ROWS = [
    Row(
        4,
        "broker killed, paused, restarted; one of three after the other",
        three_brokers,
        900,
        bound_s=KAFKA_RECOVERS_S,
    ),
    Row(5, "PostgreSQL stopped, killed, read-only, exhausted, deadlocked", database_trouble, 1_000),
    Row(6, "no way to Kafka or PostgreSQL, both directions and one", partitions, 1_000),
    Row(7, "latency, jitter, throttle, resets", slow_network, 1_600),
    Row(8, "disk full: broker, PostgreSQL, logs", full_disks, 600),
]
