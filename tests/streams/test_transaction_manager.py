"""Which partitions of an assignment get a transaction."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from faust.types import TP
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.transaction_manager import ChunkTransactions, _whole_partitions


class StoppingApp:
    """An app that is told to stop while a rebalance reads the layout."""

    inputs = ("in",)
    chunk_tables: tuple[Any, ...] = ()
    should_stop = False

    async def read_layout(self) -> None:
        self.should_stop = True


def test_a_rebalance_that_a_stop_overtakes_opens_no_producer() -> None:
    transactions = ChunkTransactions.__new__(ChunkTransactions)
    transactions.app = cast("Any", StoppingApp())
    transactions._by_partition = {}
    assigned = {TP("in", 0)}
    asyncio.run(transactions.on_rebalance(assigned, set(), assigned))
    assert transactions.partitions == []


def test_one_transaction_serves_the_partition_of_all_inputs() -> None:
    assigned = [TP("in", 2), TP("more", 2), TP("more", 0), TP("in", 0), TP("app-log", 7)]
    assert _whole_partitions(assigned, ["in", "more"]) == [0, 2]


def test_a_partition_number_that_is_split_over_workers_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"partition 1 of \['in'\], but not of \['more'\]"):
        _whole_partitions([TP("in", 0), TP("more", 0), TP("in", 1)], ["in", "more"])
