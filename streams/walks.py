"""Walks: once round the keys of a partition for every rotation that is not finished there, a slice at a time (ADR 8).

In: the partition's table of rotations. Out: what the work at each key emits; at the end of the round the rotations are
finished, in the same transaction as its last slice. Where a round is stands in memory alone: after a restart it begins
anew, and what is done already costs one look.
"""

from collections.abc import Callable, Iterable, Mapping

from signaalwissel.processors import rotation
from signaalwissel.processors.emissions import Emission
from signaalwissel.schemas.rotation import MatchRotation
from signaalwissel.streams.slices import Slices
from signaalwissel.streams.table import PartitionedTable

SLICE = 500

Work = Callable[[int, bytes, Mapping[str, MatchRotation]], list[Emission]]


class Walk:
    """Works through the keys of partitions.

    Args:
        rotations: How far the rotations are, by municipality.
        keys_of: The keys of a partition as they are now.
        work: What to do at a key of a partition, for the rotations of these municipalities.
    """

    def __init__(
        self, rotations: PartitionedTable, keys_of: Callable[[int], Iterable[bytes]], work: Work
    ) -> None:
        self._rotations = rotations
        self._work = work
        self._slices = Slices(keys_of, SLICE)

    def restart(self, partition: int) -> None:
        """Begin anew: another rotation came, or the partition left this worker."""
        self._slices.forget(partition)

    def advance(self, partition: int) -> list[Emission]:
        """Do a slice of what is left; the partition is bound."""
        entries = self._rotations.items_of(partition)
        unfinished = rotation.unfinished(value for _, value in entries) if entries else {}
        if not unfinished:
            return []
        keys = self._slices.next(partition)
        emissions = [emission for key in keys for emission in self._work(partition, key, unfinished)]
        if len(keys) < SLICE:
            rotation.finish(self._rotations, unfinished.values())
        return emissions
