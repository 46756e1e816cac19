"""Rows about the processes of the product: killed at named points, at random, paused, joining and leaving (1, 2, 3, 14, 20)."""

import math
import signal
import time
from collections.abc import Mapping
from typing import Any

from signaalwissel.console import runtime
from signaalwissel.console.topics import admin

from tests.faults.arrivals import Arrivals
from tests.faults.crashes import SINK_POINTS, STREAM_POINTS
from tests.faults.load import Load
from tests.faults.product import COMMANDS
from tests.faults.run import HEALING_BOUND_S, GateFailed, Row, Run
from tests.faults.stages import Stage
from tests.oracle.intake import Line

_PAUSED_S = 5.0
"""Longer than a session lasts (launch.short_session)."""
_WAITS_S = 30.0
"""How long a signal may wait in a storm: a session that ends, the rebalance behind it, and both once more."""
_DIES_S = 120.0
"""How long a busy machine may take to start a stage and to let it come to its point: patience, no gate."""


def slices(lines: list[Line], count: int) -> list[list[Line]]:
    """What comes before the first signal with the first of so many equal parts, and the other parts."""
    first = next((number for number, line in enumerate(lines) if line["topic"] == "signals"), 0)
    size = -(-(len(lines) - first) // count)
    parts = [lines[first + n * size : first + (n + 1) * size] for n in range(count)]
    return [lines[:first] + parts[0], *parts[1:]]


def crash_points(run: Run, load: Load) -> Mapping[str, Any]:
    """Each point of each stage: the process that passes it dies there, and the next one takes over."""
    streams, sinks = list(STREAM_POINTS), list(SINK_POINTS)
    rounds = run.settings.times(1, 20) * max(len(streams), len(sinks))
    hit = dict.fromkeys(
        [*(f"{s}.{p}" for s in ("intake", "matcher") for p in streams), *(f"sink.{p}" for p in sinks)], 0
    )
    for number, lines in enumerate(slices(load.lines, rounds)):
        points = {
            "intake": streams[number % len(streams)],
            "matcher": streams[number % len(streams)],
            "sink": sinks[number % len(sinks)],
        }
        _die_at(run, points, lines)
        for name, point in points.items():
            hit[f"{name}.{point}"] += 1
    return {"points": len(hit), "hits": sum(hit.values())}


def _die_at(run: Run, points: Mapping[str, str], lines: list[Line]) -> None:
    """Start each stage with its point, send the lines, and wait until each has died there."""
    before = {}
    for name, point in points.items():
        run.product[name].kill(f"point:{name}.{point}:{run.dice.randint(1, 2)}")
        before[name] = run.product[name].kills

    def died() -> bool:
        return all(run.product[name].kills > count for name, count in before.items())

    with run.product.publishing(lines, 2.0):
        run.product.wait_until(died, f"each dies at its point: {dict(points)}", _DIES_S)


def random_kills(run: Run, load: Load) -> Mapping[str, Any]:
    """Any of the three, at any moment, while signals come."""
    count = run.settings.times(9, 500)
    with run.product.publishing(load.lines, count * 1.2):
        for _ in range(count):
            run.pause(0.3, 2.2)
            run.product[run.dice.choice(list(COMMANDS))].kill()
    return {"kills": count}


def pauses(run: Run, load: Load) -> Mapping[str, Any]:
    """A worker stands still until the group has given it up, and goes on with what it had in hand."""
    count = run.settings.times(2, 30)
    product = run.product
    joined = [product.join(name) for name in ("intake", "matcher")]
    with product.publishing(load.lines, count * (_PAUSED_S + 3)):
        time.sleep(3)
        for number in range(count):
            names = ("intake", "matcher", "sink") if number % 2 else ("intake", "matcher")
            for name in names:
                product[name].send(signal.SIGSTOP)
            time.sleep(_PAUSED_S)
            for name in names:
                product[name].send(signal.SIGCONT)
            run.pause(1.0, 2.0)
    for stage in joined:
        product.leave(stage)
    return {"pauses": count, "paused_s": _PAUSED_S}


def rebalance_storm(run: Run, load: Load) -> Mapping[str, Any]:
    """Workers join and leave, some by a kill, at times more than there are partitions; no signal waits long for all that."""
    steps = run.settings.times(7, 720)
    storm = _Storm(run)
    with Arrivals(run.product.settings) as arrivals:
        with run.product.publishing(load.lines, steps * 2.5):
            for _ in range(steps):
                run.pause(1.5, 3.5)
                storm.step()
        storm.end()
        run.product.settle(HEALING_BOUND_S)
    slowest_s = max(arrivals.latencies_ms(), default=math.inf) / 1000
    # Beside other work a process takes longer to start than a session takes to end.
    most_s = HEALING_BOUND_S if run.settings.slack_ms else _WAITS_S
    if slowest_s > most_s:
        raise GateFailed(f"a signal waited {slowest_s:.0f} s for its route, {most_s:g} at most")
    return {
        "steps": steps,
        "members_at_most": storm.most,
        "killed": storm.killed,
        "lag_at_most": storm.lag,
        "slowest_s": round(slowest_s, 1),
    }


class _Storm:
    """Workers of both kinds beside the first ones; the first two that join are of one kind, and nobody leaves before them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._joined: list[Stage] = []
        self._crowd = run.dice.choice(("intake", "matcher"))
        self.most = self.killed = self.lag = 0

    def step(self) -> None:
        dice = self._run.dice
        if not self.most:
            self._joined.append(self._run.product.join(self._crowd))
            if len(self._joined) == self._run.product.settings.partitions:
                self._wait_for_the_crowd()
        elif len(self._joined) < 2 or (len(self._joined) < 5 and dice.random() < 0.5):
            self._joined.append(self._run.product.join(dice.choice(("intake", "matcher"))))
        else:
            by_kill = dice.random() < 0.5
            self.killed += by_kill
            self._run.product.leave(self._joined.pop(dice.randrange(len(self._joined))), by_kill=by_kill)
        self.lag = max(self.lag, self._run.product.lag() or 0)

    def _wait_for_the_crowd(self) -> None:
        """Until the group has more members than there are partitions: a process that was started is none yet."""
        partitions = self._run.product.settings.partitions

        def crowded() -> bool:
            self.most = max(self.most, _members(self._run, self._crowd))
            return self.most > partitions

        self._run.product.wait_until(crowded, f"more than {partitions} members in the group of {self._crowd}")

    def end(self) -> None:
        for stage in self._joined:
            self._run.product.leave(stage)


def _members(run: Run, app: str) -> int:
    names = runtime.names(run.product.settings)
    group = names.intake_app if app == "intake" else names.matcher_app
    with admin(run.product.settings) as client:
        return len(client.describe_groups([group])[group]["members"])


def everything_mixed(run: Run, load: Load) -> Mapping[str, Any]:
    """Random kills, a broken network and workers that come and go, for as long as the load takes."""
    product = run.product
    done = {"kill": 0, "join": 0, "leave": 0, "reset": 0, "pause": 0}
    joined: list[Any] = []
    with product.publishing(load.lines, max(len(load.lines) / 400, 20.0)) as publishing:
        while publishing.is_alive():
            run.pause(0.5, 2.0)
            what = run.dice.choice(("kill", "kill", "join", "leave", "reset", "pause"))
            if what == "kill":
                product[run.dice.choice(list(COMMANDS))].kill()
            elif what == "join" and len(joined) < 2:
                joined.append(product.join(run.dice.choice(("intake", "matcher"))))
            elif what == "leave" and joined:
                product.leave(joined.pop(), by_kill=run.dice.random() < 0.5)
            elif what == "reset":
                run.servers.kafka_proxy.reset(0.5)
                run.servers.database_proxy.reset(0.5)
            elif what == "pause":
                product["matcher"].send(signal.SIGSTOP)
                time.sleep(1.0)
                product["matcher"].send(signal.SIGCONT)
            else:
                continue
            done[what] += 1
    for stage in joined:
        product.leave(stage)
    return done


ROWS = [
    Row(1, "SIGKILL at named crash points", crash_points, 1_400, 28_000),
    Row(2, "SIGKILL at random", random_kills, 1_500, 100_000),
    Row(3, "SIGSTOP longer than the session, then CONT", pauses, long_signals=12_000),
    Row(14, "rebalance storm", rebalance_storm, long_signals=36_000),
    Row(20, "kills, resets, pauses and rebalances mixed", everything_mixed, 3_000, 60_000),
]
