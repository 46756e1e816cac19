"""Secrets that a process keeps for a while: asked for often, and looked at again before long.

In: a secret and its name. Out: the same, until its time is over; then it is gone from memory as well.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Remembered(Generic[Kept]):
    """Keeps each thing for a bounded time.

    Args:
        kept_s: How long, in seconds.
        clock: Seconds, from whenever.
    """

    def __init__(self, kept_s: float, clock: Callable[[], float]) -> None:
        self._kept_s = kept_s
        self._clock = clock
        self._until: dict[Hashable, tuple[Kept, float]] = {}

    def get(self, name: Hashable) -> Kept | None:
        """What is kept under a name, None when nothing is or its time is over."""
        found = self._until.get(name)
        return found[0] if found is not None and self._clock() < found[1] else None

    def keep(self, name: Hashable, thing: Kept, since: float) -> Kept:
        """Keep a thing, and drop everything whose time is over.

        Args:
            name: What it is asked for by.
            thing: What to keep.
            since: When it was asked for at its source: from then on it ages.
        """
        now = self._clock()
        for old in [other for other, (_, until) in self._until.items() if until <= now]:
            del self._until[old]
        self._until[name] = thing, since + self._kept_s
        return thing

    def drop(self, name: Hashable) -> None:
        """Forget what is kept under a name."""
        self._until.pop(name, None)
