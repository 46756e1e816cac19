"""Partitions of tables on disk: RocksDB behind the same face as a dictionary (`SIGNAALWISSEL_STATE_STORE=rocksdb`).

Flows in: values that a handler sets, the offset of the changelog up to which a commit brought them. Flows out: the
same entries after a restart, without the changelog being read anew.

Why not Faust's own RocksDB store (engine notes B.6): it writes before the commit, so a crash leaves entries that no
transaction holds, and under `exactly_once` it never stores how far it is. Here what is uncommitted stays in memory;
once Kafka has committed, entries and offset go to disk in one write. A crash in between leaves the store a little
behind its changelog, never ahead of it, and the rest is read again.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TextIO

from rocksdict import BlockBasedOptions, DbClosedError, Options, Rdict, ReadOptions, WriteBatch
from signaalwissel.processors.topic_settings import TOMBSTONES_KEPT_S
from signaalwissel.streams.chunk import Record
from signaalwissel.streams.errors import StateFolderTaken, StateStoreFailed
from signaalwissel.streams.positions import Origin, read_origin

log = logging.getLogger(__name__)

FRESH_S = TOMBSTONES_KEPT_S / 2
"""A store that was left alone for longer is read anew: the changelog forgets what was removed after a day, and a store
that missed a removal would keep the entry for ever."""

_ENTRY = b"e"
_PAST_ENTRIES = b"f"
_NEXT_OFFSET = b"n"
_ORIGIN = b"o"
_WRITTEN_AT = b"w"
_NUMBER_SIZE = 8
_READ_AHEAD = 4 << 20
_BLOOM_BITS = 10
_MEMTABLE_BLOOM = 0.02


class StateSize(NamedTuple):
    """How much a partition of a table holds; on disk both are RocksDB's estimates."""

    entries: int
    disk_bytes: int


class RocksItems:
    """The entries of one partition: those on disk, under what was changed since the last commit.

    What fails while all of them are read is told as a failure of the store. A read of one key is not looked after: it is
    what each record waits for.
    """

    def __init__(self, disk: Rdict, failing: _Disk) -> None:
        self.disk: Any = disk  # typed for keys of five kinds; in raw mode there are bytes alone
        self._failing = failing
        self.changes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, default: bytes | None = None) -> bytes | None:
        """The value of `key`, or `default`."""
        if key in self.changes:
            value = self.changes[key]
            return default if value is None else value
        found: bytes | None = self.disk.get(_ENTRY + key)
        return default if found is None else found

    def __getitem__(self, key: bytes) -> bytes:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.changes[key] = value

    def __delitem__(self, key: bytes) -> None:
        if self.get(key) is None:
            raise KeyError(key)
        self.changes[key] = None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None

    def __iter__(self) -> Iterator[bytes]:
        changes = dict(self.changes)
        with self._failing:
            for stored in self.disk.keys(from_key=_ENTRY, read_opt=_all_entries()):
                if (key := stored[len(_ENTRY) :]) not in changes:
                    yield key
        yield from (key for key, value in changes.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every entry; those on disk as they are now, whatever changes meanwhile."""
        changes = dict(self.changes)
        with self._failing:
            for stored, value in self.disk.items(from_key=_ENTRY, read_opt=_all_entries()):
                if (key := stored[len(_ENTRY) :]) not in changes:
                    yield key, value
        yield from ((key, value) for key, value in changes.items() if value is not None)


class _Disk:
    """What fails inside is told as a failure of the store: RocksDB raises `Exception` itself for a full disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None and (kind is Exception or isinstance(error, OSError)):
            raise StateStoreFailed(self._folder, error) from error


class RocksState:
    """One partition of one table on disk; the counterpart of `table.PartitionState`.

    Args:
        folder: Where it lies; nobody else may have it open.
        clock: Seconds since 1970: how old the store is.

    Attributes:
        old: Whether it was left alone for so long, or its clock is so odd, that it must be read anew. What it holds stays
            until `restart`: where the changelog is lost, it may be the last copy.

    Raises:
        StateFolderTaken: Another process has it.
        StateStoreFailed: The disk is full or broken; every method that writes, or reads all entries, raises it too.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._disk = _Disk(folder)
        with self._disk:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
            self._open()
            # A clock that was put back tells nothing about the age.
            self.old = not 0 <= clock() - _number(self.items.disk.get(_WRITTEN_AT)) <= FRESH_S

    def _open(self) -> None:
        self.items = RocksItems(Rdict(str(self._folder), _options()), self._disk)
        self.next_offset = _number(self.items.disk.get(_NEXT_OFFSET))
        origin = self.items.disk.get(_ORIGIN)
        self.origin = None if origin is None else read_origin(origin.decode())

    def _empty(self) -> None:
        self.items.disk.close()
        Rdict.destroy(str(self._folder), _options())
        self._open()

    def _set_aside(self, losses: int) -> None:
        """Keep what lies here beside the folder, under a name that is free, and begin anew."""
        self.items.disk.close()
        names = (self._folder.with_name(f"{self._folder.name}.lost-{n}") for n in itertools.count(losses))
        aside = next(name for name in names if not name.exists())
        self._folder.rename(aside)
        log.warning("%s is of a changelog that is not there any more; it is kept as %s", self._folder, aside)
        self._open()

    def _is_of_another_log(self, origin: Origin) -> bool:
        """Whether it holds something of a changelog that has changed; what is merely old is in the changelog too."""
        if self.origin is None or self.next_offset <= self.origin.beginning:
            return False
        return not (self.old and self.origin.same(origin))

    def restart(self, origin: Origin) -> None:
        """Begin empty: this changelog is to be read from its beginning. What it was of another one is set aside."""
        with self._disk:
            if self._is_of_another_log(origin):
                self._set_aside(origin.losses)
            elif self.next_offset or self.origin is not None:
                self._empty()
        self.next_offset, self.old = origin.beginning, False
        self._write(self._identity(origin))

    def identified(self, origin: Origin) -> None:
        """Note which topic the changelog is; how old the store is stays."""
        batch = self._identity(origin)
        with self._disk:
            self.items.disk.write(batch)

    def _identity(self, origin: Origin) -> WriteBatch:
        self.origin = origin
        batch = WriteBatch(raw_mode=True)
        batch.put(_ORIGIN, origin.text().encode())
        return batch

    def apply(self, records: Iterable[Record], next_offset: int) -> None:
        """Apply changelog records in log order; a record without value removes its key.

        How old the store is stays: until all is read, removals that it misses may be on their way out of the log.
        """
        batch = WriteBatch(raw_mode=True)
        for record in records:
            if record.key is None:
                continue
            if record.value is None:
                batch.delete(_ENTRY + record.key)
            else:
                batch.put(_ENTRY + record.key, record.value)
        self.next_offset = next_offset
        batch.put(_NEXT_OFFSET, _bytes(next_offset))
        with self._disk:
            self.items.disk.write(batch)

    def caught_up(self) -> None:
        """Note that it was read to the end of its changelog: no removal is missing."""
        self._write(WriteBatch(raw_mode=True))

    def reached(self, next_offset: int) -> None:
        """Note that everything before `next_offset` is in `items`, and keep on disk what was committed."""
        self.next_offset = max(self.next_offset, next_offset)
        batch = WriteBatch(raw_mode=True)
        for key, value in self.items.changes.items():
            if value is None:
                batch.delete(_ENTRY + key)
            else:
                batch.put(_ENTRY + key, value)
        self._write(batch)
        self.items.changes.clear()

    def _write(self, batch: WriteBatch) -> None:
        """Write what makes the store as new as its log is now."""
        batch.put(_NEXT_OFFSET, _bytes(self.next_offset))
        batch.put(_WRITTEN_AT, _bytes(int(self._clock())))
        with self._disk:
            self.items.disk.write(batch)

    def size(self) -> StateSize:
        """RocksDB's estimates: counting would read all of it."""
        disk = self.items.disk
        try:
            entries = disk.property_int_value("rocksdb.estimate-num-keys") or 0
            return StateSize(entries, disk.property_int_value("rocksdb.total-sst-files-size") or 0)
        except DbClosedError:
            # Asked from another thread, while the partition leaves.
            return StateSize(0, 0)

    def close(self) -> None:
        """Give the folder back; what is not committed is forgotten."""
        try:
            with self._disk:
                self.items.disk.close()
        finally:
            self._lock.close()


def _locked(folder: Path) -> TextIO:
    # RocksDB has a lock of its own, but no error for it that can be told from others.
    lock = folder.with_name(f"{folder.name}.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StateFolderTaken(folder) from error
    return lock


def _number(data: bytes | None) -> int:
    return 0 if data is None else int.from_bytes(data, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER_SIZE, "big")


def _options() -> Options:
    """For single reads, of which most find nothing: a signal is new nearly always, and few residents are known.

    Without Bloom filters such a read costs 12 us instead of 0.7, and one that finds something 9 instead of 4.
    """
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(_BLOOM_BITS, block_based=False)
    options.set_block_based_table_factory(blocks)
    options.set_memtable_prefix_bloom_ratio(_MEMTABLE_BLOOM)
    options.set_memtable_whole_key_filtering(True)
    return options


def _all_entries() -> ReadOptions:
    """For one pass over all entries, which no later read is like: large reads, and nothing pushed out of the cache."""
    options = ReadOptions()
    options.set_iterate_upper_bound(_PAST_ENTRIES)
    options.set_readahead_size(_READ_AHEAD)
    options.fill_cache(False)  # type: ignore[call-arg]  # its stub forgets the argument
    return options
