"""The cold-start gate: some topics wait until the group has read others as far as they went at the start.

Flows in: the group's committed offsets, of all workers. Flows out: permission to read the held topics.

Kafka orders records within a partition only, and Faust adds no order between topics: in 3 of 11 catch-up runs
the stock engine read every record of one topic before the first older one of the other (engine notes, "Event
time, order, race").
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from signaalwissel.streams.cluster import Cluster
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.stats import EngineStats

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""Pause between two looks at the committed offsets."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What waits for what.

    Attributes:
        held_topics: input topics that are not read while the gate is shut.
        until_topics: input topics that the group must first have handled up to their ends at the start.
        timeout_s: the gate opens after this at the latest; that is logged and counted.
    """

    held_topics: frozenset[str]
    until_topics: frozenset[str]
    timeout_s: float


class ColdStart:
    """Watches one gate from the start of the process until it opens; it never shuts again."""

    def __init__(self, gate: Gate | None, cluster: Cluster, stats: EngineStats) -> None:
        self._gate = gate
        self._cluster = cluster
        self._stats = stats
        stats.gate_open = gate is None

    def holds(self, topic: str) -> bool:
        """True while records of `topic` must wait."""
        return self._gate is not None and not self._stats.gate_open and topic in self._gate.held_topics

    async def wait(self, counts: Mapping[str, int]) -> None:
        """Return when the gate has opened; `counts` are the partition counts by topic.

        Raises:
            LayoutError: a topic to wait for does not exist.
        """
        if self._gate is None:
            return
        deadline = time.monotonic() + self._gate.timeout_s
        due = await self._due(counts)
        while due := await self._behind(due):
            if time.monotonic() >= deadline:
                self._stats.gate_timeouts += 1
                log.warning(
                    "the cold-start gate opens after %g s although %d partition(s) are behind, "
                    "%s[%d] for one: decisions may miss older records of these topics",
                    self._gate.timeout_s, len(due), *min(due),
                )  # fmt: skip
                break
            await asyncio.sleep(min(LOOK_S, max(deadline - time.monotonic(), 0.01)))
        self._stats.gate_open = True

    async def _due(self, counts: Mapping[str, int]) -> dict[TopicPartition, int]:
        assert self._gate is not None  # noqa: S101 asked by wait
        if missing := sorted(self._gate.until_topics - counts.keys()):
            raise LayoutError(
                f"the cold-start gate waits for topics that do not exist: {', '.join(missing)}; "
                "make them with `topics apply`"
            )
        partitions = [
            TopicPartition(topic, partition)
            for topic in self._gate.until_topics
            for partition in range(counts[topic])
        ]
        beginnings, ends = await self._cluster.beginnings(partitions), await self._cluster.ends(partitions)
        return {tp: ends[tp] for tp in partitions if ends[tp] > beginnings[tp]}

    async def _behind(self, due: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        if not due:
            return {}
        committed = await self._cluster.committed(due)
        return {tp: end for tp, end in due.items() if tp not in committed or committed[tp].offset < end}
