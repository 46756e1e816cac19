"""A fault run: the servers, one installation, and rows of the matrix one after the other, each with a load of its own.

In: rows and settings. Out: for every row a gate: what was done, what is wrong, how long it took. The loads have a
municipality each, so a row answers for its own signals, and at the end all answer once more.
"""

import os
import random
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiokafka.errors
import kafka.errors
import psycopg
from signaalwissel.console.failures import CommandFailure
from signaalwissel.deploy.errors import PlatformError
from signaalwissel.sinks.settings import SinkError
from sqlalchemy.exc import SQLAlchemyError

from tests.faults.books import Books
from tests.faults.checker import Verdict, judge, numbers_in
from tests.faults.load import Load, make_load, merged
from tests.faults.product import MEMORY, Product, Stuck
from tests.faults.servers import Servers

HEALING_BOUND_S = 60.0
"""I5: lag 0 and ready within a minute after the last fault."""

_LONG_PATIENCE = 10
_SERVERS_FAIL = (
    aiokafka.errors.KafkaError,
    kafka.errors.KafkaError,
    psycopg.Error,
    SQLAlchemyError,
    PlatformError,
    SinkError,
    CommandFailure,
    OSError,
    subprocess.SubprocessError,
)
"""How a broker, a database or a program says to a row that it cannot go on."""


@dataclass(frozen=True)
class Settings:
    """How much a run does.

    Attributes:
        seed: Of loads, of dice, of the proxies.
        scale: 1 for the short form; rows repeat their faults that many times as often and send more.
        long: The numbers of the matrix instead, whatever the scale.
        slack_ms: What other work on the machine may add to a latency; 0 where there is none.
        store: Where the tables of intake and matcher lie, `memory` or `rocksdb`.
    """

    seed: int
    scale: float = 1.0
    long: bool = False
    slack_ms: float = 0.0
    store: str = MEMORY

    def times(self, short: int, long: int) -> int:
        """How often: `short`, or more up to `long`."""
        return long if self.long else min(max(short, round(short * self.scale)), long)

    def patience_s(self, short_s: float) -> float:
        """How long a row waits for what it has sent before it goes on; the last wait of a row is never longer."""
        return short_s * (_LONG_PATIENCE if self.long else 1)


class GateFailed(Exception):
    """What the row asks beyond the invariants does not hold."""


class Skipped(Exception):
    """The row cannot be run here; the text says why."""


@dataclass
class Run:
    """What a row works with."""

    servers: Servers
    product: Product
    books: Books
    settings: Settings
    dice: random.Random

    def pause(self, least_s: float, most_s: float) -> None:
        """Let some time pass, as the dice say."""
        time.sleep(self.dice.uniform(least_s, most_s))


Scenario = Callable[[Run, Load], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """A row of the matrix.

    Attributes:
        number: Its number there.
        fault: What happens.
        scenario: Lets it happen while the load is under way; what it gives back is told with the gate.
        signals: How many signals the load of the short form has.
        long_signals: How many it has in the long form, where that is more.
        load: Makes another load than a month, from settings, seed and municipality.
        bound_s: How long lag and readiness may take behind it.
    """

    number: int
    fault: str
    scenario: Scenario
    signals: int = 800
    long_signals: int = 0
    load: Callable[[Settings, int, str], Load] | None = None
    bound_s: float = HEALING_BOUND_S

    @property
    def municipality(self) -> str:
        return f"{1000 + self.number:04d}"

    def count(self, settings: Settings) -> int:
        """How many signals a month has that is its load."""
        if settings.long:
            return self.long_signals or self.signals
        return settings.times(self.signals, self.signals * 20)

    def make(self, settings: Settings) -> Load:
        """The load, the same for the same seed."""
        seed = settings.seed * 100 + self.number
        if self.load is not None:
            return self.load(settings, seed, self.municipality)
        return make_load(self.count(settings), seed, self.municipality)


@dataclass
class Gate:
    """How a row ended."""

    row: int
    fault: str
    passed: bool = False
    skipped: str = ""
    signals: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong_state: int = 0
    kills: int = 0
    seconds: float = 0.0
    healed_s: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, verdict: Verdict) -> None:
        """Take over what the checker found."""
        self.signals = verdict.signals
        self.lost, self.duplicated, self.wrong_state = verdict.lost, verdict.duplicated, verdict.wrong_state
        self.problems += verdict.problems


class Loads:
    """The loads of rows, made in processes of their own while the servers start."""

    def __init__(self, settings: Settings, rows: list[Row]) -> None:
        self._pool = ProcessPoolExecutor(max(1, (os.cpu_count() or 2) - 1))
        self._made: dict[int, Future[Load]] = {
            row.number: self._pool.submit(_made, settings, row.number) for row in rows
        }

    def of(self, row: Row) -> Load:
        return self._made[row.number].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _made(settings: Settings, number: int) -> Load:
    from tests.faults.matrix import ROWS  # noqa: PLC0415 the rows import this module

    return ROWS[number].make(settings)


def walk(row: Row, load: Load, run: Run) -> Gate:
    """Let a row happen, heal, and ask the checker."""
    gate = Gate(row.number, row.fault)
    began, kills = time.monotonic(), run.product.supervisor.kills
    run.dice.seed(f"{run.settings.seed}/{row.number}")
    run.product.resent = False
    try:
        with failing(gate):
            gate.details = dict(row.scenario(run, load))
    except Skipped as reason:
        gate.skipped = str(reason)
        return gate
    _heal(run, gate, row.bound_s)
    with failing(gate):
        run.books.read_on()
        gate.take(judge(load, run.books, run.product.engine, resent=run.product.resent))
    if named := numbers_in(run.product.folder.glob("*.log"), load.bsns):
        gate.problems.append(f"I6 a citizen service number stands in {', '.join(named)}")
    gate.kills = run.product.supervisor.kills - kills
    gate.seconds = round(time.monotonic() - began, 1)
    gate.passed = not gate.problems
    return gate


def verify_audit(run: Run, bound_s: float) -> None:
    """I7: the audit trail is as it was written; GateFailed where it was touched, or nobody can say so in time."""
    if run.product.installation.start("audit", "verify").wait(bound_s):
        raise GateFailed("I7 `audit verify` finds what was touched past the audit trail")


@contextmanager
def failing(gate: Gate) -> Iterator[None]:
    """A server that fails the row itself is a gate that fails, and the rows behind it still count; a bug ends the run."""
    try:
        yield
    except Stuck as stuck:
        gate.problems.append(f"I5 {stuck}")
    except GateFailed as failed:
        gate.problems.append(str(failed))
    except _SERVERS_FAIL as broken:
        gate.problems.append(f"the row itself broke: {broken!r}")
        traceback.print_exc()


def _heal(run: Run, gate: Gate, bound_s: float) -> None:
    with failing(gate):
        gate.healed_s = round(run.product.settle(bound_s), 1)


def last_look(run: Run, loads: list[Load]) -> Gate:
    """All loads once more, together: what a row left behind may have harmed another one's signals."""
    gate = Gate(0, "everything once more at the end, and the audit trail")
    began = time.monotonic()
    _heal(run, gate, HEALING_BOUND_S)
    with failing(gate):
        run.books.read_on()
        gate.take(judge(merged(loads), run.books, run.product.engine, resent=True))
        verify_audit(run, HEALING_BOUND_S)
    gate.seconds = round(time.monotonic() - began, 1)
    gate.passed = not gate.problems
    return gate
