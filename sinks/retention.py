"""Retention by itself: a round every few minutes, in one process at a time, however many sinks run (design 7).

Flows in: the database's time. Flows out: what a round destroys. One thread works (advisory lock); when its sink ends or
is killed another takes over, and goes on with what is still over.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.retention_round import Done, RetentionRound, Tools
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection

log = logging.getLogger(__name__)

_PAUSE_S = 600.0
_ROLE = Role("retention", "retention", lock=7_223_006, idle_s=10.0, stop_bound_s=60.0, silence_s=3 * _PAUSE_S)


class Retention(ElectedThread):
    """Destroys what is over until it is stopped, then ends after the batch that is under way.

    Args:
        settings: Where the database is, and how much a batch holds.
        policies: The municipalities' policies.
        tools: Key provider, time and observer.
    """

    def __init__(self, settings: SinkSettings, policies: Policies, tools: Tools) -> None:
        super().__init__(settings, _ROLE)
        self._observe = tools.observe
        self._round = RetentionRound(settings, policies, tools)

    @contextmanager
    def _working(self) -> Iterator[Work]:
        under_way: Iterator[Done] | None = None

        def work(connection: Connection) -> float:
            nonlocal under_way
            under_way = under_way or self._round.batches(connection)
            done = next(under_way, None)
            if done is not None:
                log.info("retention: municipality %s, %s: %d destroyed", *done)
                return 0.0
            under_way = None
            self._observe("retention.round")
            return _PAUSE_S

        yield work

    def _took_place(self) -> None:
        self._observe("retention.elected")
