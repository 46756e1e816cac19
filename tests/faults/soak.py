"""`make soak`: very many signals under kills, broken connections and workers that come and go; then the checker, once.

In: how many signals, from SIGNAALWISSEL_SOAK_SIGNALS (0: as many as there is time for), and for how long they are sent
at most, from SIGNAALWISSEL_SOAK_S. Out: the same line of JSON as `make faults`. The load is towns of 10,000 signals,
made and answered by the oracle beside the run.
"""

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace

from tests.faults.checker import judge, numbers_in
from tests.faults.load import Load, make_load, merged
from tests.faults.product import COMMANDS
from tests.faults.run import HEALING_BOUND_S, Gate, Run, failing, verify_audit
from tests.faults.stages import Stage

SIGNALS = int(os.environ.get("SIGNAALWISSEL_SOAK_SIGNALS", "1500000"))
BOUND_S = int(os.environ.get("SIGNAALWISSEL_SOAK_S", "14400"))
_TOWN = 10_000
_AHEAD = 3
_LAG_MAX = 50_000
_LAG_LAST = 5_000
_CATCHING_UP_S = 900.0
_PATIENCE_S = 600.0
_VERIFYING_S = 1_800.0
_JOINED_MAX = 2


def soak(run: Run) -> Gate:
    """Send all of it while trouble goes on, heal, and ask the checker."""
    size = f"{SIGNALS} signals" if SIGNALS else f"signals for {BOUND_S} s"
    gate = Gate(20, f"soak: {size} under kills, resets, pauses and rebalances")
    began = time.monotonic()
    trouble = Trouble(run)
    trouble.start()
    try:
        loads = _send(run, trouble, began)
        # What is left for the time after the last fault is a minute's work at most, so that a minute judges it.
        _wait_for_lag(run, _LAG_LAST, time.monotonic() + _CATCHING_UP_S)
    finally:
        trouble.stop()
    if len(loads) < _towns_asked():
        gate.problems.append(f"the time was up after {sum(load.signals for load in loads)} signals")
    with failing(gate):
        # Judged by a minute, waited for longer: what is still under way would be told as lost.
        gate.healed_s = round(run.product.settle(_PATIENCE_S), 1)
    if not gate.healed_s or gate.healed_s > HEALING_BOUND_S:
        gate.problems.append(f"I5 not healed within {HEALING_BOUND_S:g} s after the last fault")
    with failing(gate):
        run.books.read_on()
        whole = merged(loads)
        gate.take(judge(whole, run.books, run.product.engine, resent=run.product.resent))
        if named := numbers_in(run.product.folder.glob("*.log"), whole.bsns):
            gate.problems.append(f"I6 a citizen service number stands in {', '.join(named)}")
    with failing(gate):
        verify_audit(run, _VERIFYING_S)
    gate.kills = run.product.supervisor.kills
    gate.details = dict(trouble.done)
    gate.seconds = round(time.monotonic() - began, 1)
    gate.passed = not gate.problems
    return gate


def _send(run: Run, trouble: "Trouble", began: float) -> list[Load]:
    """Town after town until there is none or the time is up; what must become of them."""
    loads: list[Load] = []
    with contextlib.closing(_towns(run.settings.seed)) as towns:
        for load in towns:
            run.product.publish(load.lines)
            # The lines have gone; what must become of them stays.
            loads.append(replace(load, lines=[]))
            run.books.read_on()
            _tell(run, loads, trouble, began)
            # So much is under way that kills hit work, and not more than the disk of the run holds.
            _wait_for_lag(run, _LAG_MAX, began + BOUND_S)
            if time.monotonic() - began > BOUND_S:
                break
    return loads


def _sizes() -> Iterator[int]:
    """How many signals each town has; without a number of signals there is always one more town."""
    if not SIGNALS:
        return itertools.repeat(_TOWN)
    return (min(_TOWN, SIGNALS - at) for at in range(0, SIGNALS, _TOWN))


def _towns_asked() -> int:
    """How many towns a number of signals is; of a town a few signals are left out that nobody can send."""
    return -(-SIGNALS // _TOWN)


def _towns(seed: int) -> Generator[Load]:
    """Load after load, made ahead in other processes."""
    pool = ProcessPoolExecutor(max(1, (os.cpu_count() or 2) - 1))
    made: deque[Future[Load]] = deque()
    try:
        for number, count in enumerate(_sizes()):
            made.append(pool.submit(make_load, count, seed * 10_000 + number, f"{1000 + number:04d}"))
            if len(made) > _AHEAD:
                yield made.popleft().result()
        while made:
            yield made.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _wait_for_lag(run: Run, at_most: int, until: float) -> None:
    """Wait until no more than so much is left to read, while the trouble goes on, or until the time is up."""
    while ((lag := run.product.lag()) is None or lag > at_most) and time.monotonic() < until:
        time.sleep(1.0)


def _tell(run: Run, loads: list[Load], trouble: "Trouble", began: float) -> None:
    sent = sum(load.signals for load in loads)
    print(
        f"{time.monotonic() - began:7.0f} s: {sent} signals sent, {len(run.books.deliveries)} routed, "
        f"{run.product.supervisor.kills} kills, {dict(trouble.done)}",
        flush=True,
    )


class Trouble(threading.Thread):
    """Kills, resets, pauses, joins and leaves, as seeded dice say, until it is stopped."""

    def __init__(self, run: Run) -> None:
        super().__init__(daemon=True)
        self._run = run
        self._dice = random.Random(f"soak {run.settings.seed}")
        self._over = threading.Event()
        self._joined: list[Stage] = []
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        ways = (self._kill, self._kill, self._kill, self._join, self._leave, self._reset, self._pause)
        while not self._over.wait(self._dice.uniform(2.0, 12.0)):
            way = self._dice.choice(ways)
            if way():
                self.done[way.__name__.removeprefix("_")] += 1

    def stop(self) -> None:
        """End the trouble; whoever joined leaves."""
        self._over.set()
        self.join()
        for stage in self._joined:
            self._run.product.leave(stage)

    def _kill(self) -> bool:
        self._run.product[self._dice.choice(list(COMMANDS))].kill()
        return True

    def _join(self) -> bool:
        if len(self._joined) >= _JOINED_MAX:
            return False
        self._joined.append(self._run.product.join(self._dice.choice(("intake", "matcher"))))
        return True

    def _leave(self) -> bool:
        if not self._joined:
            return False
        self._run.product.leave(self._joined.pop(), by_kill=self._dice.choice((True, False)))
        return True

    def _reset(self) -> bool:
        self._run.servers.kafka_proxy.reset(0.5)
        self._run.servers.database_proxy.reset(0.5)
        return True

    def _pause(self) -> bool:
        name = self._dice.choice(list(COMMANDS))
        self._run.product[name].send(signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.5, 5.0))
        self._run.product[name].send(signal.SIGCONT)
        return True
