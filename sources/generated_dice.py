"""Seeded chance for generated data. In: a seed and a purpose. Out: the same choices on every machine."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Every choice that the generated data leaves to chance.

    Each purpose has its own row of numbers, so that more signals do not change the residents. The row is
    seeded with text, which Python digests with SHA-512 and not with the per-process string hash.
    """

    __slots__ = ("_random",)

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = random.Random(f"{seed}/{purpose}").random  # noqa: S311 - test data must be repeatable

    def chance(self, probability: float) -> bool:
        """Return true with the given probability, 0 to 1."""
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely as the next."""
        return options[int(self._random() * len(options))]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """Return one of the options; the weights of `(option, weight)` need not add up to one."""
        roll = self._random() * sum(weight for _, weight in options)
        for option, weight in options:
            roll -= weight
            if roll < 0:
                return option
        return options[-1][0]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in another order (Fisher-Yates)."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = int(self._random() * (last + 1))
            deck[last], deck[other] = deck[other], deck[last]
        return deck
