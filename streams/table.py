"""Tables whose changes leave in the transaction of the chunk that made them.

Flows in: values that a handler sets, and changelog records during recovery. Flows out: per partition the last
value of every changed key, for the changelog partition with the input's number.

Why not the stock table (engine notes B.2, B.6, B.9, B.12): Faust sends every change by itself through a
buffer that a commit does not wait for, so a change can miss the transaction that commits its cause; the
memory store learns a key's partition only in recovery, so keys of revoked partitions stay and are read stale;
and iterating over one partition is not possible. Here each partition is a dictionary of its own, in memory or, where a
folder is set, on disk (`rocks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import faust
from signaalwissel.streams.chunk import Record
from signaalwissel.streams.positions import Origin
from signaalwissel.streams.rocks import RocksState, StateSize
from signaalwissel.streams.topics import changelog_topic


class Items(Protocol):
    """The entries of one partition, as a dictionary has them."""

    def get(self, key: bytes, default: Any = None) -> Any:
        """The value, or `default`."""

    def __getitem__(self, key: bytes) -> bytes: ...
    def __setitem__(self, key: bytes, value: bytes) -> None: ...
    def __delitem__(self, key: bytes) -> None: ...
    def __contains__(self, key: object) -> bool: ...
    def __iter__(self) -> Iterator[bytes]: ...
    def __len__(self) -> int: ...
    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Every entry."""


class TableState(Protocol):
    """One partition of one table: `items`, and how far which changelog has gone into them."""

    @property
    def items(self) -> Items:
        """The entries."""

    @property
    def origin(self) -> Origin | None:
        """The changelog that it is a part of; None before it was read."""

    @property
    def next_offset(self) -> int:
        """Every changelog record before it is part of `items`."""

    @property
    def old(self) -> bool:
        """Whether it was left alone for so long that it must be read anew."""

    def restart(self, origin: Origin) -> None:
        """Forget everything: this changelog is to be read from its beginning."""

    def identified(self, origin: Origin) -> None:
        """The broker tells now which topic it is; it is the same log as before."""

    def apply(self, records: Iterable[Record], next_offset: int) -> None:
        """Apply changelog records in log order; everything before `next_offset` is part of `items` then."""

    def caught_up(self) -> None:
        """It was read to the end of its changelog."""

    def reached(self, next_offset: int) -> None:
        """Everything before `next_offset` is in `items`, and committed."""

    def size(self) -> StateSize:
        """How much it holds; may be asked from another thread."""

    def close(self) -> None:
        """The partition leaves this worker."""


class PartitionState:
    """One partition of one table in memory: `items`, and how far which changelog has gone into them.

    Every changelog record before the offset `next_offset` is part of `items`; with that, the state of a
    partition that stays through a rebalance need not be read again.
    """

    __slots__ = ("items", "next_offset", "origin")
    old = False

    def __init__(self) -> None:
        self.items: dict[bytes, bytes] = {}
        self.next_offset = 0
        self.origin: Origin | None = None

    def restart(self, origin: Origin) -> None:
        """Forget everything: this changelog is to be read from its beginning."""
        self.items.clear()
        self.origin, self.next_offset = origin, origin.beginning

    def identified(self, origin: Origin) -> None:
        """Note which topic the changelog is."""
        self.origin = origin

    def apply(self, records: Iterable[Record], next_offset: int) -> None:
        """Apply changelog records in log order; a record without value removes its key."""
        items = self.items
        for record in records:
            key, value = record.key, record.value
            if key is None:
                continue
            if value is None:
                items.pop(key, None)
            else:
                items[key] = value
        self.next_offset = next_offset

    def caught_up(self) -> None:
        """Do nothing: what is in memory does not grow old unseen."""

    def reached(self, next_offset: int) -> None:
        """Note that everything before `next_offset` is in `items`."""
        self.next_offset = max(self.next_offset, next_offset)

    def size(self) -> StateSize:
        """The number of entries; how much memory they take shows in that of the process."""
        return StateSize(len(self.items), 0)

    def close(self) -> None:
        """Do nothing: memory goes with the last reference."""


class PartitionedTable:
    """A table of bytes by key, one dictionary per held partition.

    Reading and writing by key need a partition that is bound (the engine binds the one that is being handled);
    iterating names its partition. The class needs no Faust, so handlers can be tested with it alone.
    """

    def __init__(self) -> None:
        self._held: dict[int, TableState] = {}
        self._items: Items | None = None
        self._changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, default: Any = None) -> Any:
        """The value of `key` in the bound partition, or `default`."""
        return self._bound_items().get(key, default)

    def __getitem__(self, key: bytes) -> bytes:
        return self._bound_items()[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._bound_items()[key] = value
        self._changes[key] = value

    def __delitem__(self, key: bytes) -> None:
        del self._bound_items()[key]
        self._changes[key] = None

    def __contains__(self, key: object) -> bool:
        return key in self._bound_items()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._bound_items())

    def __len__(self) -> int:
        return sum(len(state.items) for state in self._held.values())

    def items_of(self, partition: int) -> Iterable[tuple[bytes, bytes]]:
        """The entries of one held partition; copy them before changing the table in a loop."""
        return self._held[partition].items.items()

    def keys_of(self, partition: int) -> Iterable[bytes]:
        """The keys of one held partition; from disk its values are not read."""
        return self._held[partition].items

    def size_of(self, partition: int) -> int:
        """Number of entries of one held partition."""
        return len(self._held[partition].items)

    @property
    def held(self) -> Mapping[int, TableState]:
        """The held partitions, by number."""
        return self._held

    def hold(self, partition: int) -> TableState:
        """Take a partition, as far as it is known here; in memory it is empty unless it is held already."""
        state = self._held.get(partition)
        if state is None:
            state = self._held[partition] = self.new_state(partition)
        return state

    def new_state(self, partition: int) -> TableState:
        """The state of a partition that was not held."""
        return PartitionState()

    def release(self, partition: int) -> None:
        """Give a partition up."""
        state = self._held.pop(partition, None)
        if state is not None:
            state.close()

    @contextmanager
    def bound(self, partition: int) -> Iterator[None]:
        """Bind the table to one held partition: inside, keys are read and written there."""
        self._items = self._held[partition].items
        try:
            yield
        finally:
            self._items = None

    def take_changes(self) -> dict[bytes, bytes | None]:
        """The last value of every key changed since the last call; None stands for a removed key."""
        changes, self._changes = self._changes, {}
        return changes

    def _bound_items(self) -> Items:
        if self._items is None:
            raise RuntimeError("a table is read and written by key only while a partition is being handled")
        return self._items


class ChunkTable(PartitionedTable, faust.Table):
    """The Faust table: its name, changelog topic and place in the app are Faust's, its storage is not."""

    mundane_level = "debug"

    def __init__(self, app: faust.App, *, name: str, state_dir: Path | None = None) -> None:
        PartitionedTable.__init__(self)
        faust.Table.__init__(self, app, name=name, key_type=bytes, value_type=bytes)
        self.changelog = changelog_topic(app.conf.id, name)
        self._state_dir = state_dir

    def __hash__(self) -> int:
        return object.__hash__(self)

    def new_state(self, partition: int) -> TableState:
        """A partition in memory, or in its folder on disk."""
        if self._state_dir is None:
            return PartitionState()
        return RocksState(self._state_dir / self.changelog / str(partition))

    async def on_start(self) -> None:
        """Start without declaring the changelog: topics are made by `topics apply`, never by a worker."""

    async def on_rebalance(self, *_args: object, **_kwargs: object) -> None:
        """Leave the partitions to the recovery, which knows what was assigned."""
