"""Publishing an import: each batch of records, its ledger entry and its states in one Kafka transaction.

Flows in: batches. Flows out: committed records; and, at the start, what was committed before. A process that dies in a
transaction leaves nothing of it, and the next one, which fences it, reads on from what was committed.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError
from signaalwissel.processors.emissions import IMPORT_LEDGER, IMPORT_STATES, TRAJECTORY_STATES
from signaalwissel.processors.published import Published
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.imports import ImportedRows, ImportedState
from signaalwissel.sources.import_index import ImportIndex

_BOUND_MS = 30_000
_TRANSACTION_MS = 60_000
_READ_BOUND_S = 180.0
_POLL_MS = 1_000
_POLL_RECORDS = 2_000


class KafkaAway(RuntimeError):
    """Kafka does not answer, does not take records, or lacks a topic; what was committed stays."""


class Superseded(RuntimeError):
    """Another import of the same system has begun: it goes on where this one was."""


class Batch(NamedTuple):
    """What one transaction publishes."""

    records: Sequence[Published]
    ledger: ImportedRows | None
    states: Sequence[ImportedState]


@dataclass(frozen=True)
class ImportTopics:
    """Where an import reads and writes.

    Args:
        bootstrap: Kafka's address.
        connection: Further options of kafka-python.
        prefix: Put before every topic's name.
        event_source: CloudEvents source.
        system: The profile's name; one import of a system runs at a time.
        publisher: Sends to `signals.<publisher>` and `trajectories.<publisher>` instead of the common topics.
    """

    bootstrap: str
    connection: Mapping[str, Any]
    prefix: str
    event_source: str
    system: str
    publisher: str | None = None

    @property
    def transactional_id(self) -> str:
        """Never rename it: it fences the import that was before."""
        return f"{self.prefix}signaalwissel-import-{self.system}"

    def input_topic(self, kind: str) -> str:
        """The input topic of a kind of record, without prefix."""
        return kind if self.publisher is None else f"{kind}.{self.publisher}"


class ImportWriter:
    """Commits batches."""

    def __init__(self, producer: KafkaProducer, topics: ImportTopics) -> None:
        self._producer = producer
        self._topics = topics

    def commit(self, batch: Batch, time_: bytes) -> None:
        """Publish a batch whole or not at all.

        Args:
            batch: What to publish.
            time_: CloudEvents time of its records.

        Raises:
            KafkaAway: It is not published.
            Superseded: Another import of the system has begun.
        """
        topics = self._topics
        with _away(topics.bootstrap):
            self._producer.begin_transaction()
            sent = [
                self._send(
                    topics.input_topic(one.topic), one.key, one.value, one.headers(topics.event_source, time_)
                )
                for one in batch.records
            ]
            if batch.ledger is not None:
                sent.append(
                    self._send(
                        IMPORT_LEDGER, _ledger_key(batch.ledger), codec("ImportedRows").encode(batch.ledger)
                    )
                )
            for state in batch.states:
                key = self._state_key(state.municipality, state.trajectory_id)
                sent.append(self._send(IMPORT_STATES, key, codec("ImportedState").encode(state)))
            self._end(sent)

    def forget(self, trajectories: Sequence[tuple[str, str]]) -> None:
        """Take away what is kept of these trajectories: municipality and id. Raises as `commit` does."""
        with _away(self._topics.bootstrap):
            self._producer.begin_transaction()
            self._end([self._send(IMPORT_STATES, self._state_key(*one), None) for one in trajectories])

    def _end(self, sent: Sequence[Any]) -> None:
        self._producer.flush(timeout=_BOUND_MS / 1000)
        for future in sent:
            future.get(timeout=_BOUND_MS / 1000)
        self._producer.commit_transaction()

    def _state_key(self, municipality: str, trajectory_id: str) -> bytes:
        return f"{self._topics.system}/{municipality}/{trajectory_id}".encode()

    def _send(
        self, topic: str, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]] | None = None
    ) -> Any:
        return self._producer.send(self._topics.prefix + topic, key=key, value=value, headers=headers)


@contextmanager
def writing(topics: ImportTopics) -> Iterator[ImportWriter]:
    """A writer; whatever an earlier import of the system left open is ended first."""
    with _away(topics.bootstrap):
        producer = KafkaProducer(
            bootstrap_servers=topics.bootstrap.split(","),
            client_id="signaalwissel-import",
            transactional_id=topics.transactional_id,
            transaction_timeout_ms=_TRANSACTION_MS,
            linger_ms=5,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=_BOUND_MS,
            max_block_ms=_BOUND_MS,
            metrics_enabled=False,
            **topics.connection,
        )
    try:
        with _away(topics.bootstrap):
            producer.init_transactions()
        yield ImportWriter(producer, topics)
    finally:
        producer.close(timeout=_BOUND_MS / 1000)


def read_before(topics: ImportTopics, index: ImportIndex) -> None:
    """Put into the index what imports of this system committed; raises KafkaAway."""
    states, ledger = codec("ImportedState"), codec("ImportedRows")
    own = f"{topics.system}/".encode()
    for record in _committed(topics, (IMPORT_LEDGER, IMPORT_STATES)):
        if record.value is None or not (record.key or b"").startswith(own):
            continue
        if record.topic == topics.prefix + IMPORT_STATES:
            index.put(states.decode(record.value))
            continue
        rows: ImportedRows = ledger.decode(record.value)
        index.add_rows(rows.rows)
        if rows.complete:
            index.add_file(rows.file, record.timestamp)


class ErasedReader:
    """Reads which trajectories were erased, on `trajectory-states`: each time what came since the time before."""

    def __init__(self, topics: ImportTopics) -> None:
        self._topics = topics
        self._read_to: dict[TopicPartition, int] = {}

    def erased(self) -> Iterator[tuple[str, str]]:
        """Municipality and id of each; raises KafkaAway."""
        for record in _committed(self._topics, (TRAJECTORY_STATES,), self._read_to):
            if record.value is not None:
                state = read_trajectory_state(record.value)
                if state.erased:
                    yield state.municipality, state.trajectory_id


def forget_erased(reader: ErasedReader, index: ImportIndex, writer: ImportWriter | None) -> None:
    """Forget what was told of trajectories that are erased meanwhile; without a writer in the index alone.

    Raises:
        KafkaAway: It is not known, or not forgotten for good.
        Superseded: Another import of the system has begun.
    """
    told = [one for one in reader.erased() if index.forget(*one)]
    if told and writer is not None:
        writer.forget(told)


def _committed(
    topics: ImportTopics, names: Sequence[str], read_to: dict[TopicPartition, int] | None = None
) -> Iterator[Any]:
    """Committed records up to the end, from the beginning or from where `read_to`, which is kept up, says."""
    with _away(topics.bootstrap):
        with closing(_consumer(topics, "read_uncommitted")) as looking:
            partitions = [
                TopicPartition(topics.prefix + name, number)
                for name in names
                for number in sorted(looking.partitions_for_topic(topics.prefix + name) or ())
            ]
            if len({partition.topic for partition in partitions}) < len(names):
                raise KafkaAway(
                    f"Kafka has no topics {' and '.join(names)}: run `signaalwissel topics apply`"
                )
            # The very end: behind another system's open transaction there may be records of ours.
            ends = looking.end_offsets(partitions)
        with closing(_consumer(topics, "read_committed")) as reading:
            reading.assign(partitions)
            reading.seek_to_beginning(*partitions)
            for one, offset in (read_to or {}).items():
                reading.seek(one, offset)
            deadline = time.monotonic() + _READ_BOUND_S
            while any(reading.position(one) < end for one, end in ends.items()):
                polled = reading.poll(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
                for records in polled.values():
                    yield from records
                if polled:
                    deadline = time.monotonic() + _READ_BOUND_S
                elif time.monotonic() > deadline:
                    raise KafkaAway(
                        "Kafka does not give what was imported before: is a transaction left open?"
                    )
            if read_to is not None:
                read_to.update({one: reading.position(one) for one in partitions})


def _consumer(topics: ImportTopics, isolation: str) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=topics.bootstrap.split(","),
        client_id="signaalwissel-import",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=_BOUND_MS,
        request_timeout_ms=_BOUND_MS,
        metrics_enabled=False,
        **topics.connection,
    )


def _ledger_key(ledger: ImportedRows) -> bytes:
    # A row is published once, so no two entries begin with the same.
    place = ledger.rows[0].hex() if ledger.rows else "complete"
    return f"{ledger.system}/{ledger.file}/{place}".encode()


@contextmanager
def _away(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except (ProducerFencedError, InvalidProducerEpochError) as error:
        raise Superseded("another import of this system has begun; it goes on where this one was") from error
    except KafkaError as error:
        raise KafkaAway(f"Kafka at {bootstrap}: {error}") from error
