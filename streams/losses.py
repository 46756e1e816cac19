"""What an assignment finds lost: changelogs that no longer hold what they held when offsets were committed.

Flows in: committed offsets with their notes, and the changelogs as they are. Flows out: an error; or the changelogs as the
states must know them, and, where a loss is accepted, the partitions whose offsets must be committed anew so that it is
not found again.

Why: engine notes B.14 (#597). Faust reads an emptied changelog and goes on with an empty table.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from signaalwissel.streams.errors import ChangelogLostError
from signaalwissel.streams.positions import Log, Note, read_note, unmet

if TYPE_CHECKING:
    from signaalwissel.streams.app import ChunkApp

log = logging.getLogger(__name__)


def notes_of(committed: Mapping[TopicPartition, OffsetAndMetadata]) -> dict[int, list[Note]]:
    """What the last commits of each partition number noted, one for each input that was committed."""
    notes: dict[int, list[Note]] = {}
    for tp, found in committed.items():
        notes.setdefault(tp.partition, []).append(read_note(found.metadata))
    return notes


def checked(
    app: ChunkApp, notes: Mapping[int, list[Note]], logs: Mapping[TopicPartition, Log]
) -> tuple[dict[TopicPartition, Log], set[int]]:
    """The changelogs with the losses that were accepted, and the partition numbers of which one is accepted now.

    Raises:
        ChangelogLostError: a changelog does not hold what a commit knew it to hold, and `accept_loss` is not set.
    """
    known_logs, lost = dict(logs), set()
    for table in app.chunk_tables:
        for partition, told in notes.items():
            tp = TopicPartition(table.changelog, partition)
            known = [note.positions[table.name] for note in told if table.name in note.positions]
            losses = max((position.origin.losses for position in known), default=0)
            if (position := unmet(known, logs[tp])) is not None:
                _accept(app, ChangelogLostError(f"{tp.topic}[{tp.partition}]", position, logs[tp]))
                lost.add(partition)
                losses += 1
            known_logs[tp] = logs[tp].after(losses)
    return known_logs, lost


def _accept(app: ChunkApp, lost: ChangelogLostError) -> None:
    if not app.settings.accept_loss:
        raise lost
    app.stats.losses_accepted += 1
    log.warning("accepted, as accept_loss is set: %s", lost)
