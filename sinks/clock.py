"""The clock: deadlines, ladders and calendars of every task, once each, however many sinks run (design 5).

Flows in: tasks and trajectories whose `next_on` has come. Flows out: their next versions, notices and commands in the
database and the outbox. One clock at a time works (advisory lock), in batches under the lock of the tasks; what was
missed while none ran is caught up.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks.clock_batch import ClockBatch
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.settings import SinkSettings
from signaalwissel.sinks.timekeeping import DatabaseTime, Observer, TimeSource, unobserved
from sqlalchemy import Connection

_ROLE = Role("clock", "the clock", lock=7_223_004, idle_s=1.0, stop_bound_s=30.0)
_BUSY_S = 2.0
_REST = 9.0
"""While the sink has much to store the clock rests so many times as long as its last batch took."""


class Clock(ElectedThread):
    """Ticks until it is stopped, then ends after the batch that is under way.

    Args:
        settings: Where the database is, and how much a batch holds.
        policies: The municipalities' policies.
        time_source: Tells which day it is; the database where none is given.
        observer: Is told every step.
    """

    def __init__(
        self,
        settings: SinkSettings,
        policies: Policies,
        time_source: TimeSource | None = None,
        observer: Observer = unobserved,
    ) -> None:
        super().__init__(settings, _ROLE)
        self._observe = observer
        self._batch = ClockBatch(settings, policies, time_source or DatabaseTime(), observer)
        self._busy_until = 0.0

    def make_way(self) -> None:
        """The sink has much to store just now: what waits here may wait a little longer."""
        self._busy_until = time.monotonic() + _BUSY_S

    @contextmanager
    def _working(self) -> Iterator[Work]:
        yield self._work

    def _took_place(self) -> None:
        self._observe("clock.elected")

    def _work(self, connection: Connection) -> float:
        """Handle a batch, where there is one; gives for how long to pause."""
        began = time.monotonic()
        if not self._batch.run(connection):
            return _ROLE.idle_s
        ended = time.monotonic()
        return (ended - began) * _REST if ended < self._busy_until else 0.0
