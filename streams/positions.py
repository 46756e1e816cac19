"""How far the tables' changelogs had gone when offsets were committed: what tells a lost changelog from a new one.

Flows in: positions of changelogs at a commit. Flows out: the metadata that is committed with the offsets, and later
whether a changelog still holds what it held then.

Why: a changelog that was emptied or made anew reads like that of an app that begins (engine notes B.14, #597). The worker
would start with empty tables while its offsets stand, and send every resident to the regular flow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

UNKNOWN_ID = "0" * 32
"""What stands for the id of a topic where the broker tells none: Kafka before 3.1."""

_POSITION = re.compile("([^=]+)=([^:]*):([0-9]+):([0-9]+):([0-9]+)")


class Origin(NamedTuple):
    """Which log it is: another topic of the same name, or one whose first records were deleted, has another origin.

    Compaction keeps the offset at which a log begins.

    Attributes:
        topic_id: Kafka's id of the topic.
        beginning: The first offset that the partition holds.
        losses: How many losses of it were accepted: a log that lost its end and grew again is another one too.
    """

    topic_id: str
    beginning: int
    losses: int = 0

    def text(self) -> str:
        """As it is stored."""
        return f"{self.topic_id}:{self.beginning}:{self.losses}"

    def same_topic(self, other: Origin) -> bool:
        """Whether both are one topic, as far as the broker told ids."""
        return UNKNOWN_ID in (self.topic_id, other.topic_id) or self.topic_id == other.topic_id

    def same(self, other: Origin) -> bool:
        """Whether both are one log, as far as the broker told ids."""
        return self.same_topic(other) and self.beginning == other.beginning and self.losses == other.losses


def read_origin(text: str) -> Origin:
    """The origin that was stored as `text`."""
    topic_id, beginning, losses = text.split(":")
    return Origin(topic_id, int(beginning), int(losses))


class Log(NamedTuple):
    """One partition of a changelog as the broker has it now, its committed records up to `end`."""

    origin: Origin
    end: int

    def after(self, losses: int) -> Log:
        """The same log, after so many accepted losses."""
        return self._replace(origin=self.origin._replace(losses=losses))


class Position(NamedTuple):
    """Up to where a partition of a table was part of its changelog when offsets were committed."""

    origin: Origin
    next_offset: int

    def still_in(self, log: Log) -> bool:
        """Whether the changelog holds all that it held then; one that held nothing has nothing to lose."""
        if self.next_offset <= self.origin.beginning:
            return True
        begins_there = self.origin.same_topic(log.origin) and log.origin.beginning <= self.origin.beginning
        return begins_there and self.next_offset <= log.end

    def lacks_end_alone(self, log: Log) -> bool:
        """Whether it is the same changelog from the same beginning on, but does not go so far."""
        return not self.still_in(log) and self.still_in(log._replace(end=self.next_offset))


class Note(NamedTuple):
    """What is committed as the metadata of an offset.

    Attributes:
        stream_time_ms: The highest Kafka timestamp handled in the partition; None before the first record.
        positions: By table.
    """

    stream_time_ms: int | None
    positions: Mapping[str, Position]

    def text(self) -> str:
        """As it is committed: some 60 bytes a table, of 4096 that Kafka takes."""
        time = "" if self.stream_time_ms is None else str(self.stream_time_ms)
        told = (
            f"{table}={position.origin.text()}:{position.next_offset}"
            for table, position in self.positions.items()
        )
        return ";".join((time, *told))


def read_note(metadata: str) -> Note:
    """What a commit noted; the version before wrote the stream time alone, and other tools write nothing."""
    time, *told = metadata.split(";")
    positions = {}
    for found in filter(None, map(_POSITION.fullmatch, told)):
        table, topic_id, *numbers = found.groups()
        beginning, losses, next_offset = map(int, numbers)
        positions[table] = Position(Origin(topic_id, beginning, losses), next_offset)
    return Note(int(time) if time.isdecimal() else None, positions)


def unmet(positions: Iterable[Position], log: Log) -> Position | None:
    """The position that asks most of those that the changelog does not hold any more; None where it holds all."""
    return max(
        (position for position in positions if not position.still_in(log)),
        key=lambda position: position.next_offset,
        default=None,
    )
