"""Raw Kafka records as values: what one database transaction will handle.

Flows in: records of the sink's topics. Flows out: a Batch of decoded records in handling order, and a dead letter for
each that cannot be read. A record that is bad never stops its partition.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from signaalwissel.processors.followup_updates import check_update
from signaalwissel.processors.followup_updates import UpdateRefused
from signaalwissel.processors.identifiers import dead_letter_id
from signaalwissel.processors.rejection import RejectionCode
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.decision_codec import read_decision
from signaalwissel.schemas.errors import DoesNotFit, NotWireFormat, UnknownSchemaId
from signaalwissel.schemas.fact_codec import read_trajectory_state
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter, Header, OriginalRecord, TrajectoryState
from signaalwissel.schemas.routing import Decision
from signaalwissel.sinks.settings import DEAD_LETTERS, DECISIONS, TASK_UPDATES, TRAJECTORY_STATES

_STAGE = "sink"
_INT_BOUND = 2**31
_NUL = "\x00"


class KafkaRecord(Protocol):
    """One record as kafka-python gives it; `timestamp` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Iterable[tuple[str, bytes | None]]


class Unsealed(NamedTuple):
    """A record on its way into a dead letter: what to seal, and what it belongs to."""

    dead_letter_id: str
    municipality: str | None
    original: OriginalRecord


Seal = Callable[[Unsealed], bytes]
"""Seals the original of a dead letter; raises where a key cannot be had, which ends the sink."""


class Place(NamedTuple):
    """A topic partition."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Progress(NamedTuple):
    """How far a batch reads in one partition: from `first` up to, not including, `next_offset`."""

    first: int
    next_offset: int


class ReceivedUpdate(NamedTuple):
    """A task update, with the record that it came in for the case that it is refused."""

    update: TaskUpdate
    record: KafkaRecord


class ReceivedState(NamedTuple):
    """A trajectory's state, and its bytes."""

    state: TrajectoryState
    data: bytes


@dataclass(slots=True)
class Batch:
    """What one transaction stores; each list in the order of its topic partitions."""

    progress: dict[Place, Progress] = field(default_factory=dict)
    states: list[ReceivedState] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    updates: list[ReceivedUpdate] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)


class Inbox:
    """Sorts the records of a poll into a batch.

    Args:
        topics: The full name of each input topic, by the name in `sinks/settings.py`.
        seal: Seals the originals of dead letters.
    """

    def __init__(self, topics: Mapping[str, str], seal: Seal) -> None:
        self._seal = seal
        self._readers: dict[str, Callable[[KafkaRecord, bytes, Batch], None]] = {
            topics[DECISIONS]: _take_decision,
            topics[TRAJECTORY_STATES]: _take_state,
            topics[TASK_UPDATES]: _take_update,
            topics[DEAD_LETTERS]: _take_dead_letter,
        }

    def take(self, records: Iterable[KafkaRecord], batch: Batch) -> None:
        """Add records of one topic partition to the batch."""
        for record in records:
            try:
                if record.value is None:
                    raise _Unreadable(RejectionCode.NULL_VALUE, None, "a record has a value")
                self._readers[record.topic](record, record.value, batch)
            except UnknownSchemaId:
                self._refuse(record, batch, RejectionCode.UNKNOWN_SCHEMA_ID, "", "has the schema of its topic")
            except NotWireFormat:
                self._refuse(record, batch, RejectionCode.NOT_WIRE_FORMAT, "", "begins with magic byte and id")
            except DoesNotFit as finding:
                self._refuse(record, batch, RejectionCode.UNREADABLE, finding.field, finding.rule)

    def refuse(self, record: KafkaRecord, code: str, field: str | None, rule: str) -> DeadLetter:
        """The dead letter of a record."""
