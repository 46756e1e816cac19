"""Workers and the sink tell the collector of cycles what chunks and batches are like."""

import gc
from collections.abc import Iterator

import pytest
from signaalwissel.streams.collector import YOUNG_OBJECTS, settle


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_what_is_there_is_not_looked_at_and_what_comes_seldom() -> None:
    settle()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] == YOUNG_OBJECTS


@pytest.mark.usefixtures("collector")
def test_a_cycle_that_comes_later_is_still_collected() -> None:
    class Node:
        gone = False

        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            Node.gone = True

    settle()
    Node()
    gc.collect()
    assert Node.gone
