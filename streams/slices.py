"""Slices: housekeeping of a large table a little at a time, so that no signal waits for it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Slices(Generic[Key]):
    """Goes round the keys of each partition, a slice per call.

    Args:
        keys_of: The keys of a partition as they are now; asked anew at the start of each round.
        size: How many keys a slice has.
    """

    def __init__(self, keys_of: Callable[[int], Iterable[Key]], size: int) -> None:
        self._keys_of = keys_of
        self._size = size
        self._rounds: dict[int, Iterator[Key]] = {}

    def next(self, partition: int) -> list[Key]:
        """The next keys to look at; some may be gone by now."""
        current = self._rounds.get(partition)
        if current is None:
            current = self._rounds[partition] = iter(list(self._keys_of(partition)))
        found = list(islice(current, self._size))
        if len(found) < self._size:
            del self._rounds[partition]
        return found

    def forget(self, partition: int) -> None:
        """The partition left this worker."""
        self._rounds.pop(partition, None)
