"""The sink process: reads the log, stores batch after batch, relays the outbox.

Flows in: settings, policies and a seal. Flows out: an exit code. Kafka or PostgreSQL away: tried again for a bounded
time, then the process ends; whatever it had not stored is read again.
"""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks import offsets
from signaalwissel.sinks.database import database_away, migrate, open_engine
from signaalwissel.sinks.inbox import Inbox
from signaalwissel.sinks.offsets import PlaceTaken
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.reader import LogReader, check_offsets, partitions_of
from signaalwissel.sinks.refusals import Seal
from signaalwissel.sinks.relay import Relay
from signaalwissel.sinks.settings import ServiceAway, SinkError, SinkSettings
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_HEARTBEATS_PER_LEASE = 6


def run_sink(
    settings: SinkSettings, policies: Policies, seal: Seal, stopped: threading.Event | None = None
) -> int:
    """Run a sink until it is stopped: by SIGTERM or SIGINT, or by `stopped`.

    Returns:
        0, after an orderly stop.

    Raises:
        SinkError: A service stayed away, another sink owns the partitions, records were lost, or a topic is missing;
            the text says what to do.
    """
    stopped = stopped or threading.Event()
    with _stopping_at_signals(stopped):
        patience = Patience(settings.retry_s, "the sink")
        patience.keep_trying(lambda: _migrated(settings), stopped)
        relay = Relay(settings)
        relay.start()
        try:
            sink = _Sink(settings, policies, seal, relay)
            patience.keep_trying(lambda: sink.session(stopped), stopped)
        finally:
            relay.stop()
        if relay.failure is not None:
            raise relay.failure
    return 0


class _Sink:
    def __init__(self, settings: SinkSettings, policies: Policies, seal: Seal, relay: Relay) -> None:
        self._settings = settings
        self._relay = relay
        self._inbox = Inbox(settings, seal)
        self._writer = Writer(settings, policies, seal)
        # Once: after a lost connection the offsets are our own.
        self._accept_loss = settings.accept_loss

    def session(self, stopped: threading.Event) -> bool:
        """Read and store until stopped, which gives True, or a service goes away."""
        progressed = False
        settings = self._settings
        with ExitStack() as ends:
            reader = LogReader(settings)
            ends.callback(reader.close)
            # The one connection holds the locks and makes the transactions: who lost the locks cannot store.
            engine = open_engine(settings.database_url, name="signaalwissel-sink", silence_s=settings.lease_s)
            try:
                with database_away(), engine.connect() as connection:
                    self._begin(reader, connection)
                    for _ in self._batches(reader, connection, stopped):
                        progressed = True
            except ServiceAway as away:
                if not progressed:
                    raise
                log.warning("sink: %s; starting over from the offsets in the database", away)
        return stopped.is_set()

    def _begin(self, reader: LogReader, connection: Connection) -> None:
        with connection.begin():
            for place in reader.places:
                try:
                    offsets.own(connection, place)
                except PlaceTaken as taken:
                    # The server may not have noticed yet that a killed sink is gone.
                    raise ServiceAway(str(taken)) from taken
        bounds = reader.bounds()
        with connection.begin():
            stored = offsets.stored(connection, reader.places)
            anew = check_offsets(stored, bounds, accept_loss=self._accept_loss)
            offsets.begin(connection, anew)
        self._accept_loss = False
        reader.assign()
        reader.begin(stored | anew)
        log.info("sink reads %s", partitions_of(reader.places))

    def _batches(self, reader: LogReader, connection: Connection, stopped: threading.Event) -> Iterator[None]:
        heartbeat_s = self._settings.lease_s / _HEARTBEATS_PER_LEASE
        spoke_at = time.monotonic()
        while not stopped.is_set():
            if self._relay.failure is not None:
                raise SinkError("the outbox relay failed") from self._relay.failure
            batch = reader.gather(self._inbox)
            if not batch.empty:
                with connection.begin():
                    self._writer.store(connection, batch)
                self._relay.wake()
            elif time.monotonic() - spoke_at < heartbeat_s:
                continue
            else:
                # The lease lives, and an hour without news is not an hour without Kafka.
                with connection.begin():
                    connection.execute(text("SELECT 1"))
            spoke_at = time.monotonic()
            yield


def _migrated(settings: SinkSettings) -> bool:
    migrate(settings.database_url)
    return True


@contextmanager
def _stopping_at_signals(stopped: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
