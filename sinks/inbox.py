"""Raw Kafka records as values, sorted into the batch that one transaction stores.

Flows in: records of the sink's topics. Flows out: decoded records, and a dead letter for each that cannot be read or
that nobody could reckon on with (domain 8.16): a bad record never stops its partition.
"""

import time
from collections.abc import Callable, Iterable

from signaalwissel.processors.internal_records import check_trajectory_state
from signaalwissel.processors.processing_lines import trace_of
from signaalwissel.processors.traces import TRACE_HEADER
from signaalwissel.processors.validation import check_published
from signaalwissel.schemas.contract import Codec, codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter
from signaalwissel.sinks.records import Batch, KafkaRecord, ReceivedState, ReceivedUpdate
from signaalwissel.sinks.refusals import REFUSABLE, NullValue, Seal, dead_letter_of
from signaalwissel.sinks.settings import (
    DEAD_LETTERS,
    DECISIONS,
    TASK_UPDATES,
    TRAJECTORY_STATES,
    SinkSettings,
)
from signaalwissel.sinks.storable import check_storable_decision, check_storable_letter, check_storable_update


class Inbox:
    """Sorts the records of a poll into a batch."""

    def __init__(self, settings: SinkSettings, seal: Seal) -> None:
        self._seal = seal
        self._take: dict[str, Callable[[KafkaRecord, bytes, Batch], None]] = {
            settings.topic(TRAJECTORY_STATES): _take_state,
            settings.topic(DECISIONS): _take_decision,
            settings.topic(TASK_UPDATES): _take_update,
            settings.topic(DEAD_LETTERS): _take_dead_letter,
        }

    def add(self, topic: str, records: Iterable[KafkaRecord], batch: Batch) -> None:
        """Add records of one topic partition, in log order."""
        take = self._take[topic]
        for record in records:
            batch.records += 1
            try:
                if record.value is None:
                    raise NullValue
                take(record, record.value, batch)
            except REFUSABLE as reason:
                batch.dead_letters.append(dead_letter_of(record, reason, self._seal))


def _take_decision(record: KafkaRecord, data: bytes, batch: Batch) -> None:
    decision = read_decision(data)
    check_storable_decision(decision)
    batch.decisions.append(decision)
    for name, value in record.headers:
        if name == TRACE_HEADER:
            trace_id = trace_of(value)
            if trace_id is not None:
                batch.traces[decision.routing_id] = trace_id
                batch.traced.append((record, time.time_ns()))


def _take_state(_: KafkaRecord, data: bytes, batch: Batch) -> None:
    state = read_trajectory_state(data)
    check_trajectory_state(state)
    batch.states.append(ReceivedState(state, data))


def _take_update(record: KafkaRecord, data: bytes, batch: Batch) -> None:
    reader: Codec[TaskUpdate] = codec("TaskUpdate")
    update = reader.decode(data)
    check_storable_update(update)
    check_published(update.occurred_at, record.timestamp, "occurred_at")
    batch.updates.append(ReceivedUpdate(update, record))


def _take_dead_letter(_: KafkaRecord, data: bytes, batch: Batch) -> None:
    reader: Codec[DeadLetter] = codec("DeadLetter")
    letter = reader.decode(data)
    check_storable_letter(letter)
    batch.dead_letters.append(letter)
