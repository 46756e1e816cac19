"""The relay of the processing log: every line to the collector, at least once, each time with the same span id.

Flows in: pages that are not acknowledged. Flows out: OTLP requests; a page is marked when all of its request was
acknowledged. While the collector is away they stay, and the sink's brake decides how long that may go on. One relay
works however many sinks run.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from signaalwissel.sinks import processing_log
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.processing_log_http import Collector, NotAcknowledged
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings
from signaalwissel.sinks.settings import SinkSettings
from sqlalchemy import Connection

log = logging.getLogger(__name__)

_LOCK = 7_223_016
_IDLE_S = 0.5
_PAUSE_S = 0.5
_PAUSE_S_MAX = 30.0
_FORGET_EVERY_S = 3600.0


class ProcessingLogRelay(ElectedThread):
    """Relays until it is stopped; what is not acknowledged stays in the buffer.

    Args:
        settings: Where the database is.
        log_settings: Where the collector is.
    """

    def __init__(self, settings: SinkSettings, log_settings: ProcessingLogSettings) -> None:
        timeout_s = log_settings.timeout_s
        role = Role(
            "processing-log",
            "the relay of the processing log",
            lock=_LOCK,
            idle_s=_IDLE_S,
            stop_bound_s=timeout_s + 5.0,
            silence_s=_PAUSE_S_MAX * 2 + timeout_s,
        )
        super().__init__(settings, role)
        self._log_settings = log_settings
        self._pause_s = 0.0
        self._forgot_at = -_FORGET_EVERY_S

    @contextmanager
    def _working(self) -> Iterator[Work]:
        with Collector(self._log_settings) as collector:
            yield lambda connection: self._relay(connection, collector)

    def _relay(self, connection: Connection, collector: Collector) -> float:
        try:
            count = relay_pages(connection, collector)
        except NotAcknowledged as failure:
            grown_s = min(self._pause_s * 2 or _PAUSE_S, _PAUSE_S_MAX)
            self._pause_s = min(max(grown_s, failure.retry_after_s or 0.0), _PAUSE_S_MAX)
            log.warning("%s; lines wait in the database; next try in %.1f s", failure, self._pause_s)
            return self._pause_s
        if self._pause_s:
            log.info("the collector of the processing log acknowledges again")
        self._pause_s = 0.0
        self._forget(connection)
        return 0.0 if count else _IDLE_S

    def _forget(self, connection: Connection) -> None:
        if time.monotonic() - self._forgot_at >= _FORGET_EVERY_S:
            with connection.begin():
                processing_log.forget(connection, self._log_settings.keep_days)
            self._forgot_at = time.monotonic()


def relay_pages(connection: Connection, collector: Collector) -> int:
    """Send the oldest pages in one request, mark them, and give how many lines that was.

    Raises:
        NotAcknowledged: They stay, and go again with the same span ids.
    """
    with connection.begin():
        pages = processing_log.unsent(connection)
    if not pages:
        return 0
    # No transaction is open meanwhile: a slow collector must not hold back the database's housekeeping.
    collector.send(b"".join(page.content for page in pages))
    with connection.begin():
        processing_log.mark_sent(connection, pages)
    return sum(page.lines for page in pages)
