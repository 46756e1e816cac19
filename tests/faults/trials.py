"""The checker tested: seeded defects in the running product, each of which must turn it red, and one trial without any.

In: the servers of the run. Out: per defect whether it was seen, and by which words. All trials are the same: a small
load, a resident who is erased, a kill of each stage at a point where it hurts, the checker.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from tests.faults.books import Books
from tests.faults.checker import judge
from tests.faults.databases import new_database
from tests.faults.defects import DEFECTS
from tests.faults.load import Load, load_of, make_load, merged, nobodys_numbers
from tests.faults.product import COMMANDS, Product, Stuck
from tests.faults.run import Run, Settings
from tests.system.installation import Installation

SOUND = "none"
SIGNALS = 300
MUNICIPALITY = "9001"
ERASED_IN = "9002"
_AT_ONCE = 2
_HEALING_S = 60.0
_WAIT_S = 45.0
_KILLS: Mapping[str, str] = {
    "intake": "point:intake.after-commit:1",
    "matcher": "point:matcher.routes-before-commit:1",
    "sink": "point:sink.decisions-written:1",
}
"""Where a trial kills: between what a defect tears apart."""


@dataclass
class Trial:
    """What became of one defect."""

    defect: str
    seen: list[str] = field(default_factory=list)
    signals: int = 0
    kills: int = 0

    @property
    def as_it_must(self) -> bool:
        """A defect is seen as what it is, not as a start that it breaks; without one there is nothing to see."""
        if self.defect == SOUND:
            return not self.seen
        return any(one.startswith(DEFECTS[self.defect].told_by) for one in self.seen)


def load_of_trials(settings: Settings) -> Load:
    """What every trial sends: a share of it is refused, so that a dead letter can be missed."""
    return make_load(SIGNALS, settings.seed * 100 + 99, MUNICIPALITY)


def somebody_erased() -> Load:
    """A resident with a trajectory and a signal, and what must be left of both when he was erased."""
    bsn = next(nobodys_numbers())
    moment = "2026-02-01T09:00:00Z"
    applied = {
        "event_id": "gone-1", "trajectory_id": "E-1", "municipality": ERASED_IN, "sequence": 1, "kind": "APPLIED",
        "occurred_on": moment[:10], "recorded_at": moment, "clients": [{"bsn": bsn}],
    }  # fmt: skip
    signal = {
        "signal_id": "gone-1", "municipality": ERASED_IN, "partner": {"partner_id": "woonstichting", "kind": "RENT"},
        "subject": {"bsn": bsn}, "arrears": "250.00", "received_at": "2026-02-10T10:00:00Z",
    }  # fmt: skip
    stood = load_of([{"topic": "trajectories", "value": applied}, {"topic": "signals", "value": signal}])
    return replace(
        stood, expected={}, events=dict.fromkeys(stood.events, frozenset()), erased=frozenset(stood.expected),
        signals=0,
    )  # fmt: skip


def try_all(run: Run, load: Load) -> list[Trial]:
    """Every defect and the trial without one, some at a time."""
    names = (SOUND, *DEFECTS)
    # Migrations are not for threads, so all installations are made first.
    products = [_installed(run, defect) for defect in names]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_try, names, products, [load] * len(names)))


def try_one(run: Run, load: Load, defect: str) -> Trial:
    """One defect alone."""
    return _try(defect, _installed(run, defect), load)


def _installed(run: Run, defect: str) -> Product:
    url = new_database(run, f"trial_{defect.replace('-', '_')}")
    folder = run.servers.folder / f"trial-{defect}"
    folder.mkdir()
    installation = Installation(
        run.servers.kafka.address, url, f"{defect}-", folder, 2,
        extra={"SIGNAALWISSEL_BROKER_TIMEOUT_S": "15"},
    )  # fmt: skip
    return Product(installation, (installation.bootstrap, url))


def _try(defect: str, product: Product, load: Load) -> Trial:
    trial, gone = Trial(defect, signals=load.signals), somebody_erased()
    kept = {} if defect == SOUND else dict.fromkeys(COMMANDS, f"defect:{defect}")
    with product.running(**kept):
        _load_and_kill(product, load, gone)
        try:
            product.settle(_HEALING_S)
        except Stuck as stuck:
            trial.seen.append(f"I5 {stuck}")
        books = Books(product.settings)
        books.read_on()
        trial.seen += judge(merged([load, gone]), books, product.engine, resent=product.resent).problems
        trial.kills = product.supervisor.kills
    return trial


def _load_and_kill(product: Product, load: Load, gone: Load) -> None:
    half = len(load.lines) - load.signals // 2
    product.publish([*gone.lines, *load.lines[:half]])
    with contextlib.suppress(Stuck):
        product.settle(_HEALING_S)
        _erase(product, gone)
        product.settle(_HEALING_S)
    for name, point in _KILLS.items():
        product[name].kill(point)
    before = {name: product[name].kills for name in _KILLS}
    with product.publishing(load.lines[half:], 6.0):
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline and any(product[n].kills == before[n] for n in _KILLS):
            time.sleep(0.2)


def _erase(product: Product, gone: Load) -> None:
    """Erase the resident as an officer does; that nothing of him stands afterwards is the checker's to see."""
    (bsn,) = gone.bsns
    subprocess.run(
        [sys.executable, "-m", "signaalwissel.console", "subject", "erase", "-",
         "--municipality", ERASED_IN, "--by", "po-1"],
        input=json.dumps({"bsn": bsn}), env=product.installation.environment,
        text=True, capture_output=True, timeout=_HEALING_S, check=False,
    )  # fmt: skip
