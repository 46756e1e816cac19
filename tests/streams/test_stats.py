"""Lag is told per assigned partition, and only where both ends are known."""

from __future__ import annotations

from aiokafka import TopicPartition
from signaalwissel.streams.stats import EngineStats


def test_lag_is_the_distance_to_the_end_of_the_committed_log() -> None:
    a, b, c = (TopicPartition("in", number) for number in range(3))
    stats = EngineStats(next_offsets={a: 5, b: 9, c: 3}, end_offsets={a: 12, b: 7})
    assert stats.lag() == {a: 7, b: 0, c: 0}
