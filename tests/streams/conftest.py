"""Fixtures of the engine's tests, on top of `kafka_bootstrap` and `topic_prefix`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.streams.engine_support import Bench, Worker


@pytest.fixture
def bench(kafka_bootstrap: str, topic_prefix: str) -> Bench:
    """One input topic and its surroundings, made on the test's own prefix."""
    bench = Bench(kafka_bootstrap, topic_prefix)
    bench.make_topics()
    return bench


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Worker]]:
    """Start workers that end with the test."""
    workers: list[Worker] = []

    def start(plan: dict[str, Any]) -> Worker:
        workers.append(Worker(plan, tmp_path))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
