"""Kafka batches into records, whatever names their headers have.

Flows in: fetched bytes, by way of aiokafka's fetcher. Flows out: records; a broken batch becomes CorruptLogError with
its place.

Why not aiokafka alone: its parser ends at a header name that is no UTF-8, which anybody may publish and no broker
refuses, so that one record ends every worker that reads it. Its fetcher makes parsers by two names of its module and
has no other place to come between; `ForgivingConsumer` gives these names other classes, which leave the work to
aiokafka's own (in C) until that fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from signaalwissel.schemas.kafka_record import read_kafka_record
from signaalwissel.streams.errors import CorruptLogError


class ForgivingConsumer(AIOKafkaConsumer):
    """A consumer to which no header name is a reason to stop; other consumers of the process become so too."""

    async def start(self) -> None:
        """Connect, as AIOKafkaConsumer does."""
        fetcher.MemoryRecords = ForgivingBatches
        fetcher.PartitionRecords = PlacedRecords
        await super().start()


class PlacedRecords(fetcher.PartitionRecords):
    """The records of one fetch of a partition; what is broken in it is told with its place."""

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except (CorruptRecordException, UnsupportedCodecError) as error:
            raise CorruptLogError(
                f"{self._tp.topic}[{self._tp.partition}]", self.next_fetch_offset, error
            ) from error

    def _consumer_record(self, tp: TopicPartition, record: Any) -> ConsumerRecord:
        # Without deserializers and sizes, which nobody here asks for: that pays for the way round odd names.
        return ConsumerRecord(
            tp.topic, tp.partition, record.offset, record.timestamp, record.timestamp_type, record.key,
            record.value, None, -1, -1, record.headers,
        )  # fmt: skip


class ForgivingBatches(_MemoryRecordsPy):
    """The batches of one fetch."""

    def next_batch(self) -> Any:
        """The next batch, or None; only one with records of a publisher may have headers."""
        data = self._next_slice
        batch = super().next_batch()
        if type(batch) is DefaultRecordBatch and not batch.is_control_batch:
            return ForgivingBatch(batch, data)
        return batch


class ForgivingBatch:
    """A batch as aiokafka reads it, or as `OddBatch` does where that fails."""

    __slots__ = (
        "_batch", "_data", "base_offset", "is_control_batch", "is_transactional", "next_offset", "producer_id",
        "validate_crc",
    )  # fmt: skip

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data
        self.base_offset = batch.base_offset
        self.is_control_batch = False
        self.is_transactional = batch.is_transactional
        self.next_offset = batch.next_offset
        self.producer_id = batch.producer_id
        self.validate_crc = batch.validate_crc

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(OddBatch(self._data))


class OddBatch(_DefaultRecordBatchPy):
    """A batch in which a header has a name that is no UTF-8."""

    _pos: int

    def _read_msg(self, *_arguments: Any) -> Any:
        record = read_kafka_record(self._buffer, self._pos)
        self._pos = record.end
        broker_time = self.timestamp_type == self.LOG_APPEND_TIME
        timestamp = self.max_timestamp if broker_time else self.first_timestamp + record.timestamp_delta
        return _DefaultRecordPy(
            self.base_offset + record.offset_delta,
            timestamp,
            self.timestamp_type,
            record.key,
            record.value,
            record.headers,
        )
