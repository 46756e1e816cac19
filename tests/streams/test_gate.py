"""The cold-start gate: held topics wait for the group's commits, and no longer than the bound."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.gate import ColdStart, Gate
from signaalwissel.streams.stats import EngineStats

COUNTS = {"signals": 2, "trajectories": 2}


class ScriptedCluster:
    """Answers with the ends of two partitions and one set of commits after the other."""

    def __init__(self, ends: tuple[int, int], commits: list[tuple[int | None, int | None]]) -> None:
        self._ends = ends
        self._commits = commits

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self._ends[tp.partition] for tp in partitions}

    async def committed(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        now = self._commits.pop(0) if len(self._commits) > 1 else self._commits[0]
        return {
            tp: OffsetAndMetadata(offset, "")
            for tp in partitions
            if (offset := now[tp.partition]) is not None
        }


def cold_start(cluster: Any, timeout_s: float = 30.0) -> tuple[ColdStart, EngineStats]:
    stats = EngineStats()
    gate = Gate(frozenset({"signals"}), frozenset({"trajectories"}), timeout_s)
    return ColdStart(gate, cluster, stats), stats


def test_without_a_gate_nothing_is_held() -> None:
    stats = EngineStats()
    start = ColdStart(None, ScriptedCluster((5, 5), [(None, None)]), stats)  # type: ignore[arg-type]
    asyncio.run(start.wait(COUNTS))
    assert not start.holds("signals")
    assert stats.gate_open


def test_only_held_topics_wait_and_only_while_the_gate_is_shut() -> None:
    start, stats = cold_start(ScriptedCluster((5, 5), [(None, 4), (5, 4), (5, 5)]))
    assert start.holds("signals")
    assert not start.holds("trajectories")
    asyncio.run(start.wait(COUNTS))
    assert not start.holds("signals")
    assert (stats.gate_open, stats.gate_timeouts) == (True, 0)


def test_a_topic_to_wait_for_that_is_missing_is_named() -> None:
    start, _stats = cold_start(ScriptedCluster((5, 5), [(None, None)]))
    with pytest.raises(LayoutError, match="do not exist: trajectories"):
        asyncio.run(start.wait({"signals": 2}))


def test_empty_topics_hold_nobody() -> None:
    start, stats = cold_start(ScriptedCluster((0, 0), [(None, None)]))
    asyncio.run(start.wait(COUNTS))
    assert stats.gate_open


def test_the_bound_opens_the_gate_and_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    start, stats = cold_start(ScriptedCluster((5, 9), [(5, 3)]), timeout_s=0.05)
    with caplog.at_level(logging.WARNING):
        asyncio.run(start.wait(COUNTS))
    assert (stats.gate_open, stats.gate_timeouts) == (True, 1)
    assert "trajectories[1]" in caplog.text
