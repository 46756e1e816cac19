"""A thread beside the sink, of which one works however many sinks run: elected by an advisory lock (design 5).

Flows in: a role, and the work of whoever has it. Flows out: the work, session after session; while the database or
another service is away it is waited for, and its place goes to another.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from signaalwissel.sinks.database import database_away, open_engine
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.settings import ServiceAway, SinkSettings
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_ELECT = text("SELECT pg_try_advisory_lock(:lock)")

Work = Callable[[Connection], float]
"""Does a part of what there is to do, on the session that holds the lock; gives for how many seconds to pause."""


class Role(NamedTuple):
    """What tells one kind of thread from the others.

    Attributes:
        name: Of thread and database session.
        who: For log and errors.
        lock: Number of the advisory lock that its elected one holds.
        idle_s: How long to pause where there is nothing to do.
        stop_bound_s: How long `stop` waits.
        silence_s: A session may be silent at least so long; longer where the sink's lease is.
    """

    name: str
    who: str
    lock: int
    idle_s: float
    stop_bound_s: float
    silence_s: float = 0.0


class ElectedThread(threading.Thread, ABC):
    """Works until it is stopped. Of several processes' threads of a role one works, the others wait for its place.

    Attributes:
        failure: Why it ended by itself; the process must end too.
    """

    def __init__(self, settings: SinkSettings, role: Role) -> None:
        super().__init__(name=role.name, daemon=True)
        self.failure: BaseException | None = None
        self._settings = settings
        self._role = role
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after what is under way; the rest waits for the next start, or for another process."""
        self._stopped.set()
        if self.is_alive():
            self.join(self._role.stop_bound_s)

    def run(self) -> None:
        """Work; see the class."""
        try:
            Patience(self._settings.retry_s, self._role.who).keep_trying(self._session, self._stopped)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which ends the process with it
            self.failure = error

    @abstractmethod
    def _working(self) -> AbstractContextManager[Work]:
        """The work, with what it needs for as long as a session lasts."""

    def _took_place(self) -> None:
        """This thread was elected just now."""

    def _pause(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _session(self) -> bool:
        role = self._role
        silence_s = max(self._settings.lease_s, role.silence_s)
        engine = open_engine(
            self._settings.database_url, name=f"signaalwissel-{role.name}", silence_s=silence_s
        )
        progressed = False
        try:
            with self._working() as work, database_away(), engine.connect() as connection:
                while not self._stopped.is_set():
                    self._pause(work(connection) if self._elected(connection) else role.idle_s)
                    progressed = True
        except ServiceAway as away:
            if not progressed:
                raise
            log.warning("%s: %s; starting over", role.who, away)
        return self._stopped.is_set()

    def _elected(self, connection: Connection) -> bool:
        held = bool(connection.info.get("elected"))
        if not held:
            with connection.begin():
                held = bool(connection.execute(_ELECT, {"lock": self._role.lock}).scalar_one())
            connection.info["elected"] = held
            if held:
                log.info("%s of this sink works", self._role.who)
                self._took_place()
        return held
