"""The hand-over to Open Klant: tasks out, what was done with them back.

Flows in: tasks as the database has them, and what Open Klant says of them. Flows out: internetaken, and for each one
that was marked as done a task update in the outbox, so that the state machine decides. Nothing that Open Klant does
or fails to do ends the sink.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from signaalwissel.sinks import open_klant_store as store
from signaalwissel.sinks.circuit import Circuit
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.open_klant import OpenKlant
from signaalwissel.sinks.open_klant_completion import complete
from signaalwissel.sinks.open_klant_http import (
    OpenKlantAway,
    OpenKlantFailure,
    OpenKlantForbidden,
    OpenKlantGone,
    OpenKlantRefused,
    Requests,
)
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings
from signaalwissel.sinks.open_klant_step import Step, step
from signaalwissel.sinks.open_klant_store import Due, Handover
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection

log = logging.getLogger(__name__)

_MOST = 100
_LOOK_S = 2.0
_ROLE = Role(
    "open-klant",
    "the hand-over to Open Klant",
    lock=7_223_005,
    idle_s=_LOOK_S,
    # Shorter than who supervises the sink waits. Ended in the middle, the next start finds what was made.
    stop_bound_s=15.0,
    # Longer than the requests about one task may take together.
    silence_s=300.0,
)
_BACKOFF_S = 5.0
_BACKOFF_AWAY_S_MAX = 60.0
_BACKOFF_REFUSED_S_MAX = 3600.0
_DOUBLINGS_MAX = 12


class OpenKlantHandover(ElectedThread):
    """Hands over until it is stopped, then ends after the task that is under way; the rest follows after a start.

    Its `failure` is never one of Open Klant.

    Args:
        settings: Of the sink.
        open_klant: Of the hand-over.
        observe: Told of each named step, for tests that break off there.
    """

    def __init__(
        self,
        settings: SinkSettings,
        open_klant: OpenKlantSettings,
        observe: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(settings, _ROLE._replace(idle_s=min(_LOOK_S, open_klant.poll_s)))
        self._open_klant = open_klant
        self._observe = observe
        self._circuit = Circuit(open_klant.failures_max, open_klant.pause_s, open_klant.pause_max_s)

    @contextmanager
    def _working(self) -> Iterator[Work]:
        with Requests(self._open_klant, self._stopped) as requests:
            api = OpenKlant(requests, self._open_klant)
            yield lambda connection: 0.0 if self._look(connection, api) else self._role.idle_s

    def _look(self, connection: Connection, api: OpenKlant) -> int:
        """Do what is due and may be tried; how many tasks that were."""
        if self._circuit.pause_s > 0:
            return 0
        # Half open, one try decides.
        most = _MOST if self._circuit.closed else 1
        found = store.due(connection, self._open_klant.kinds, most)
        connection.rollback()
        for number, item in enumerate(found, start=1):
            self._one(connection, api, item)
            if self._stopped.is_set() or self._circuit.pause_s > 0:
                return number
        return len(found)

    def _one(self, connection: Connection, api: OpenKlant, item: Due) -> None:
        task, handover = item.task, item.handover
        if handover is None:
            handover = Handover()
            with connection.begin():
                store.intend(connection, task.task_id)
        # No transaction is open while Open Klant is asked: a slow answer must hold nothing up.
        try:
            done = step(api, task, handover)
        except OpenKlantFailure as error:
            self._failed(connection, item, error)
            if isinstance(error, OpenKlantRefused | OpenKlantGone):
                api.forget_actors()
            return
        self._observe("open_klant.answered")
        self._succeeded(connection, item, done)
        self._observe("open_klant.committed")

    def _succeeded(self, connection: Connection, item: Due, done: Step) -> None:
        task = item.task
        # What was found there instead of made may be of an earlier version: it is brought up to date at once.
        look_again_s = 0.0 if done.handover.version < task.version else self._open_klant.poll_s
        with connection.begin():
            if done.completed is not None:
                complete(connection, task, done, self._settings)
                log.info("open klant: task %s was marked as done there", task.task_id)
            store.succeeded(connection, task.task_id, done.handover, look_again_s)
        if self._circuit.succeeded():
            log.info("open klant answers again; the hand-over goes on")

    def _failed(self, connection: Connection, item: Due, error: OpenKlantFailure) -> None:
        handover = item.handover or Handover()
        alive = isinstance(error, OpenKlantRefused | OpenKlantGone)
        if isinstance(error, OpenKlantGone):
            # Deleted there while the task goes on: made again.
            handover = handover.forgotten()
        if alive:
            self._circuit.succeeded()
        else:
            self._count(error)
        most_s = _BACKOFF_REFUSED_S_MAX if alive else _BACKOFF_AWAY_S_MAX
        pause_s = min(_BACKOFF_S * 2 ** min(handover.attempts, _DOUBLINGS_MAX), most_s)
        log.warning("open klant: task %s waits for %g s: %s", item.task.task_id, pause_s, error)
        with connection.begin():
            store.failed(connection, item.task.task_id, handover, str(error), pause_s)

    def _count(self, error: OpenKlantFailure) -> None:
        opened = self._circuit.failed(
            for_good=isinstance(error, OpenKlantForbidden),
            at_least_s=error.retry_after_s if isinstance(error, OpenKlantAway) else None,
        )
        if opened:
            log.error(
                "open klant is left alone for %.0f s: %s; tasks and deadlines go on without it",
                self._circuit.pause_s,
                error,
            )
