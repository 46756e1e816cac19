"""Whether a fetched chunk may still be handled.

Flows in: revocations and assignments. Flows out: yes or no for one chunk, asked under the partition's lock.

Why not Faust's generation id alone (engine notes B.4): Faust rewinds to the committed offset at a rebalance
while chunks of the old assignment still wait in queues, so a record can enter a transaction twice. The epoch
changes in the same loop that handles chunks, before the group learns that the partitions are free.
"""

from __future__ import annotations

import asyncio

from signaalwissel.streams.chunk import Chunk


class Admission:
    """Open from an assignment to the next revocation; every opening is an epoch of its own.

    Attributes:
        opened: set while open; to wait for, not to change.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self.opened = asyncio.Event()

    @property
    def epoch(self) -> int:
        """Number of the current epoch; chunks carry the one in which they were fetched."""
        return self._epoch

    @property
    def is_open(self) -> bool:
        """True while chunks of the current epoch are handled."""
        return self.opened.is_set()

    def admits(self, chunk: Chunk) -> bool:
        """True for a chunk that was fetched under the current assignment."""
        return self.is_open and chunk.epoch == self._epoch

    def open(self) -> None:
        """Begin to admit chunks of the current epoch."""
        self.opened.set()

    def close(self) -> None:
        """Admit nothing any more: chunks that are under way belong to a past epoch."""
        self.opened.clear()
        self._epoch += 1
