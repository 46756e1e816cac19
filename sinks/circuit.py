"""A circuit breaker: a service that fails again and again is left alone for a while, then tried once.

Flows in: how each try ended. Flows out: whether another try may be made.
"""

import time
from collections.abc import Callable


class Circuit:
    """Closed it lets everything through, open nothing, half open one try that decides.

    Args:
        failures_max: So many failures in a row open it.
        pause_s: How long it stays open at first; a failed try doubles it.
        pause_s_max: How long at most.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        failures_max: int,
        pause_s: float,
        pause_s_max: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_max = failures_max
        self._first_pause_s = pause_s
        self._pause_s_max = pause_s_max
        self._clock = clock
        self._failures = 0
        self._pause_s = pause_s
        self._open_until: float | None = None

    @property
    def closed(self) -> bool:
        """Whether the last try, or the one before it, did well enough."""
        return self._open_until is None

    @property
    def pause_s(self) -> float:
        """How long nothing may be tried, from now; 0 where a try may be made."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def succeeded(self) -> bool:
        """A try did well; whether that closed the circuit."""
        closed = self._open_until is not None
        self._failures, self._pause_s, self._open_until = 0, self._first_pause_s, None
        return closed

    def failed(self, *, for_good: bool = False, at_least_s: float | None = None) -> bool:
        """A try failed; whether that opened the circuit, or kept it open.

        Args:
            for_good: More tries would fail the same way: open at once.
            at_least_s: How long the service asked to be left alone: open at once, for at least so long.
        """
        self._failures += 1
        half_open = self._open_until is not None
        opens = half_open or for_good or at_least_s is not None or self._failures >= self._failures_max
        if opens:
            if half_open:
                self._pause_s = min(self._pause_s * 2, self._pause_s_max)
            self._open_until = self._clock() + max(self._pause_s, at_least_s or 0.0)
        return opens
