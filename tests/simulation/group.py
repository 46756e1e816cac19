"""The group of the workers: who is a member, and who reads which partitions.

In: members that come, go, die or fall silent. Out: revocations and assignments. A member that does not answer in time
is put out of the group without being asked: it goes on as a zombie until it hears of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from aiokafka import TopicPartition

from tests.simulation.process import Process

SESSION_S = 1.0
REBALANCE_S = 2.0
LOOK_S = 0.1


class Group:
    """Of one app on one broker."""

    def __init__(self, partitions: Sequence[int], inputs: Sequence[str]) -> None:
        self.members: list[Process] = []
        self.generation = 0
        self._partitions = partitions
        self._inputs = inputs
        self._changed = asyncio.Event()

    def join(self, process: Process) -> None:
        """A process wants partitions."""
        self.members.append(process)
        self._changed.set()

    def leave(self, process: Process) -> None:
        """A process says that it goes."""
        if process in self.members:
            self.members.remove(process)
            self._changed.set()

    async def run(self) -> None:
        """Look after the members for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._put_out_the_silent()
            if self._changed.is_set() and self.members:
                self._changed.clear()
                await self._rebalance()

    def _put_out_the_silent(self) -> None:
        for process in list(self.members):
            network = process.network
            now = network.loop.time()
            silent = process.ended_at is not None and now - process.ended_at > SESSION_S
            stalled = network.stalled_until - now > 0 and now - network.stalled_since > SESSION_S
            if silent or stalled:
                self._put_out(process)

    def _put_out(self, process: Process) -> None:
        self.leave(process)
        process.instructions.put_nowait(partial(self._find_out, process))

    async def _find_out(self, process: Process) -> None:
        await process.network.ask_until_answered(lambda: None, gives_up=False)
        await process.revoke()
        self.join(process)

    async def _rebalance(self) -> None:
        self.generation += 1
        waiting: dict[asyncio.Future[None], Process] = {}
        for process in self.members:
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting[ready] = process
            process.instructions.put_nowait(partial(self._revoked, process, ready))
        _, late = await asyncio.wait(waiting, timeout=REBALANCE_S)
        for ready, process in waiting.items():
            if ready in late and process in self.members:
                self._put_out(process)
        ready_members = [process for ready, process in waiting.items() if ready not in late]
        self._assign([process for process in ready_members if process in self.members])

    async def _revoked(self, process: Process, ready: asyncio.Future[None]) -> None:
        await process.revoke()
        await process.network.ask_until_answered(lambda: None, gives_up=False)
        if not ready.done():
            ready.set_result(None)

    def _assign(self, members: Sequence[Process]) -> None:
        if not members:
            return
        for index, process in enumerate(members):
            mine = [
                number for number in self._partitions if (number + self.generation) % len(members) == index
            ]
            assigned = [TopicPartition(topic, number) for topic in self._inputs for number in mine]
            process.instructions.put_nowait(partial(process.assign, assigned, self.generation))
