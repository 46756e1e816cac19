"""What takes a database seconds to count: counted beside the page, and shown for a while with its age.

In: a way to count. Out: what was counted and how long ago; None while it is counted for the first time. What is counted
within the page's patience is never shown again: the page of a small municipality is always of this moment.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE_S = 0.4
"""How long a page waits for a count before it shows the one before, or that it is being counted."""
KEPT_S = 60.0
"""For how long a count that took longer is shown before it is counted again."""
OLDEST_S = 900.0
"""What is older is not shown: nobody should act on it."""
_KEYS_MAX = 64
_AT_ONCE = 2


class Counted(NamedTuple, Generic[T]):
    """What was counted, and how long ago that began; 0 where it is of this moment."""

    value: T
    age_s: float


@dataclass
class _Entry(Generic[T]):
    last: Counted[T] | None = None
    began_at: float = float("-inf")
    slow: bool = False
    runs: "Future[Counted[T]] | None" = None


class Kept(Generic[T]):
    """Counts by key, at most one at a time for each and two in all.

    Args:
        patience_s: How long a page waits.
        kept_s: For how long a slow count is shown again.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        patience_s: float = PATIENCE_S,
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kept")

    def look(self, key: Hashable, count: Callable[[], T], *, whole: bool = False) -> Counted[T] | None:
        """What `count` gives, or gave a short while ago; None where it is counted for the first time.

        Args:
            key: What is counted, and for whom: whoever gives the same key sees the same.
            count: Runs in another thread.
            whole: Wait for it however long it takes.

        Raises:
            Whatever `count` raises, once; it is counted again at the next look.
        """
        with self._lock:
            entry = self._entry(key)
            if entry.runs is not None and entry.runs.done():
                done, entry.runs = entry.runs, None
                done.result()
            if entry.runs is None and entry.slow and self._age(entry) < self._kept_s:
                return self._last(entry)
            runs = entry.runs = entry.runs or self._pool.submit(self._count, entry, count)
        wait([runs], None if whole else self._patience_s)
        if not runs.done():
            return self._last(entry)
        with self._lock:
            entry.runs = None if entry.runs is runs else entry.runs
        return runs.result()

    def _entry(self, key: Hashable) -> _Entry[T]:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        while len(self._entries) > _KEYS_MAX:
            self._entries.popitem(last=False)
        return entry

    def _count(self, entry: _Entry[T], count: Callable[[], T]) -> Counted[T]:
        began = self._clock()
        value = count()
        counted = Counted(value, 0.0)
        with self._lock:
            entry.last, entry.began_at = counted, began
            entry.slow = self._clock() - began > self._patience_s
        return counted

    def _age(self, entry: _Entry[T]) -> float:
        return self._clock() - entry.began_at

    def _last(self, entry: _Entry[T]) -> Counted[T] | None:
        age = self._age(entry)
        return None if entry.last is None or age > OLDEST_S else entry.last._replace(age_s=age)
