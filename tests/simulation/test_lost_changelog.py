"""A changelog that is lost between two starts, on the simulated broker: the next worker says so and touches nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from signaalwissel.streams.errors import ChangelogLostError

from tests.simulation.broker import Broker
from tests.simulation.process import OUT, Process
from tests.simulation.world import CHANGELOG, World, small_plan

WHILE_S = 5.0


def made_anew(broker: Broker) -> None:
    keep(broker, 0)
    broker.topic_ids[CHANGELOG] = "another"


def emptied(broker: Broker) -> None:
    broker.empty(CHANGELOG)


def cut_off(broker: Broker) -> None:
    keep(broker, 0)


def keep(broker: Broker, records: int) -> None:
    """Forget all but the first records, and where open transactions began behind them."""
    for tp, log in broker.logs.items():
        if tp.topic == CHANGELOG:
            del log[records:]
    for producer in broker.producers.values():
        for tp, part in producer.parts.items():
            if tp.topic == CHANGELOG:
                part.first = min(part.first, records)


class Interrupted(World):
    """Workers that are stopped, something that happens to the broker meanwhile, and workers that start again."""

    def __init__(
        self, accident: Callable[[Broker], None], inputs: tuple[str, ...], state_dir: Path | None
    ) -> None:
        super().__init__(dataclasses.replace(small_plan(), inputs=inputs, records=0), state_dir)
        self._accident = accident
        self.refused: list[list[BaseException]] = []
        self.numbers: list[list[bytes | None]] = []

    async def _load(self) -> None:
        await self._send(10, self.plan.inputs)
        while not self._done():  # noqa: ASYNC110 the broker tells nobody
            await asyncio.sleep(0.2)
        await self._from_a_new_start()
        await self._from_a_new_start(self._accident, records=10)
        self.plan.settings["accept_loss"] = True
        await self._from_a_new_start()
        self.plan.settings["accept_loss"] = False
        await self._from_a_new_start()

    async def _compact(self) -> None:
        """Not here: a partition of which little is left has nothing that could be cut off."""

    async def _from_a_new_start(
        self, between: Callable[[Broker], None] = lambda _broker: None, records: int = 0
    ) -> None:
        for process in self.processes:
            process.end()
        between(self.broker)
        first = len(self.processes)
        await self._send(records, self.plan.inputs[:1])
        await asyncio.sleep(WHILE_S)
        ended = [failure for process in self.processes[first:] if (failure := _failure(process)) is not None]
        self.refused.append(ended)
        self.numbers.append([entry.value for entry in self._readable(OUT)])

    async def _send(self, records: int, inputs: tuple[str, ...]) -> None:
        for number in range(records):
            await asyncio.sleep(0.05)
            key = number % self.plan.partitions
            for topic in inputs:
                self.broker.append(TopicPartition(topic, key), b"key-%d" % key, b"%d" % number)

    def _judge(self) -> None:
        """What is lost is lost; but tables are what their changelogs say now."""
        self._judge_held(self._folded())


class LostAgain(World):
    """A worker that may accept a loss, a loss while it runs, and another assignment."""

    def __init__(self) -> None:
        plan = small_plan()
        super().__init__(
            dataclasses.replace(plan, workers=1, records=0, settings={**plan.settings, "accept_loss": True})
        )
        self.ended: BaseException | None = None

    async def _load(self) -> None:
        for number in range(10):
            for partition in range(self.plan.partitions):
                self.broker.append(TopicPartition("one", partition), b"key-%d" % partition, b"%d" % number)
        await asyncio.sleep(WHILE_S)
        (worker,) = self.processes
        emptied(self.broker)
        self.group.leave(worker)
        self.group.join(worker)
        await asyncio.sleep(WHILE_S)
        self.ended = _failure(worker)

    def _judge(self) -> None:
        """What is lost is lost."""


def test_a_loss_is_accepted_at_the_first_assignment_alone() -> None:
    world = LostAgain()
    world.run()
    assert isinstance(world.ended, ChangelogLostError)


def _failure(process: Process) -> BaseException | None:
    return process.app.failure if hasattr(process, "app") else None


@pytest.mark.parametrize("accident", [made_anew, emptied, cut_off])
@pytest.mark.parametrize("inputs", [("one",), ("one", "two")], ids=["one input", "an input at rest"])
@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
def test_a_worker_whose_changelog_is_lost_refuses_until_the_loss_is_accepted_and_then_no_more(
    accident: Callable[[Broker], None], inputs: tuple[str, ...], on_disk: bool, tmp_path: Path
) -> None:
    world = Interrupted(accident, inputs, tmp_path if on_disk else None)
    world.run()
    before, refused, accepted, after = world.refused
    assert before == []
    assert refused
    assert {type(failure) for failure in refused} == {ChangelogLostError}
    assert world.numbers[1] == world.numbers[0]
    assert accepted == after == []
    assert len(world.numbers[2]) == len(world.numbers[0]) + 10
