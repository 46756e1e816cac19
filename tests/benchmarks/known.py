"""Residents who are known to the matcher, as many as wanted: a small town, copied under other match keys.

In: numbers of residents and signals. Out: entries of the matcher's changelogs, and signals of known residents. Copies
differ in their keys alone, so entries and decisions are those of the town; a million of them take seconds to make.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from signaalwissel.processors.matcher_index import MATCH_KEY_SIZE
from signaalwissel.schemas.recent_signal_codec import read_recent_signal
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.streams.outputs import ChunkOutputs, partition_of
from signaalwissel.streams.topics import (
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_TRAJECTORIES,
    Names,
    changelog_topic,
)

from tests.benchmarks.month import Encoded, make_month
from tests.benchmarks.peers.ground import Ground
from tests.benchmarks.rules import Collected, Kit, matcher_tables, run_intake

_TOWN = 2_000
_RECENT = 2_000
_KIND_SIZE = 2
"""Bytes of a match key that tell its kind and under which secret it was made: they stay."""
_REF_SIZE = 16
_SLICE = 40_000
_BATCH_BYTES = 256 << 10
_BOUND_S = 600.0


class Entry(NamedTuple):
    """One entry of a table."""

    table: str
    match_key: bytes
    key: bytes
    value: bytes


class Town:
    """What the matcher knows of a small town, and signals about its known residents.

    Args:
        signals: How many at least; they are not known yet.
        keys: Folder for keys.
    """

    def __init__(self, signals: int, keys: Path) -> None:
        kit = Kit(LocalKeys(keys, create_municipalities=True))
        # About two of three signals of the town are about somebody who was not known before.
        internal = run_intake(kit, make_month(_TOWN, _RECENT + 2 * signals))
        tables = matcher_tables()
        handler = kit.matcher(tables)
        with ExitStack() as stack:
            for table in tables.values():
                stack.enter_context(table.bound(0))
            handler.handle(0, internal.trajectories, Collected())
            handler.handle(0, internal.signals[:_RECENT], Collected())
        self._policies = list(tables[MATCHER_POLICIES].items_of(0))
        self._entries = [
            *(
                Entry(MATCHER_TRAJECTORIES, key[:MATCH_KEY_SIZE], key, value)
                for key, value in tables[MATCHER_TRAJECTORIES].items_of(0)
            ),
            *(
                Entry(MATCHER_RECENTS, read_recent_signal(value).match_key, key, value)
                for key, value in tables[MATCHER_RECENTS].items_of(0)
            ),
        ]
        self.residents = len({entry.match_key for entry in self._entries})
        known = {entry.match_key for entry in self._entries}
        about_known = (one for one in internal.signals[_RECENT:] if one.key in known)
        self.signals = list(islice(about_known, signals))

    def copies(self, residents: int) -> int:
        """How many towns make so many residents."""
        return max(1, round(residents / self.residents))

    def entries(self, copies: int) -> int:
        """Entries of so many towns."""
        return copies * len(self._entries)

    def events(self, copies: int, asked: int) -> list[Encoded]:
        """The signals, each about a resident of one of so many towns; with `asked`, of so many residents alone."""
        rng = random.Random(1)
        copies = min(copies, self.copies(asked)) if asked else copies
        return [
            Encoded(None, _copied(one.key or b"", rng.randrange(copies)), one.value or b"", [])
            for one in self.signals
        ]

    def fill(self, ground: Ground, copies: int) -> None:
        """Write the changelogs of a matcher that knows so many towns."""
        asyncio.run(asyncio.wait_for(self._fill(ground, copies), _BOUND_S))

    async def _fill(self, ground: Ground, copies: int) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=ground.bootstrap, enable_idempotence=True, max_batch_size=_BATCH_BYTES
        )
        await producer.start()
        app = Names(ground.prefix).matcher_app
        counts = {
            changelog_topic(app, table): ground.partitions
            for table in (MATCHER_TRAJECTORIES, MATCHER_RECENTS, MATCHER_POLICIES)
        }
        outputs = ChunkOutputs(0, counts, producer.create_batch)
        try:
            for number in range(ground.partitions):
                for key, value in self._policies:
                    outputs.send(changelog_topic(app, MATCHER_POLICIES), key, value, (), number)
            entries = self._copies_of_entries(copies)
            while part := list(islice(entries, _SLICE)):
                for entry in part:
                    partition = partition_of(entry.match_key, ground.partitions)
                    outputs.send(changelog_topic(app, entry.table), entry.key, entry.value, (), partition)
                await _flush(producer, outputs)
        finally:
            await producer.stop()

    def _copies_of_entries(self, copies: int) -> Iterator[Entry]:
        for copy in range(copies):
            for table, match_key, key, value in self._entries:
                new = _copied(match_key, copy)
                if table == MATCHER_TRAJECTORIES:
                    yield Entry(table, new, new + key[MATCH_KEY_SIZE:], value)
                else:
                    ref = key[:_KIND_SIZE] + _digest(key, copy, _REF_SIZE - _KIND_SIZE)
                    yield Entry(table, new, ref, value.replace(match_key, new))


def _copied(match_key: bytes, copy: int) -> bytes:
    return match_key[:_KIND_SIZE] + _digest(match_key, copy, MATCH_KEY_SIZE - _KIND_SIZE)


def _digest(data: bytes, copy: int, size: int) -> bytes:
    return blake2b(data, digest_size=size, salt=copy.to_bytes(16, "big")).digest()


async def _flush(producer: AIOKafkaProducer, outputs: ChunkOutputs) -> None:
    deliveries = []
    for batch in outputs.take():
        batch.builder.close()
        deliveries.append(await producer.send_batch(batch.builder, batch.topic, partition=batch.partition))
    await asyncio.gather(*deliveries)
