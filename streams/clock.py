"""The wall clock of streams and command line: for `decided_at`, CloudEvents time and ages; it decides nothing."""

import time

from signaalwissel.schemas.units import Millis

_NANOSECONDS = 1_000_000


def now_ms() -> Millis:
    """Milliseconds since 1970."""
    return time.time_ns() // _NANOSECONDS
