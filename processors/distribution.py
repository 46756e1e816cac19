"""How large or how long: counts by bounds, as a histogram of a metrics page has them.

In: values. Out: how many were at most as large as each bound. One addition a value, so that it may be told per chunk.
"""

from bisect import bisect_left
from collections.abc import Sequence

SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Bounds for durations, in seconds."""

RECORDS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)
"""Bounds for numbers of records."""


class Distribution:
    """Values that were told so far.

    Args:
        bounds: Rising; what is larger than the last one counts too.

    Attributes:
        total: The sum of the values.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.total = 0.0
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)

    def note(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with the number of values that are not larger; the last one is without bound."""
        names = [*map(str, self._bounds), "+Inf"]
        found, at_most = [], 0
        for name, count in zip(names, tuple(self._counts), strict=True):
            at_most += count
            found.append((name, float(at_most)))
        return found
