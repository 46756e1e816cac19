"""Tables on disk: what was committed comes back, what was not does not, and the store is never ahead of its log."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signaalwissel.streams.errors import StateFolderTaken, StateStoreFailed
from signaalwissel.streams.positions import UNKNOWN_ID, Origin
from signaalwissel.streams.rocks import FRESH_S, RocksState

BEGAN_S = 1_700_000_000.0
ORIGIN = Origin("a1", 3)
KEYS = st.sampled_from([b"", b"a", b"b", b"\xff", b"\xff\xff"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.binary(max_size=3)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("commit")),
        st.tuples(st.just("restart")),
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
    changes = [change(b"a", b"1"), change(b"b", b"1"), change(b"a", None), change(None, b"x")]
    state.apply(changes, 5)
    assert (dict(state.items.items()), state.next_offset) == ({b"b": b"1"}, 5)


@contextmanager
def opened(folder: Path, at_s: float = BEGAN_S) -> Iterator[RocksState]:
    """The store at a moment, for as long as the block lasts."""
    state = RocksState(folder, lambda: at_s)
    try:
        yield state
    finally:
        state.close()


def seen(folder: Path, at_s: float) -> tuple[dict[bytes, bytes], int]:
    with opened(folder, at_s) as state:
        return dict(state.items.items()), state.next_offset


@pytest.mark.parametrize(
    ("later_s", "old"),
    [(0, False), (FRESH_S, False), (FRESH_S + 1, True), (-1, True), (-FRESH_S * 4, True)],
)
def test_a_store_that_is_too_old_or_from_the_future_is_old_until_it_is_begun_anew(
    folder: Path, later_s: float, old: bool
) -> None:
    with opened(folder) as state:
        state.restart(ORIGIN)
        state.items[b"a"] = b"1"
        state.reached(7)
    with opened(folder, BEGAN_S + later_s) as state:
        assert state.old is old
    assert seen(folder, BEGAN_S) == ({b"a": b"1"}, 7)
    with opened(folder, BEGAN_S + later_s) as state:
        state.restart(ORIGIN)
        assert (state.old, state.next_offset, dict(state.items.items())) == (False, 3, {})


def test_a_store_whose_log_was_not_read_to_its_end_grows_old(folder: Path) -> None:
    with opened(folder) as state:
        state.restart(ORIGIN)
        state.reached(7)
    with opened(folder, BEGAN_S + FRESH_S - 10) as state:
        state.apply([change(b"a", b"1")], 8)
    with opened(folder, BEGAN_S + FRESH_S + 10) as state:
        assert state.old


def test_a_store_whose_log_was_read_to_its_end_is_new_again(folder: Path) -> None:
    with opened(folder) as state:
        state.restart(ORIGIN)
        state.reached(7)
    with opened(folder, BEGAN_S + FRESH_S - 10) as state:
        state.apply([change(b"a", b"1")], 8)
        state.caught_up()
    with opened(folder, BEGAN_S + FRESH_S + 10) as state:
        assert not state.old


def test_a_store_knows_after_a_restart_which_log_it_is_a_part_of(folder: Path) -> None:
    with opened(folder) as state:
        assert state.origin is None
        state.restart(ORIGIN)
        assert (state.origin, state.next_offset) == (ORIGIN, 3)
        state.items[b"a"] = b"1"
        state.reached(5)
    with opened(folder) as state:
        assert (state.origin, state.next_offset) == (ORIGIN, 5)
        state.restart(Origin("b2", 0))
        assert dict(state.items.items()) == {}
    with opened(folder) as state:
        assert (state.origin, state.next_offset) == (Origin("b2", 0), 0)
        assert dict(state.items.items()) == {}


@pytest.mark.parametrize("later_s", [0, FRESH_S + 1], ids=["fresh", "old"])
def test_what_a_store_held_of_a_changelog_that_is_lost_is_set_aside_under_a_name_that_is_free(
    folder: Path, later_s: float
) -> None:
    before = folder.with_name("0.lost-1")
    before.mkdir(parents=True)
    with opened(folder) as state:
        state.restart(ORIGIN)
        state.items[b"a"] = b"1"
        state.reached(7)
    with opened(folder, BEGAN_S + later_s) as state:
        state.restart(ORIGIN._replace(losses=1))
        assert dict(state.items.items()) == {}
    assert seen(folder.with_name("0.lost-2"), BEGAN_S) == ({b"a": b"1"}, 7)
    assert list(before.iterdir()) == []


def test_a_store_that_is_merely_old_or_empty_leaves_nothing_behind(folder: Path) -> None:
    with opened(folder) as state:
        state.restart(ORIGIN)
        state.restart(Origin("b2", 0))
        state.items[b"a"] = b"1"
        state.reached(7)
    with opened(folder, BEGAN_S + FRESH_S + 1) as state:
        state.restart(Origin("b2", 0))
    assert sorted(found.name for found in folder.parent.iterdir()) == ["0", "0.lock"]


def test_a_store_is_told_once_which_topic_its_log_is_and_keeps_its_entries(folder: Path) -> None:
    with opened(folder) as state:
        state.restart(Origin(UNKNOWN_ID, 3))
        state.items[b"a"] = b"1"
        state.reached(7)
        state.identified(ORIGIN)
    with opened(folder) as state:
        assert (state.origin, dict(state.items.items())) == (ORIGIN, {b"a": b"1"})


def test_two_workers_cannot_share_a_folder(folder: Path, state: RocksState) -> None:
    with pytest.raises(StateFolderTaken, match="SIGNAALWISSEL_STATE_DIR"):
        RocksState(folder)
    assert state.next_offset == 0


def test_a_store_that_cannot_be_opened_is_told_with_its_folder_and_what_to_do(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "CURRENT").write_text("no manifest\n")
    with pytest.raises(StateStoreFailed, match=r"changelog/0: .* delete this folder"):
        RocksState(folder)


@pytest.mark.parametrize("through", [list, lambda items: list(items.items())], ids=["keys", "entries"])
def test_a_store_that_cannot_be_read_through_is_told_with_its_folder(state: RocksState, through: Any) -> None:
    def broken(**_options: Any) -> None:
        raise Exception("IO error")  # noqa: TRY002 as RocksDB does

    disk, state.items.disk = state.items.disk, SimpleNamespace(keys=broken, items=broken)
    with pytest.raises(StateStoreFailed, match=r"changelog/0: .*read through: IO error"):
        through(state.items)
    state.items.disk = disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB; the test is skipped where none can be mounted."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(state: RocksState) -> None:
    """Commit 200 entries after the other, each with the number of its commit, as long as there is room."""
    for commit in itertools.count(1):
        for entry in range(200):
            state.items[b"%d-%d" % (commit, entry)] = os.urandom(500)
        state.reached(commit)


def test_a_full_disk_is_told_and_with_room_the_store_is_what_it_was_committed_to_be(small_disk: Path) -> None:
    folder = small_disk / "changelog" / "0"
    state = RocksState(folder, lambda: BEGAN_S)
    with pytest.raises(StateStoreFailed, match="Give the disk room"):
        fill(state)
    committed = state.next_offset - 1
    with pytest.raises(StateStoreFailed):
        state.close()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    items, next_offset = seen(folder, BEGAN_S)
    assert next_offset == committed > 1
    assert {int(key.partition(b"-")[0]) for key in items} == set(range(1, next_offset + 1))
    assert len(items) == 200 * next_offset


KILLED = """
import os, pathlib, signal, sys
from signaalwissel.streams.rocks import RocksState
state = RocksState(pathlib.Path(sys.argv[1]))
for commit in range(1, 51):
    for entry in range(200):
        state.items[b"%d" % entry] = b"%d" % commit
    state.reached(commit)
state.items[b"0"] = b"never committed"
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_the_last_commit(folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    state = RocksState(folder)
    assert state.next_offset == 50
    assert dict(state.items.items()) == {b"%d" % entry: b"50" for entry in range(200)}
    state.close()


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_a_restart_at_any_moment_leaves_the_last_commit(
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
        elif step == "restart":
            state.close()
            state, now = RocksState(folder), dict(committed)
        assert dict(state.items.items()) == now
    state.close()
