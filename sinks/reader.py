"""The sink's end of the log: kafka-python without a group, from the offsets that the database holds.

Flows in: topic partitions and where to begin. Flows out: committed records, and how far the log was read, markers of
transactions included. Nothing is committed to Kafka; a lost record is an error, never a silent reset.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import BrokerNotAvailableError, KafkaError, OffsetOutOfRangeError
from signaalwissel.processors.topic_settings import ALWAYS, unmet_settings
from signaalwissel.sinks.inbox import Inbox
from signaalwissel.sinks.records import Batch, Place, Progress
from signaalwissel.sinks.settings import INPUT_TOPICS, ServiceAway, SinkError, SinkSettings
from signaalwissel.sinks.wire import forgiving

REQUEST_BOUND_S = 10.0
_PROOF_OF_LIFE_S = 5.0
_POLL_S = 0.2


class OffsetLost(SinkError):
    """The next record to read is not in the log any more, or not yet: what was between is lost."""

    def __init__(self, place: Place, wanted: int, beginning: int, end: int) -> None:
        super().__init__(
            f"{place}: the next record to read is offset {wanted}, but the log now holds {beginning} up to {end}. "
            "Records were deleted before the sink had read them (retention too short), or the topic was made anew. "
            "Find out what is missing; then start once with accept_loss (signaalwissel sink --accept-loss) to go on "
            f"at offset {beginning}."
        )


class LogReader:
    """Reads the partitions that this process owns.

    Attributes:
        places: These partitions.
        behind: Offsets still to be read, as found by the last look at a quiet log.

    Raises:
        ServiceAway: Kafka does not answer.
        SinkError: A topic is missing or has other settings than it must, or Kafka refuses.
    """

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._positions: dict[Place, int] = {}
        self._alive_at = time.monotonic()
        self.behind = 0
        with kafka_away():
            self._consumer = open_consumer(settings)
        self.places = list(self._discover())
        check_settings(settings)

    def close(self) -> None:
        """Leave Kafka; nothing needs to be told."""
        self._consumer.close(autocommit=False, timeout_ms=int(REQUEST_BOUND_S * 1000))

    def bounds(self) -> dict[Place, tuple[int, int]]:
        """The first offset that each partition still holds, and the one after the last readable record."""
        partitions = [TopicPartition(*place) for place in self.places]
        with kafka_away():
            beginnings = self._consumer.beginning_offsets(partitions, timeout_ms=_bound_ms())
            ends = self._consumer.end_offsets(partitions, timeout_ms=_bound_ms())
        self._alive_at = time.monotonic()
        return {Place(*tp): (beginnings[tp], ends[tp]) for tp in partitions}

    def lag(self) -> dict[Place, int]:
        """How far each partition is behind the end that Kafka told with its last records; asks nobody."""
        found = {}
        for place, position in self._positions.items():
            end = self._consumer.highwater(TopicPartition(*place))
            if end is not None:
                found[place] = max(end - position, 0)
        return found

    def begin(self, offsets: Mapping[Place, int]) -> None:
        """Read on from these offsets."""
        self._positions = dict(offsets)
        for place, offset in offsets.items():
            self._consumer.seek(TopicPartition(*place), offset)

    def gather(self, inbox: Inbox) -> Batch:
        """The next batch: what comes within `linger_s` of its first record; empty when nothing came for a while."""
        settings = self._settings
        batch = Batch()
        deadline = time.monotonic() + _POLL_S
        while batch.records < settings.batch_records:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            first = batch.records == 0
            self._poll(inbox, batch, left_s)
            if first and batch.records:
                deadline = time.monotonic() + settings.linger_s
        self._note_progress(batch)
        if batch.records:
            self._alive_at = time.monotonic()
            self.behind = 0
        elif time.monotonic() - self._alive_at > _PROOF_OF_LIFE_S:
            # A broker that is gone looks like a topic without news, so it is asked.
            ends = self.bounds()
            self.behind = sum(max(ends[place][1] - at, 0) for place, at in self._positions.items())
        return batch

    def _poll(self, inbox: Inbox, batch: Batch, wait_s: float) -> None:
        room = self._settings.batch_records - batch.records
        try:
            with kafka_away():
                polled = self._consumer.poll(timeout_ms=max(1, int(wait_s * 1000)), max_records=room)
        except OffsetOutOfRangeError as error:
            raise self._lost(error) from error
        for tp, records in polled.items():
            inbox.add(tp.topic, records, batch)

    def _note_progress(self, batch: Batch) -> None:
        for place, first in self._positions.items():
            # Behind the last record there may be markers of transactions: they count as read too.
            with kafka_away():
                position = self._consumer.position(TopicPartition(*place), timeout_ms=_bound_ms())
            if position is not None and position != first:
                batch.progress[place] = Progress(first, position)
        self._positions |= {place: progress.next_offset for place, progress in batch.progress.items()}

    def _lost(self, error: OffsetOutOfRangeError) -> SinkError:
        bounds = self.bounds()
        for tp, offset in dict(*error.args).items():
            place = Place(*tp)
            return OffsetLost(place, offset, *bounds[place])
        return SinkError(f"Kafka: {error}")

    def _discover(self) -> Iterator[Place]:
        for name in INPUT_TOPICS:
            topic = self._settings.topic(name)
            with kafka_away():
                numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise SinkError(
                    f"there is no topic {topic}; make it with `signaalwissel topics apply`, then start the sink again"
                )
            yield from (Place(topic, number) for number in sorted(numbers) if self._settings.owns(number))

    def assign(self) -> None:
        """Take the owned partitions; `begin` says from where."""
        self._consumer.assign([TopicPartition(*place) for place in self.places])


def check_offsets(
    stored: Mapping[Place, int], bounds: Mapping[Place, tuple[int, int]], *, accept_loss: bool
) -> dict[Place, int]:
    """Where reading must begin other than at the stored offset: at the log's beginning.

    Returns:
        The partitions that were never read, and with `accept_loss` those whose records are gone.

    Raises:
        OffsetLost: A stored offset lies outside the log, and the loss was not accepted.
    """
    anew = {}
    for place, (beginning, end) in bounds.items():
        offset = stored.get(place)
        if offset is not None and not beginning <= offset <= end:
            if not accept_loss:
                raise OffsetLost(place, offset, beginning, end)
            offset = None
        if offset is None:
            anew[place] = beginning
    return anew


def check_settings(settings: SinkSettings) -> None:
    """Look whether the broker keeps to what the sink's topics need.

    Raises:
        SinkError: It does not; the text says which topic, and the command that mends it.
    """
    wanted = {settings.topic(name): ALWAYS for name in INPUT_TOPICS}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in wanted]
    with kafka_away():
        admin = KafkaAdminClient(
            bootstrap_servers=settings.bootstrap.split(","),
            client_id="signaalwissel-sink",
            bootstrap_timeout_ms=_bound_ms(),
            request_timeout_ms=_bound_ms(),
            **settings.kafka_connection,
        )
        with closing(admin):
            described = admin.describe_configs(resources, config_filter="all")["topic"]
    found = {
        topic: {key: told["value"] for key, told in entries.items()} for topic, entries in described.items()
    }
    if unmet := unmet_settings(found, wanted):
        raise SinkError(unmet)


def open_consumer(settings: SinkSettings, **changes: Any) -> KafkaConsumer:
    """A consumer of committed records that belongs to no group; `changes` go before its options."""
    options = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": "signaalwissel-sink",
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "bootstrap_timeout_ms": _bound_ms(),
        "request_timeout_ms": _bound_ms(),
        "metrics_enabled": False,
    }
    return forgiving(KafkaConsumer(**{**options, **settings.kafka_connection, **changes}))


@contextmanager
def kafka_away() -> Iterator[None]:
    """Tell an absent broker (ServiceAway) from one that refuses (SinkError); lost offsets pass as they are."""
    try:
        yield
    except OffsetOutOfRangeError:
        raise
    except KafkaError as error:
        if error.retriable or isinstance(error, BrokerNotAvailableError):
            raise ServiceAway(f"Kafka: {error}") from error
        raise SinkError(f"Kafka refuses: {error}") from error


def partitions_of(places: Iterable[Place]) -> str:
    """Topic partitions in words, for a log line."""
    return ", ".join(map(str, places))


def _bound_ms() -> int:
    return int(REQUEST_BOUND_S * 1000)
