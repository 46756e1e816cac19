"""The buffer of the processing log: what waits for its acknowledgement, and what that means for the sink.

Flows in: pages that a transaction wrote with what they are about. Flows out: the oldest of them for the relay; a brake
on the sink when they wait for too long or are too many (fail-closed).
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from signaalwissel.sinks.accounting_tables import processing_log
from signaalwissel.sinks.processing_log_settings import ProcessingLogSettings
from sqlalchemy import BigInteger, Connection, Engine, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

log = logging.getLogger(__name__)

PAGES_MAX = 100
LINES_MAX = 20_000
_LOOK_EVERY_S = 1.0
_UNSENT = (
    select(processing_log.c.id, processing_log.c.lines)
    .where(processing_log.c.sent_at.is_(None))
    .order_by(processing_log.c.id)
    .limit(PAGES_MAX)
)
_CONTENT = (
    select(processing_log.c.id, processing_log.c.lines, processing_log.c.content)
    .where(processing_log.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .order_by(processing_log.c.id)
)
_SENT = (
    processing_log.update()
    .where(processing_log.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .values(sent_at=func.clock_timestamp(), content=None)
)
_BACKLOG = text(
    """
    SELECT coalesce(sum(lines), 0)::bigint AS lines, min(created_at) AS oldest,
        coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_s
    FROM processing_log WHERE sent_at IS NULL
    """
)
_FORGET = text("DELETE FROM processing_log WHERE sent_at < now() - make_interval(days => :days)")


class Page(NamedTuple):
    """Lines of one transaction, as an OTLP request."""

    id: int
    lines: int
    content: bytes


class Backlog(NamedTuple):
    """Lines that are not acknowledged, and for how long the oldest waits."""

    lines: int
    oldest: datetime | None
    oldest_s: float

    def too_much(self, settings: ProcessingLogSettings) -> bool:
        """Whether a sink must take in nothing more: the bound of fail-closed."""
        if settings.fail_open:
            return False
        return self.oldest_s > settings.buffer_s or self.lines > settings.buffer_lines


def unsent(connection: Connection) -> list[Page]:
    """The oldest pages that are not acknowledged: one at least, and no more lines than one request should hold."""
    ids: list[int] = []
    lines = 0
    for row in connection.execute(_UNSENT):
        lines += row.lines
        if ids and lines > LINES_MAX:
            break
        ids.append(row.id)
    if not ids:
        return []
    # Their content only now: what waits may be more than memory holds.
    return [Page(row.id, row.lines, bytes(row.content)) for row in connection.execute(_CONTENT, {"ids": ids})]


def mark_sent(connection: Connection, pages: Sequence[Page]) -> None:
    """These pages were acknowledged: their content goes, their count stays."""
    connection.execute(_SENT, {"ids": [page.id for page in pages]})


def forget(connection: Connection, days: int) -> None:
    """Forget the counts of pages that were acknowledged longer ago."""
    connection.execute(_FORGET, {"days": days})


def backlog(connection: Connection) -> Backlog:
    """What waits, by the database's clock."""
    return Backlog(*connection.execute(_BACKLOG).one())


def waiting(engine: Engine) -> Backlog:
    """What waits, for `doctor`, `/readyz` and metrics."""
    with engine.connect() as connection:
        return backlog(connection)


class Brake:
    """Stops a sink from taking in more while the processing log is too far behind.

    Args:
        settings: The bounds; None where lines stay in the database.
    """

    def __init__(self, settings: ProcessingLogSettings | None) -> None:
        self._settings = settings
        self._looked_at = -_LOOK_EVERY_S
        self._held = False

    def holds(self, connection: Connection) -> bool:
        """Whether nothing more may be taken in; looks once in a while. The connection is in no transaction."""
        settings = self._settings
        if settings is None or settings.fail_open:
            return False
        if time.monotonic() - self._looked_at < _LOOK_EVERY_S:
            return self._held
        with connection.begin():
            found = backlog(connection)
        self._looked_at = time.monotonic()
        held = found.too_much(settings)
        if held and not self._held:
            log.error(
                "the sink takes in nothing more: %d lines of the processing log wait, the oldest for %.0f s; mend the "
                "way to the collector, and it goes on by itself",
                found.lines,
                found.oldest_s,
            )
        elif self._held and not held:
            log.info("the processing log is acknowledged again: the sink goes on")
        self._held = held
        return held
