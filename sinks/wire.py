"""Kafka batches into records, whatever names their headers have: kafka-python's reader, made forgiving.

Flows in: a consumer of kafka-python. Flows out: the same consumer, which reads a record whose header has a name that is
no UTF-8 (any client may publish one, and no broker refuses it), and which tells a broken batch with its place instead
of trying it for ever. A fetcher makes the records of a partition by its attribute `PartitionRecords`: that is where
this comes between.
"""

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from signaalwissel.schemas.kafka_record import read_kafka_record
from signaalwissel.sinks.settings import SinkError


class CorruptLog(SinkError):
    """A batch of records cannot be read as Kafka's format: a fault of disk, memory or network, or of the broker."""

    def __init__(self, place: str, offset: int, cause: Exception) -> None:
        super().__init__(
            f"{place}: the records from offset {offset} on cannot be read: {cause}. Nothing of them was stored or "
            "skipped. Start again: what the network broke is fetched anew. If it stays so, the broker's disk is "
            "damaged (restore the partition from a replica), or the records are compressed in a way that this "
            "installation cannot read (`signaalwissel topics apply` makes the broker store them uncompressed)."
        )


def forgiving(consumer: KafkaConsumer) -> KafkaConsumer:
    r"""The consumer, to which no header name is a reason to stop; a byte that is no UTF-8 reads `\xNN` in the name.

    A batch that is really broken makes its `poll` raise CorruptLog.
    """
    consumer._fetcher.PartitionRecords = _PartitionRecords  # noqa: SLF001 its only place to come between
    return consumer


class _PartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc] # the library ships no types
    def _unpack_records(self, tp: Any, records: Any, *deserializers: Any) -> Iterator[Any]:
        try:
            yield from super()._unpack_records(tp, _Batches(records), *deserializers)
        except (CorruptRecordError, UnsupportedCodecError) as error:
            raise CorruptLog(f"{tp.topic}[{tp.partition}]", self.next_fetch_offset, error) from error


class _Batches:
    """The batches of one fetch."""

    __slots__ = ("_records",)

    def __init__(self, records: Any) -> None:
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if type(batch) is DefaultRecordBatch:
            batch.__class__ = _Batch  # of the same layout: the bytes are not copied once more
        return batch


class _Batch(DefaultRecordBatch):  # type: ignore[misc] # the library ships no types
    __slots__ = ()
    _pos: int

    def _read_msg(self, *arguments: Any) -> Any:
        try:
            return super()._read_msg(*arguments)
        except UnicodeDecodeError:
            record = read_kafka_record(self._buffer, self._pos)
        self._pos = record.end  # type: ignore[misc] # a slot of the base
        broker_time = self.timestamp_type == self.LOG_APPEND_TIME
        return DefaultRecord(
            record.size,
            self.base_offset + record.offset_delta,
            self.max_timestamp if broker_time else self.first_timestamp + record.timestamp_delta,
            self.timestamp_type,
            record.key,
            record.value,
            record.headers,
        )
