"""The row about PostgreSQL (5)."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from signaalwissel.deploy.errors import PlatformError
from sqlalchemy import make_url

from tests.faults.databases import plain
from tests.faults.load import Load
from tests.faults.rows_processes import slices
from tests.faults.run import GateFailed, Row, Run

_HELD = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'tasks'::regclass"


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
                taken.append(psycopg.connect(plain(run.servers.postgres.address)))
        _end_sessions(connection)
        with suppress(psycopg.OperationalError):
            taken.append(psycopg.connect(plain(run.servers.postgres.address)))
        time.sleep(3)
    for session in taken:
        session.close()


def _deadlock(run: Run) -> None:
    """Somebody else's transaction holds what the sink wants, and wants what the sink holds; the sink is the victim."""
    stop = time.monotonic() + 20
    with _administering(run) as looker, psycopg.connect(plain(run.servers.postgres.address)) as other:
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
    with psycopg.connect(plain(run.servers.postgres.address), autocommit=True) as connection:
        yield connection


def _end_sessions(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'signaalwissel%'"
    )


ROWS = [
    Row(5, "PostgreSQL stopped, killed, read-only, exhausted, deadlocked", database_trouble, 1_000, 20_000)
]
