"""The outbox relay: what the sink stored, onto Kafka, at least once and in the order of each aggregate (design 9).

Flows in: outbox rows that are not marked sent. Flows out: Kafka records, each acknowledged before its row is marked
and before the next version of its aggregate leaves.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from signaalwissel.sinks.elected_thread import ElectedThread, Role, Work
from signaalwissel.sinks.reader import REQUEST_BOUND_S, kafka_away
from signaalwissel.sinks.settings import SinkError, SinkSettings
from signaalwissel.sinks.tables import outbox
from sqlalchemy import BigInteger, Connection, Row, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

_WINDOW = 1000
_DELIVERY_BOUND_S = 20.0
_ROLE = Role(
    "relay", "the outbox relay", lock=7_223_003, idle_s=0.5, stop_bound_s=_DELIVERY_BOUND_S + REQUEST_BOUND_S
)
_UNSENT = select(outbox).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(_WINDOW)
_SENT = (
    outbox.update()
    .where(outbox.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .values(sent_at=func.clock_timestamp())
)


class Relay(ElectedThread):
    """Relays until it is stopped, then ends after the rows that are under way; what is not sent stays in the outbox."""

    def __init__(self, settings: SinkSettings) -> None:
        super().__init__(settings, _ROLE)
        self._news = threading.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._news.set()

    def stop(self) -> None:
        """End; see the class."""
        self._stopped.set()
        self._news.set()
        super().stop()

    @contextmanager
    def _working(self) -> Iterator[Work]:
        with kafka_away():
            producer = _open_producer(self._settings)
        try:
            yield lambda connection: 0.0 if relay_window(connection, producer) else _ROLE.idle_s
        finally:
            producer.close(timeout=1)

    def _pause(self, seconds: float) -> None:
        self._news.wait(seconds)
        # Before the outbox is looked at: what comes meanwhile wakes it again.
        self._news.clear()


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
