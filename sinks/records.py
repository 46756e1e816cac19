"""What flows through the sink: raw Kafka records, where they stand, and the batch that one transaction stores."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.internal import DeadLetter, TrajectoryState
from signaalwissel.schemas.routing import Decision


class KafkaRecord(Protocol):
    """One record as kafka-python gives it; `timestamp` in milliseconds since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


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


class ReceivedState(NamedTuple):
    """A trajectory's state, and the bytes that it came in."""

    state: TrajectoryState
    data: bytes


class ReceivedUpdate(NamedTuple):
    """A task update, and the record that it came in for the case that it is refused."""

    update: TaskUpdate
    record: KafkaRecord


@dataclass(slots=True)
class Batch:
    """What one transaction stores; each list keeps the order of its topic partitions.

    `traces` holds the trace id of each decision that came with one, `traced` the record that it came in and when that
    was read, in nanoseconds since 1970.
    """

    progress: dict[Place, Progress] = field(default_factory=dict)
    states: list[ReceivedState] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    updates: list[ReceivedUpdate] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    traces: dict[str, bytes] = field(default_factory=dict)
    traced: list[tuple[KafkaRecord, int]] = field(default_factory=list)
    records: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store, not even that the log went on."""
        return not self.progress
