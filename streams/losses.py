"""What an assignment finds lost: changelogs that no longer hold what they held when offsets were committed.

Flows in: committed offsets with their notes, and the changelogs as they are. Flows out: an error; or the changelogs as the
states must know them, and, where a loss is accepted, the partitions whose offsets must be committed anew so that it is
not found again.

Why: engine notes B.14 (#597). Faust reads an emptied changelog and goes on with an empty table.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.errors import ChangelogHeldBackError, ChangelogLostError
from signaalwissel.streams.positions import Log, Note, Position, read_note, unmet

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.5
"""Pause between two looks at a changelog that a transaction holds back."""


def notes_of(committed: Mapping[TopicPartition, OffsetAndMetadata]) -> dict[int, list[Note]]:
    """What the last commits of each partition number noted, one for each input that was committed."""
    notes: dict[int, list[Note]] = {}
    for tp, found in committed.items():
        notes.setdefault(tp.partition, []).append(read_note(found.metadata))
    return notes


def unnoted(app: ChunkApp, notes: Mapping[int, list[Note]]) -> set[int]:
    """The committed partition numbers of which no commit noted some table: a loss of it would not be found."""
    return {tp.partition for tp, known in _known(app, notes).items() if not known}


def _known(app: ChunkApp, notes: Mapping[int, list[Note]]) -> dict[TopicPartition, list[Position]]:
    return {
        TopicPartition(table.changelog, partition): [
            note.positions[table.name] for note in told if table.name in note.positions
        ]
        for table in app.chunk_tables
        for partition, told in notes.items()
    }


async def readable_logs(
    app: ChunkApp, notes: Mapping[int, list[Note]], changelogs: Iterable[TopicPartition]
) -> dict[TopicPartition, Log]:
    """The changelogs as the broker has them; where records are there and not yet readable, once they are.

    The broker tells how far it is committed behind no open transaction. To take that for the end would be to tell a loss
    where there is none, and to read a table with a hole in it.

    Raises:
        ChangelogHeldBackError: a transaction did not end within `broker_timeout_s`; `accept_loss` changes nothing.
    """
    places, loop = list(changelogs), asyncio.get_running_loop()
    until = loop.time() + app.settings.broker_timeout_s
    while True:
        logs = await app.cluster.logs(places) if places else {}
        held_back = await _held_back(app, notes, logs)
        if held_back is None:
            return logs
        if loop.time() > until:
            raise held_back
        await asyncio.sleep(LOOK_AGAIN_S)


async def _held_back(
    app: ChunkApp, notes: Mapping[int, list[Note]], logs: Mapping[TopicPartition, Log]
) -> ChangelogHeldBackError | None:
    wanted = {
        tp: max(short)
        for tp, known in _known(app, notes).items()
        if (short := [position.next_offset for position in known if position.lacks_end_alone(logs[tp])])
    }
    written = await app.cluster.written_ends(wanted) if wanted else {}
    for tp, next_offset in wanted.items():
        if written[tp] >= next_offset:
            return ChangelogHeldBackError(tp.topic, tp.partition, next_offset, logs[tp].end)
    return None


def checked(
    app: ChunkApp, notes: Mapping[int, list[Note]], logs: Mapping[TopicPartition, Log]
) -> tuple[dict[TopicPartition, Log], set[int]]:
    """The changelogs with the losses that were accepted, and the partition numbers of which one is accepted now.

    Raises:
        ChangelogLostError: a changelog does not hold what a commit knew it to hold, and `accept_loss` is not set.
    """
    known_logs, lost = dict(logs), set()
    for tp, known in _known(app, notes).items():
        losses = max((position.origin.losses for position in known), default=0)
        if (position := unmet(known, logs[tp])) is not None:
            _accept(app, ChangelogLostError(f"{tp.topic}[{tp.partition}]", position, logs[tp]))
            lost.add(tp.partition)
            losses += 1
        known_logs[tp] = logs[tp].after(losses)
    return known_logs, lost


def _accept(app: ChunkApp, lost: ChangelogLostError) -> None:
    if not app.settings.accept_loss:
        raise lost
    app.stats.losses_accepted += 1
    log.warning("accepted, as accept_loss is set: %s", lost)
