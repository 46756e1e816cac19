"""Tables: changes leave once per chunk, partitions come and go as a whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from signaalwissel.streams.positions import Origin
from signaalwissel.streams.table import PartitionedTable, PartitionState
from signaalwissel.streams.topics import changelog_topic


def change(key: bytes | None, value: bytes | None) -> Any:
    return SimpleNamespace(key=key, value=value)


@pytest.fixture
def table() -> PartitionedTable:
    table = PartitionedTable()
    table.hold(0)
    table.hold(1)
    return table


def test_the_last_write_of_a_key_is_the_change_that_leaves(table: PartitionedTable) -> None:
    with table.bound(0):
        table[b"a"] = b"1"
        table[b"a"] = b"2"
        table[b"b"] = b"1"
        del table[b"b"]
    assert table.take_changes() == {b"a": b"2", b"b": None}
    assert table.take_changes() == {}


def test_a_key_is_looked_up_in_the_bound_partition_only(table: PartitionedTable) -> None:
    with table.bound(0):
        table[b"a"] = b"1"
    with table.bound(1):
        assert table.get(b"a") is None
        assert b"a" not in table
        assert table.get(b"a", b"none") == b"none"
    with table.bound(0):
        assert table[b"a"] == b"1"
        assert list(table) == [b"a"]


def test_a_table_is_not_touched_outside_a_handled_partition(table: PartitionedTable) -> None:
    with pytest.raises(RuntimeError, match="while a partition is being handled"):
        table.get(b"a")
    with pytest.raises(RuntimeError, match="while a partition is being handled"):
        table[b"a"] = b"1"


def test_removing_a_key_that_is_not_there_is_an_error_and_no_change(table: PartitionedTable) -> None:
    with table.bound(0), pytest.raises(KeyError):
        del table[b"a"]
    assert table.take_changes() == {}


def test_a_released_partition_leaves_memory_and_comes_back_empty(table: PartitionedTable) -> None:
    with table.bound(0):
        table[b"a"] = b"1"
    table.hold(0)
    assert table.size_of(0) == 1
    table.release(0)
    assert 0 not in table.held
    assert len(table) == 0
    assert not table.hold(0).items


def test_one_partition_is_iterated_without_the_others(table: PartitionedTable) -> None:
    for partition in (0, 1):
        with table.bound(partition):
            table[b"key-%d" % partition] = b"v"
    assert list(table.items_of(1)) == [(b"key-1", b"v")]


def test_changelog_records_apply_in_log_order_and_a_tombstone_removes() -> None:
    state = PartitionState()
    state.apply([change(b"a", b"1"), change(b"b", b"1"), change(b"a", None), change(None, b"x")], 5)
    assert (state.items, state.next_offset) == ({b"b": b"1"}, 5)


def test_a_state_knows_how_far_its_changelog_went_and_never_goes_back() -> None:
    state = PartitionState()
    state.reached(7)
    state.reached(5)
    assert state.next_offset == 7
    state.apply([change(b"a", b"1")], 8)
    state.restart(Origin("a1", 3))
    assert (state.items, state.next_offset, state.origin) == ({}, 3, Origin("a1", 3))


def test_the_changelog_is_named_after_app_and_table() -> None:
    assert changelog_topic("p.intake", "trajectories") == "p.intake-trajectories-changelog"
