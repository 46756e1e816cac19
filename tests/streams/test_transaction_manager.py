"""Which partitions of an assignment get a transaction."""

from __future__ import annotations

import pytest
from faust.types import TP
from signaalwissel.streams.errors import LayoutError
from signaalwissel.streams.transaction_manager import _whole_partitions


def test_one_transaction_serves_the_partition_of_all_inputs() -> None:
    assigned = [TP("in", 2), TP("more", 2), TP("more", 0), TP("in", 0), TP("app-log", 7)]
    assert _whole_partitions(assigned, ["in", "more"]) == [0, 2]


def test_a_partition_number_that_is_split_over_workers_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"partition 1 of \['in'\], but not of \['more'\]"):
        _whole_partitions([TP("in", 0), TP("more", 0), TP("in", 1)], ["in", "more"])
