"""One seeded run: workers on a fake broker, faults, healing, and the verdict.

In: a seed, or a plan. Out: nothing, or `Violated` with the seed that shows it again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from signaalwissel.streams.topics import changelog_topic

from tests.simulation.broker import Broker, Entry
from tests.simulation.clients import Network
from tests.simulation.group import Group
from tests.simulation.loop import SimulatedLoop, Standstill
from tests.simulation.process import APP, LIFE, OUT, SWEEPS, SWEPT, Process, fakes

PATIENCE_S = 120.0
STUCK_S = 20.0
"""A worker that waits for a broker gives up before, whatever the plan; one that still waits then has lost a task."""
OUT_PARTITIONS = 3
CHANGELOG = changelog_topic(APP, "counts")


class Violated(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in a run, as far as it is not drawn from the seed on the way.

    Attributes:
        faults_s: For how long things go wrong.
        kill_at_step: Kill the first worker after so many steps of the loop; None leaves it to the seed.
    """

    seed: int
    workers: int
    partitions: int
    inputs: tuple[str, ...]
    records: int
    load_s: float
    faults_s: float
    worth_a_request: int
    settings: dict[str, Any]
    kill_at_step: int | None = None


def plan_of(seed: int) -> Plan:
    """The plan that a seed stands for."""
    rng = random.Random(f"plan {seed}")
    return Plan(
        seed=seed,
        workers=rng.randint(1, 3),
        partitions=rng.randint(1, 3),
        inputs=("one", "two")[: rng.randint(1, 2)],
        records=rng.randint(20, 80),
        load_s=rng.uniform(1.0, 5.0),
        faults_s=rng.uniform(2.0, 7.0),
        worth_a_request=rng.choice((0, 300, 5000)),
        settings={
            "commit_interval_s": rng.choice((0.02, 0.1, 0.3)),
            "broker_timeout_s": rng.choice((1.5, 4.0)),
            "max_poll_records": rng.choice((1, 4, 20)),
            "sweep_interval_s": rng.choice((0.3, 2.0)),
        },
    )


def small_plan(kill_at_step: int | None = None) -> Plan:
    """Two workers, a handful of records, no fault but one kill: small enough to kill at every step."""
    plan = plan_of(1)
    return dataclasses.replace(
        plan, workers=2, partitions=2, inputs=("one",), records=10, load_s=0.8, faults_s=0.0, worth_a_request=0,
        settings={**plan.settings, "commit_interval_s": 0.1, "max_poll_records": 4, "sweep_interval_s": 0.6},
        kill_at_step=kill_at_step,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a run says about itself."""

    steps: int
    kills: int
    failures: int
    stalls: int
    rebalances: int
    records: int
    compacted: int
    trace: str


class World:
    """Everything that one run needs."""

    def __init__(self, plan: Plan, state_dir: Path | None = None) -> None:
        self.plan = plan
        self._state_dir = state_dir
        self.rng = random.Random(plan.seed)
        self.loop = SimulatedLoop()
        self.broker = Broker(self.loop, self.rng, timeout_s=3.0)
        for topic in (*plan.inputs, CHANGELOG):
            self.broker.make(topic, plan.partitions)
        self.broker.make(OUT, OUT_PARTITIONS)
        self.broker.make(SWEEPS, 1)
        self.processes: list[Process] = []
        self.kills = self.failures = self.stalls = 0
        self._healed = plan.faults_s == 0
        self._fatal_step = plan.kill_at_step or 0
        self._victim = 0

    def run(self) -> Told:
        """Run to the end and judge.

        Raises:
            Violated: an invariant does not hold; the text names it and the seed.
        """
        asyncio.set_event_loop(self.loop)
        gc.disable()  # a run is short, and looking through it costs half of its time
        self.loop.after_step = self._after_step
        try:
            with fakes(self.loop, self.plan.worth_a_request):
                try:
                    self.loop.run_until_complete(self._run())
                finally:
                    self._end_all()
        except Standstill as standstill:
            raise self._violated(f"standstill: {standstill}") from standstill
        finally:
            gc.enable()
            asyncio.set_event_loop(None)
            self.loop.close()
        trace = repr(
            [(one.topic, one.offset, one.key, one.value) for log in self.broker.logs.values() for one in log]
        )
        return Told(
            self.loop.steps,
            self.kills,
            self.failures,
            self.stalls,
            self.group.generation,
            self.plan.records,
            self.broker.compacted,
            trace,
        )

    def _end_all(self) -> None:
        for process in self.processes:
            process.end()
        rest = asyncio.all_tasks(self.loop)
        for task in rest:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))

    async def _run(self) -> None:
        plan = self.plan
        self.group = Group(range(plan.partitions), plan.inputs)
        background = [
            asyncio.ensure_future(part)
            for part in (
                self.group.run(),
                self._settle_old_transactions(),
                self._compact(),
                self._go_wrong(),
                self._look_whether_all_get_on(),
                *(self._keep_running(number) for number in range(plan.workers)),
            )
        ]
        await self._load()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self._healed and self._done()):
                    for part in background:
                        if part.done():
                            part.result()
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise self._violated(f"liveness: not done within {PATIENCE_S:g} simulated seconds") from error
        self._judge()

    # What happens

    async def _load(self) -> None:
        plan = self.plan
        for number in range(plan.records):
            await asyncio.sleep(self.rng.expovariate(plan.records / plan.load_s))
            key = self.rng.randrange(4)
            tp = TopicPartition(self.rng.choice(plan.inputs), key % plan.partitions)
            if self.rng.random() < 0.1:
                self.broker.append(tp, None, None, control=True)
            self.broker.append(tp, b"key-%d" % key, b"%d" % number)

    async def _settle_old_transactions(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self.broker.abort_the_old()

    async def _compact(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.2, 1.0))
            self.broker.compact(CHANGELOG)

    async def _keep_running(self, number: int) -> None:
        while True:
            network = Network(self.loop, self.broker, self.rng, faults=not self._healed)
            settings = self.plan.settings
            if self._state_dir is not None:
                settings = {**settings, "state_dir": self._state_dir / str(number)}
            process = Process(network, self.plan.inputs, settings)
            self.processes.append(process)
            over = asyncio.Event()
            process.spawn(self._live(process, over))
            while process.running and not over.is_set():  # noqa: ASYNC110 a kill wakes nobody
                await asyncio.sleep(0.05)
            if process.running:
                self.failures += not process.told_to_stop
                self.group.leave(process)
                process.end()
            await asyncio.sleep(self.rng.random() * 0.5)

    async def _live(self, process: Process, over: asyncio.Event) -> None:
        try:
            await process.run(lambda: self.group.join(process))
        except BaseException:  # whatever it ends with, it is started again
            if not process.running:
                raise
        over.set()

    async def _look_whether_all_get_on(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for process in self.processes:
                if process.running and process.app is not None and not process.told_to_stop:
                    idle = process.look()
                    self._must(not idle.stuck(STUCK_S), f"a worker is stuck: {idle.due}")

    async def _go_wrong(self) -> None:
        while not self._healed and self.loop.time() < self.plan.faults_s:
            await asyncio.sleep(self.rng.expovariate(1.5))
            running = [process for process in self.processes if process.running]
            if running:
                self.rng.choice((self._kill_soon, self._kill_soon, self._stall, self._stall_all, self._stop))(
                    running
                )
        self._healed = True
        for process in self.processes:
            process.network.faults = False

    def _kill_soon(self, running: list[Process]) -> None:
        self._victim = self.processes.index(self.rng.choice(running))
        self._fatal_step = self.loop.steps + self.rng.randint(1, 300)

    def _stall(self, running: list[Process]) -> None:
        self._hold(self.rng.choice(running), self.rng.uniform(0.1, 5.0))

    def _stall_all(self, running: list[Process]) -> None:
        length_s = self.rng.uniform(0.1, 5.0)
        for process in running:
            self._hold(process, length_s)

    def _hold(self, process: Process, length_s: float) -> None:
        now = self.loop.time()
        process.network.stalled_since = now
        process.network.stalled_until = now + length_s
        self.stalls += 1

    def _stop(self, running: list[Process]) -> None:
        self.rng.choice(running).told_to_stop = True

    def _after_step(self, steps: int) -> None:
        if steps == self._fatal_step and self._victim < len(self.processes):
            process = self.processes[self._victim]
            self.kills += process.running
            process.end()

    # What must be true

    def _done(self) -> bool:
        broker = self.broker
        settled = all(producer.ending is None for producer in broker.producers.values())
        ends = {tp: len(log) for tp, log in broker.logs.items() if tp.topic in self.plan.inputs and log}
        return settled and all(
            tp in broker.committed and broker.committed[tp].offset == end for tp, end in ends.items()
        )

    def _judge(self) -> None:
        counts = self._inputs_by_key()
        self._judge_outputs(counts)
        self._judge_tables(counts)
        self._judge_offsets()
        numbers: dict[bytes | None, list[int]] = defaultdict(list)
        for entry in self._readable(SWEEPS):
            numbers[entry.key].append(int(entry.value or b""))
        for key, found in numbers.items():
            self._must(
                found == list(range(1, len(found) + 1)), f"sweeps of partition {key!r} are numbered {found}"
            )

    def _inputs_by_key(self) -> Counter[bytes]:
        return Counter(
            one.key
            for tp, log in self.broker.logs.items()
            if tp.topic in self.plan.inputs
            for one in log
            if one.key
        )

    def _judge_outputs(self, counts: Counter[bytes]) -> None:
        seen: Counter[bytes] = Counter()
        numbers: dict[bytes, list[int]] = defaultdict(list)
        for entry in self._readable(OUT):
            seen[entry.headers[0][1]] += 1
            numbers[entry.key or b""].append(int(entry.value or b""))
        origins = {
            f"{one.topic}/{one.partition}/{one.offset}".encode()
            for tp, log in self.broker.logs.items() if tp.topic in self.plan.inputs
            for one in log if one.key
        }  # fmt: skip
        lost = sorted(origins - seen.keys())
        doubled = sorted(origin for origin, times in seen.items() if times > 1)
        self._must(not lost, f"lost: {lost}")
        self._must(not doubled, f"doubled: {doubled}")
        for key, total in counts.items():
            lives = [number % LIFE + 1 for number in range(total)]
            self._must(numbers[key] == lives, f"{key!r} is numbered {numbers[key]}")

    def _judge_tables(self, counts: Counter[bytes]) -> None:
        folded = self._folded()
        model = {key: b"%d" % (total % LIFE) for key, total in counts.items() if total % LIFE}
        told = {key: value for items in folded.values() for key, value in items.items() if key != SWEPT}
        self._must(told == model, f"the changelog says {told}, the model {model}")
        self._judge_held(folded)

    def _folded(self) -> Mapping[int, dict[bytes, bytes]]:
        folded: dict[int, dict[bytes, bytes]] = defaultdict(dict)
        for entry in self._readable(CHANGELOG):
            if entry.value is None:
                folded[entry.partition].pop(entry.key or b"", None)
            else:
                folded[entry.partition][entry.key or b""] = entry.value
        return folded

    def _judge_held(self, folded: Mapping[int, dict[bytes, bytes]]) -> None:
        for process in self.processes:
            app = process.app
            if (
                app is not None
                and process.running
                and process in self.group.members
                and app.admission.is_open
            ):
                for partition, state in app.chunk_tables[0].held.items():
                    live = {key: value for key, value in state.items.items() if key != SWEPT}
                    logged = {key: value for key, value in folded[partition].items() if key != SWEPT}
                    self._must(live == logged, f"partition {partition} holds {live}, its changelog {logged}")

    def _judge_offsets(self) -> None:
        highest: dict[TopicPartition, int] = {}
        for tp, offset in self.broker.commits:
            self._must(
                offset >= highest.get(tp, 0), f"{tp}: offset {offset} committed after {highest.get(tp)}"
            )
            highest[tp] = offset

    def _readable(self, topic: str) -> list[Entry]:
        return [
            entry
            for tp, log in self.broker.logs.items() if tp.topic == topic
            for entry in self.broker.fetch(tp, 0, len(log))[0]
        ]  # fmt: skip

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise self._violated(otherwise)

    def _violated(self, what: str) -> Violated:
        return Violated(
            f"{what}\nseed {self.plan.seed}, {self.kills} kills; to see it again: "
            f"SIGNAALWISSEL_SEED={self.plan.seed} .venv/bin/pytest tests/simulation"
        )


def simulate(plan: Plan, state_dir: Path | None = None) -> Told:
    """Run one plan, with tables in memory, or on disk in a folder for each worker that outlives its kills."""
    return World(plan, state_dir).run()
