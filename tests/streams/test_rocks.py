"""Tables on disk: what was committed comes back, what was not does not, and the store is never ahead of its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.streams.errors import StateFolderTaken
from signaalwissel.streams.rocks import FRESH_S, RocksState

KEYS = st.sampled_from([b"", b"a", b"b", b"\xff", b"\xff\xff"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.binary(max_size=3)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("commit")),
        st.tuples(st.just("crash")),
    ),
    max_size=30,
)


def change(key: bytes | None, value: bytes | None) -> Any:
    return SimpleNamespace(key=key, value=value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "changelog" / "0"


@pytest.fixture
def state(folder: Path) -> Iterator[RocksState]:
    state = RocksState(folder)
    yield state
    state.close()


def test_what_was_committed_is_there_after_a_restart_with_its_offset(folder: Path) -> None:
    state = RocksState(folder)
    state.items[b"a"] = b"1"
    state.reached(7)
    state.close()
    again = RocksState(folder)
    assert (dict(again.items.items()), again.next_offset) == ({b"a": b"1"}, 7)
    again.close()


def test_what_was_not_committed_is_gone_after_a_restart(folder: Path) -> None:
    state = RocksState(folder)
    state.items[b"a"] = b"1"
    state.reached(7)
    state.items[b"a"] = b"2"
    state.items[b"b"] = b"1"
    state.close()
    again = RocksState(folder)
    assert (dict(again.items.items()), again.next_offset) == ({b"a": b"1"}, 7)
    again.close()


def test_what_is_not_committed_is_read_all_the_same(state: RocksState) -> None:
    state.items[b"a"] = b"1"
    state.reached(1)
    state.items[b"a"] = b"2"
    state.items[b"b"] = b"3"
    assert state.items[b"a"] == b"2"
    assert dict(state.items.items()) == {b"a": b"2", b"b": b"3"}
    del state.items[b"a"]
    assert b"a" not in state.items
    assert list(state.items) == [b"b"]
    assert len(state.items) == 1


def test_removing_a_key_that_is_not_there_is_an_error(state: RocksState) -> None:
    with pytest.raises(KeyError):
        del state.items[b"a"]
    with pytest.raises(KeyError):
        _ = state.items[b"a"]


def test_changelog_records_apply_in_log_order_and_a_tombstone_removes(state: RocksState) -> None:
    state.apply([change(b"a", b"1"), change(b"b", b"1"), change(b"a", None), change(None, b"x")])
    assert dict(state.items.items()) == {b"b": b"1"}


def test_a_store_that_was_left_alone_for_too_long_is_read_anew(folder: Path) -> None:
    state = RocksState(folder)
    state.items[b"a"] = b"1"
    state.reached(7)
    state.close()
    now = folder.stat().st_mtime
    late = RocksState(folder, now_s=now + FRESH_S + 60)
    assert (dict(late.items.items()), late.next_offset) == ({}, 0)
    late.close()


def test_two_workers_cannot_share_a_folder(folder: Path, state: RocksState) -> None:
    with pytest.raises(StateFolderTaken, match="SIGNAALWISSEL_STATE_DIR"):
        RocksState(folder)
    assert state.next_offset == 0


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_a_crash_at_any_moment_leaves_the_last_commit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("rocks") / "0"
    state, committed, now, offset = RocksState(folder), {}, {}, 0
    for step, *arguments in steps:
        if step == "set":
            key, value = arguments
            state.items[key] = now[key] = value
        elif step == "delete" and arguments[0] in now:
            del state.items[arguments[0]], now[arguments[0]]
        elif step == "commit":
            offset += 1
            state.reached(offset)
            committed = dict(now)
        elif step == "crash":
            state.close()
            state, now = RocksState(folder), dict(committed)
        assert dict(state.items.items()) == now
    state.close()
