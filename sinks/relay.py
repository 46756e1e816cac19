"""The outbox relay: what the sink stored, onto Kafka, at least once and in the order of each aggregate (design 9).

Flows in: outbox rows that are not marked sent. Flows out: Kafka records, each acknowledged before its row is marked
and before the next version of its aggregate leaves.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from signaalwissel.sinks.database import database_away, open_engine
from signaalwissel.sinks.patience import Patience
from signaalwissel.sinks.reader import REQUEST_BOUND_S, kafka_away
from signaalwissel.sinks.settings import ServiceAway, SinkError, SinkSettings
from signaalwissel.sinks.tables import outbox
from sqlalchemy import BigInteger, Connection, Row, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

log = logging.getLogger(__name__)

_RELAY_LOCK = 7_223_003
_WINDOW = 1000
_IDLE_S = 0.5
_DELIVERY_BOUND_S = 20.0
_ELECT = text("SELECT pg_try_advisory_lock(:lock)")
_UNSENT = select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(_WINDOW)
_SENT = (
    outbox.update()
    .where(outbox.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .values(sent_at=func.clock_timestamp())
)


class Relay(threading.Thread):
    """Relays until it is stopped. Of several processes' relays one works, the others wait for its place.

    Attributes:
        failure: Why it ended by itself; the process must end too.
    """

    def __init__(self, settings: SinkSettings) -> None:
        super().__init__(name="outbox-relay", daemon=True)
        self.failure: BaseException | None = None
        self._settings = settings
        self._stopped = threading.Event()
        self._news = threading.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._news.set()

    def stop(self) -> None:
        """End after the row that is under way; what is not sent stays in the outbox."""
        self._stopped.set()
        self._news.set()
        self.join(_DELIVERY_BOUND_S + REQUEST_BOUND_S)

    def run(self) -> None:
        """Relay; see the class."""
        try:
            Patience(self._settings.retry_s, "the outbox relay").keep_trying(self._session, self._stopped)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which ends the process with it
            self.failure = error

    def _session(self) -> bool:
        engine = open_engine(
            self._settings.database_url, name="signaalwissel-relay", silence_s=self._settings.lease_s
        )
        progressed = False
        with kafka_away():
            producer = _open_producer(self._settings)
        try:
            with database_away(), engine.connect() as connection:
                while not self._stopped.is_set():
                    self._news.clear()
                    if not _elected(connection) or not relay_window(connection, producer):
                        self._news.wait(_IDLE_S)
                    progressed = True
        except ServiceAway as away:
            if not progressed:
                raise
            log.warning("outbox relay: %s; starting over", away)
        finally:
            producer.close(timeout=1)
        return self._stopped.is_set()


def relay_window(connection: Connection, producer: KafkaProducer) -> int:
    """Send the oldest rows that are not marked sent, mark them, and give how many there were.

    Raises:
        ServiceAway: Kafka did not acknowledge in time; the rows stay, and leave again with the same ce_id.
        SinkError: Kafka refuses a record.
    """
    rows = connection.execute(_UNSENT).all()
    connection.rollback()
    waiting: Sequence[Row[Any]] = rows
    while waiting:
        leaving, waiting = _one_of_each(waiting)
        _send(producer, leaving)
        connection.execute(_SENT, {"ids": [row.id for row in leaving]})
        connection.commit()
    return len(rows)


def _elected(connection: Connection) -> bool:
    held = bool(connection.info.get("relay"))
    if not held:
        held = bool(connection.execute(_ELECT, {"lock": _RELAY_LOCK}).scalar_one())
        connection.commit()
        connection.info["relay"] = held
    return held


def _one_of_each(rows: Sequence[Row[Any]]) -> tuple[list[Row[Any]], list[Row[Any]]]:
    # A later version leaves only when the earlier one is acknowledged: a failed send never overtakes.
    leaving, waiting = {}, []
    for row in rows:
        if row.aggregate_id in leaving:
            waiting.append(row)
        else:
            leaving[row.aggregate_id] = row
    return list(leaving.values()), waiting


def _send(producer: KafkaProducer, rows: Sequence[Row[Any]]) -> None:
    with kafka_away():
        futures = [
            producer.send(
                row.topic,
                key=bytes(row.key),
                value=bytes(row.value),
                headers=[(name, value.encode()) for name, value in row.headers.items()],
            )
            for row in rows
        ]
        producer.flush(timeout=_DELIVERY_BOUND_S)
        for row, future in zip(rows, futures, strict=True):
            try:
                future.get(timeout=_DELIVERY_BOUND_S)
            except KafkaError as error:
                if error.retriable:
                    raise
                raise SinkError(f"outbox row {row.id}, {row.topic}: Kafka refuses it: {error}") from error


def _open_producer(settings: SinkSettings) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=settings.bootstrap.split(","),
        client_id="signaalwissel-relay",
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        linger_ms=5,
        bootstrap_timeout_ms=int(REQUEST_BOUND_S * 1000),
        request_timeout_ms=int(REQUEST_BOUND_S * 1000),
        delivery_timeout_ms=int(_DELIVERY_BOUND_S * 1000),
        max_block_ms=int(REQUEST_BOUND_S * 1000),
        metrics_enabled=False,
        **settings.kafka_connection,
    )
