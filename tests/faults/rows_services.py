"""Rows about brokers and disks (4, 8)."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.faults.books import Books
from tests.faults.checker import judge
from tests.faults.databases import new_database
from tests.faults.load import Load
from tests.faults.product import Product
from tests.faults.rows_processes import slices
from tests.faults.run import GateFailed, Row, Run, Skipped
from tests.faults.servers import cluster, full, small_disk
from tests.system.installation import Installation

KAFKA_RECOVERS_S = 120.0
"""Kafka's own bound in its transactions test."""
_LOGS_MB = 1
_TWENTY_MEGABYTES = text("CREATE TABLE full_disk AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
_BROKER_ENDS_S = 20.0
"""A broker ends when it next writes and cannot; how soon that is depends on the machine."""


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
    url = new_database(run, "faults_cluster")
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


def full_disks(run: Run, load: Load) -> Mapping[str, Any]:
    """The disks of broker, database and logs fill up to the last byte, one after the other, and are made room on again."""
    if not run.servers.small_disks:
        raise Skipped("the small disks that this row fills cannot be mounted here; root may")
    broker, database, logs = slices(load.lines, 3)
    servers = run.servers
    with run.product.publishing(broker, 4.0):
        time.sleep(0.5)
        with full(servers.folder / "kafka"):
            stopped = _ends(servers.kafka.pid, _BROKER_ENDS_S)
        servers.kafka.kill()
        servers.kafka.start()
    if not stopped:
        raise GateFailed("the broker went on with a full disk: nothing was tried")
    run.product.settle(60.0)
    with run.product.publishing(database, 4.0):
        time.sleep(0.5)
        with full(servers.folder / "postgres"):
            refused = _refused(run, 4.0)
        if not _answers(run):
            servers.postgres.kill()
            servers.postgres.start()
    if not refused:
        raise GateFailed("PostgreSQL went on writing with a full disk: nothing was tried")
    run.product.settle(60.0)
    return {"broker": "stopped", "PostgreSQL": refused, "logs": _full_logs(run, logs)}


def _refused(run: Run, seconds: float) -> str:
    """How a write past the product is refused while so many seconds pass; empty where none is."""
    name, deadline = "", time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with run.product.engine.begin() as connection:
                connection.execute(_TWENTY_MEGABYTES)
                connection.execute(text("DROP TABLE full_disk"))
        except DBAPIError as refused:
            name = type(refused.orig).__name__
        time.sleep(0.5)
    return name


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
                written = {name: file.stat().st_size for name, file in files.items()}
        finally:
            for name in names:
                product[name].log = kept[name]
                product[name].kill()
    if any(written.values()):
        raise GateFailed(f"the full disk took logs, of so many bytes: {written}")
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
        4_500,
        bound_s=KAFKA_RECOVERS_S,
    ),
    Row(8, "disk full: broker, PostgreSQL, logs", full_disks, 600),
]
