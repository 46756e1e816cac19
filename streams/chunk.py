"""What a chunk of records is and what handles it: the interface between the engine and the domain.

Flows in: the records that one fetch brought for one partition. Flows out: whatever the handler writes into
its tables and sends to its outputs.

Why not a stock agent per record: Faust wraps every message in two tasks, a future and several sensor calls
(400 us a record against 10), and acknowledges a record whose handling raised. Here one Faust event carries a
whole chunk, and the chunk is the unit of work: all of it is committed, or none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes | None]]
"""Names and values; Kafka allows a header without a value."""


class Record(Protocol):
    """One Kafka record as it was read; aiokafka's ConsumerRecord is passed as it is.

    `timestamp` is Kafka's, in milliseconds since 1970; `key` and `value` are the raw bytes or None.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outputs(Protocol):
    """Collects what one chunk sends; it leaves in the chunk's transaction, or not at all."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        """Add one record for `topic`.

        Without `partition` it goes to murmur2(key) of that topic (as Kafka's own clients do), a record without
        a key to the number of the partition that is being handled. Records of one topic partition keep the
        order in which they are sent.

        Raises:
            UnknownTopicError: the topic did not exist when the worker started.
        """

    def partition_for(self, topic: str, key: bytes | None) -> int:
        """The partition of `topic` that `send` would choose for `key`."""


class ChunkHandler(ABC):
    """What an app does with its records. Every method but `before_chunk` is synchronous.

    Raising anywhere ends the process with nothing of the chunk acknowledged: a bad record is the handler's to
    catch (and to send to the dead letters), an exception is a defect.
    """

    @abstractmethod
    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        """Handle the records of one topic partition, in log order; `records` is never empty.

        Tables read and write the keys of `partition`. All records of a call come from one topic; several input
        topics with the same partition number share the tables' partition and one transaction.
        """

    def sweep(self, partition: int, stream_time_ms: int, outputs: Outputs) -> None:  # noqa: B027 housekeeping is optional
        """Do the housekeeping of one partition in a transaction of that partition.

        Called for every assigned partition every `sweep_interval_s`, with or without input.

        Args:
            partition: the partition to which tables are bound, as in `handle`.
            stream_time_ms: the highest Kafka timestamp of the partition's handled records; it is stored with
                the committed offsets and survives restarts.
            outputs: as in `handle`.
        """

    async def before_chunk(self, partition: int, records: Sequence[Record]) -> None:  # noqa: B027 optional
        """Fetch what `handle` will need (keys, schemas) before the partition's commit lock is taken.

        The chunk may be dropped afterwards and come again, possibly in another worker.
        """

    def on_recovered(self, partition: int) -> None:  # noqa: B027 optional
        """The tables of `partition` are complete: build in-memory indexes from `table.items_of(partition)`."""

    def on_revoked(self, partition: int) -> None:  # noqa: B027 optional
        """The partition left this worker (or was read anew): drop what was built in `on_recovered`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The records of one fetch of one topic partition.

    `start` is the offset at which reading began, `end` the one to commit; they may lie before the first and
    behind the last record, since transaction markers and compacted records take offsets too. `records` is
    empty when the log went on with markers only. `epoch` names the assignment during which it was fetched.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    start: int
    end: int
    epoch: int
