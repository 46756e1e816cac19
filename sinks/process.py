"""The sink process: reads the log, stores batch after batch, relays the outbox, lets deadlines run.

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
from typing import NamedTuple

from signaalwissel.processors.policy import Policies
from signaalwissel.sinks import offsets
from signaalwissel.sinks.clock import Clock
from signaalwissel.sinks.database import database_away, migrate, open_engine
from signaalwissel.sinks.feedback_worker import FeedbackDelivery
from signaalwissel.sinks.inbox import Inbox
from signaalwissel.sinks.offsets import PlaceTaken
from signaalwissel.sinks.open_klant_worker import OpenKlantHandover
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.policies_in_force import note_policies
from signaalwissel.sinks.policy_shelf import PolicyShelf
from signaalwissel.sinks.processing_log import Brake
from signaalwissel.sinks.processing_log_relay import ProcessingLogRelay
from signaalwissel.sinks.reader import LogReader, check_offsets, partitions_of
from signaalwissel.sinks.records import Batch
from signaalwissel.sinks.refusals import Seal
from signaalwissel.sinks.relay import Relay
from signaalwissel.sinks.restored import go_on_from_published
from signaalwissel.sinks.retention import Retention
from signaalwissel.sinks.retention_round import Tools
from signaalwissel.sinks.settings import ServiceAway, SinkSettings
from signaalwissel.sinks.standing import SinkStanding
from signaalwissel.sinks.writer import Writer
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

_HEARTBEATS_PER_LEASE = 6
_SHARE_OF_A_BUSY_BATCH = 10
_HELD_S = 0.5


def run_sink(
    settings: SinkSettings,
    policies: Policies,
    seal: Seal,
    stopped: threading.Event | None = None,
    tools: Tools = Tools(),  # noqa: B008 - frozen
) -> int:
    """Run a sink until it is stopped: by SIGTERM or SIGINT, or by `stopped`.

    Args:
        settings: Where Kafka and PostgreSQL are, and how to run.
        policies: The municipalities' policies.
        seal: Seals the originals of refused task updates.
        stopped: Set from outside.
        tools: What tells which day it is, and what destroys day keys. Without the latter nothing is destroyed at
            all: retention runs elsewhere, or is off.

    Returns:
        0, after an orderly stop.

    Raises:
        SinkError: A service stayed away, another sink owns the partitions, records were lost, or a topic is missing;
            the text says what to do.
    """
    stopped = stopped or threading.Event()
    with _stopping_at_signals(stopped):
        patience = Patience(settings.retry_s, "the sink")
        patience.keep_trying(lambda: _prepared(settings, policies), stopped)
        helpers = _Helpers(
            Relay(settings),
            Clock(settings, policies, tools.time),
            _handover(settings),
            _log_relay(settings),
            None if tools.keys is None else Retention(settings, policies, tools),
            None if settings.feedback is None else FeedbackDelivery(settings, settings.feedback, policies),
        )
        helpers.start(settings)
        try:
            sink = _Sink(
                settings, Inbox(settings, seal), Writer(settings, policies, seal, tools.time), helpers, tools
            )
            patience.keep_trying(lambda: sink.session(stopped), stopped)
        finally:
            helpers.stop()
        helpers.check()
    return 0


class _Helpers(NamedTuple):
    """The threads beside the one that reads and stores."""

    relay: Relay
    clock: Clock
    open_klant: OpenKlantHandover | None
    processing_log: ProcessingLogRelay | None
    retention: Retention | None
    feedback: FeedbackDelivery | None

    def start(self, settings: SinkSettings) -> None:
        """Start those that the settings ask for."""
        self.relay.start()
        if settings.clock:
            self.clock.start()
        for optional in (self.open_klant, self.processing_log, self.retention, self.feedback):
            if optional is not None:
                optional.start()

    def stop(self) -> None:
        """Let each end what it has under way."""
        for optional in (self.open_klant, self.processing_log, self.retention, self.feedback):
            if optional is not None:
                optional.stop()
        self.clock.stop()
        self.relay.stop()

    def check(self) -> None:
        """Raise what ended one of them."""
        for helper in self:
            if helper is not None and helper.failure is not None:
                raise helper.failure


class _Sink:
    def __init__(
        self, settings: SinkSettings, inbox: Inbox, writer: Writer, helpers: _Helpers, tools: Tools
    ) -> None:
        self._settings = settings
        self.standing = tools.standing or SinkStanding()
        self._tracer = tools.tracer
        self._helpers = helpers
        self._inbox = inbox
        self._writer = writer
        # Once: after a lost connection the offsets are our own.
        self._accept_loss = settings.accept_loss
        self._brake = Brake(settings.processing_log)

    def session(self, stopped: threading.Event) -> bool:
        """Read and store until stopped, which gives True, or a service goes away."""
        progressed = False
        settings = self._settings
        with ExitStack() as ends:
            reader = LogReader(settings)
            ends.callback(reader.close)
            ends.callback(self.standing.session_ends)
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
        self.standing.begins()
        log.info("sink reads %s", partitions_of(reader.places))

    def _batches(self, reader: LogReader, connection: Connection, stopped: threading.Event) -> Iterator[None]:
        heartbeat_s = self._settings.lease_s / _HEARTBEATS_PER_LEASE
        spoke_at = time.monotonic()
        while not stopped.is_set():
            self._helpers.check()
            if self._brake.holds(connection):
                self.standing.held()
                stopped.wait(_HELD_S)
                continue
            batch = reader.gather(self._inbox)
            if not batch.empty:
                self._store(connection, batch)
            self.standing.counts.lag = reader.lag()
            self.standing.round_ends(stored=not batch.empty, behind=reader.behind)
            if batch.empty:
                if time.monotonic() - spoke_at < heartbeat_s:
                    continue
                # The lease lives, and an hour without news is not an hour without Kafka.
                with connection.begin():
                    connection.execute(text("SELECT 1"))
            spoke_at = time.monotonic()
            yield

    def _store(self, connection: Connection, batch: Batch) -> None:
        began_s = time.monotonic()
        with connection.begin():
            new = self._writer.store(connection, batch)
        self.standing.counts.stored(batch, new, began_s)
        self._trace(batch)
        self._helpers.relay.wake()
        if batch.records >= self._settings.batch_records // _SHARE_OF_A_BUSY_BATCH:
            self._helpers.clock.make_way()

    def _trace(self, batch: Batch) -> None:
        if self._tracer is None:
            return
        for record, began_ns in batch.traced:
            span = self._tracer.begin(record, began_ns)
            if span is not None:
                span.end()


def _handover(settings: SinkSettings) -> OpenKlantHandover | None:
    return None if settings.open_klant is None else OpenKlantHandover(settings, settings.open_klant)


def _log_relay(settings: SinkSettings) -> ProcessingLogRelay | None:
    if settings.processing_log is None:
        return None
    return ProcessingLogRelay(settings, settings.processing_log)


def _prepared(settings: SinkSettings, policies: Policies) -> bool:
    migrate(settings.database_url)
    engine = open_engine(settings.database_url, name="signaalwissel-sink")
    with database_away(), engine.begin() as connection:
        PolicyShelf(policies).keep(connection)
        note_policies(connection, policies)
        # Before anything makes a version of a task.
        go_on_from_published(connection, settings)
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
