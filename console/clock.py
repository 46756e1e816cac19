"""The wall clock of the command line; rules never read it."""

import time

from signaalwissel.schemas.units import Millis

_NANOSECONDS = 1_000_000


def now_ms() -> Millis:
    """Milliseconds since 1970."""
    return time.time_ns() // _NANOSECONDS
