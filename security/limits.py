"""How often somebody may ask: a token bucket per key, in bounded memory.

In: a key (a principal, an address) and the time. Out: nothing to wait for, or the seconds to wait.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable


class RateLimit:
    """Lets each key do `per_s` things a second on average, and `burst` at once.

    Args:
        per_s: Refill of a bucket.
        burst: Size of a bucket.
        keys_max: Buckets that are remembered; past it the one that rested longest is forgotten, which is full again
            soonest.
        clock: Seconds, from whenever.
    """

    def __init__(
        self,
        per_s: float,
        burst: float,
        *,
        keys_max: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._keys_max = keys_max
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, key: str, cost: float = 1.0) -> int:
        """Take `cost` from a key's bucket: 0 where it had it, else the whole seconds until it has.

        What costs more than a bucket holds is let through a full one, and leaves a debt.
        """
        now = self._clock()
        level, at = self._buckets.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._per_s)
        wanted = min(cost, self._burst)
        if level >= wanted:
            self._remember(key, level - cost, now)
            return 0
        self._remember(key, level, now)
        return max(1, math.ceil((wanted - level) / self._per_s))

    def _remember(self, key: str, level: float, now: float) -> None:
        self._buckets[key] = (level, now)
        if len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)
