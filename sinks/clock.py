"""The clock: deadlines, ladders and calendars of every task, once each, however many sinks run (design 5).

Flows in: tasks and trajectories whose `next_on` has come. Flows out: their next versions, notices and commands in the
database and the outbox. One clock at a time works (advisory lock), in batches under the lock of the tasks; what was
missed while none ran is caught up.
"""

import logging
import threading
import time

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks.clock_batch import ClockBatch
from signaalwissel.sinks.database import database_away, open_engine
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.settings import ServiceAway, SinkSettings
from signaalwissel.sinks.timekeeping import DatabaseTime, Observer, TimeSource, unobserved
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_CLOCK_LOCK = 7_223_004
_ELECT = text("SELECT pg_try_advisory_lock(:lock)")
_IDLE_S = 1.0
_STOP_BOUND_S = 30.0
_BUSY_S = 2.0
_REST = 9.0
"""While the sink has much to store the clock rests so many times as long as its last batch took."""


class Clock(threading.Thread):
    """Ticks until it is stopped. Of several processes' clocks one works, the others wait for its place.

    Args:
        settings: Where the database is, and how much a batch holds.
        policies: The municipalities' policies.
        time_source: Tells which day it is; the database where none is given.
        observer: Is told every step.

    Attributes:
        failure: Why it ended by itself; the process must end too.
    """

    def __init__(
        self,
        settings: SinkSettings,
        policies: Policies,
        time_source: TimeSource | None = None,
        observer: Observer = unobserved,
    ) -> None:
        super().__init__(name="clock", daemon=True)
        self.failure: BaseException | None = None
        self._settings = settings
        self._observe = observer
        self._batch = ClockBatch(settings, policies, time_source or DatabaseTime(), observer)
        self._stopped = threading.Event()
        self._busy_until = 0.0

    def make_way(self) -> None:
        """The sink has much to store just now: what waits here may wait a little longer."""
        self._busy_until = time.monotonic() + _BUSY_S

    def stop(self) -> None:
        """End after the batch that is under way."""
        self._stopped.set()
        if self.is_alive():
            self.join(_STOP_BOUND_S)

    def run(self) -> None:
        """Tick; see the class."""
        try:
            Patience(self._settings.retry_s, "the clock").keep_trying(self._session, self._stopped)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which ends the process with it
            self.failure = error

    def _session(self) -> bool:
        engine = open_engine(
            self._settings.database_url, name="signaalwissel-clock", silence_s=self._settings.lease_s
        )
        progressed = False
        try:
            with database_away(), engine.connect() as connection:
                while not self._stopped.is_set():
                    self._stopped.wait(self._work(connection))
                    progressed = True
        except ServiceAway as away:
            if not progressed:
                raise
            log.warning("clock: %s; starting over", away)
        return self._stopped.is_set()

    def _work(self, connection: Connection) -> float:
        """Handle a batch, where there is one; gives for how long to pause."""
        began = time.monotonic()
        if not self._elected(connection) or not self._batch.run(connection):
            return _IDLE_S
        ended = time.monotonic()
        return (ended - began) * _REST if ended < self._busy_until else 0.0

    def _elected(self, connection: Connection) -> bool:
        held = bool(connection.info.get("clock"))
        if not held:
            with connection.begin():
                held = bool(connection.execute(_ELECT, {"lock": _CLOCK_LOCK}).scalar_one())
            connection.info["clock"] = held
            if held:
                log.info("the clock of this sink works")
                self._observe("clock.elected")
        return held
