"""Connections that commands open for as long as they run: Kafka readers and writers, and the database.

Flows in: settings. Flows out: clients, whose errors are failures of a command: a usage that is wrong, or a service
that is away.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from signaalwissel.console import runtime
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.kafka_login import check_login
from signaalwissel.console.registry_ids import adopt
from signaalwissel.console.settings import Settings
from signaalwissel.schemas.internal import OriginalRecord
from signaalwissel.sinks.access import Database, opened
from signaalwissel.sinks.settings import ServiceAway as DatabaseAway
from signaalwissel.sinks.settings import SinkError

NO_RIGHT = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
"""What Kafka says to an account that it knows and that may not do this."""
BOUND_MS = 10_000
_DELIVERY_BOUND_S = 30.0


@contextmanager
def reader(settings: Settings, *, decodes: bool = True) -> Iterator[KafkaConsumer]:
    """A consumer of committed records without a group; ServiceAway where Kafka does not answer or let us in.

    Args:
        settings: Name the broker.
        decodes: Whether what it reads is decoded: then the schema registry, where one is set, must answer too.
    """
    check_login(settings)
    if decodes:
        adopt(settings)
    with _kafka_away(settings):
        consumer = KafkaConsumer(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            client_id="signaalwissel-console",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=BOUND_MS,
            request_timeout_ms=BOUND_MS,
            metrics_enabled=False,
            **runtime.kafka_python_connection(settings),
        )
        with closing(consumer):
            yield consumer


class Writer:
    """Sends records, each to the partition of its key or to the one named, until the broker has acknowledged it."""

    def __init__(self, producer: KafkaProducer, settings: Settings) -> None:
        self._producer = producer
        self._settings = settings
        self._failure: BaseException | None = None

    def send(self, topic: str, key: bytes, value: bytes, partition: int | None = None) -> None:
        """Send a record; `flush` waits for its acknowledgement."""
        self._check()
        self._producer.send(topic, key=key, value=value, partition=partition).add_errback(self._failed)

    def flush(self) -> None:
        """Return when all that was sent is acknowledged; ServiceAway otherwise."""
        self._producer.flush(timeout=_DELIVERY_BOUND_S)
        self._check()

    def send_original(self, topic: str, record: OriginalRecord) -> None:
        """Send a record as it came and return when it is acknowledged; ServiceAway otherwise.

        A header without a value goes with an empty one: kafka-python writes no other.
        """
        with _kafka_away(self._settings):
            sending = self._producer.send(
                topic,
                key=record.key,
                value=record.value,
                headers=[(header.name, header.value or b"") for header in record.headers],
            )
            sending.get(timeout=_DELIVERY_BOUND_S)

    def _failed(self, error: BaseException) -> None:
        self._failure = error

    def _check(self) -> None:
        if self._failure is not None:
            raise ServiceAway(f"Kafka does not take records: {self._failure}") from self._failure


@contextmanager
def writer(settings: Settings) -> Iterator[Writer]:
    """A writer; leaving the block in order waits for every acknowledgement."""
    check_login(settings)
    adopt(settings)
    with _kafka_away(settings):
        producer = KafkaProducer(
            bootstrap_servers=runtime.bootstrap(settings).split(","),
            client_id="signaalwissel-console",
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=BOUND_MS,
            max_block_ms=BOUND_MS,
            metrics_enabled=False,
            **runtime.kafka_python_connection(settings),
        )
        opened_writer = Writer(producer, settings)
        try:
            yield opened_writer
            opened_writer.flush()
        finally:
            producer.close(timeout=_DELIVERY_BOUND_S)


@contextmanager
def database(settings: Settings, statement_s: float | None = None) -> Iterator[Database]:
    """The database; ServiceAway where it does not answer, takes longer than that or has none of our tables."""
    try:
        url = runtime.database_url(settings)
        with opened(url, name="signaalwissel-console", statement_s=statement_s) as found:
            yield found
    except DatabaseAway as error:
        raise ServiceAway(str(error)) from error
    except SinkError as error:
        raise UsageFailure(str(error)) from error


@contextmanager
def _kafka_away(settings: Settings) -> Iterator[None]:
    try:
        yield
    except NO_RIGHT as error:
        raise ServiceAway(
            f"Kafka at {settings.kafka_bootstrap} does not let this account do that: {error}; who may do what stands in "
            "docs/operations.md, and `signaalwissel topics plan --acls` as the operator shows what is missing"
        ) from error
    except KafkaError as error:
        raise ServiceAway(f"Kafka at {settings.kafka_bootstrap}: {error}") from error
