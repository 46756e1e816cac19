"""Reads changelog partitions into memory, up to where they went at the time of asking.

Flows in: partition states and the changelogs as the broker has them. Flows out: the same states, complete.

Why not the stock recovery (engine notes B.3 and "Recovery of 1M keys"): it passes every record through an
event, a queue and a buffer (84 s for a million keys against 5 s), decides by a cached end of the log, and waits
2 x 5 s when a changelog ends in transaction markers. Here a reader of its own takes whole fetches, and the
position of that reader, which markers move too, says when the end is reached.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from signaalwissel.streams.chunk import Record
from signaalwissel.streams.cluster import Cluster
from signaalwissel.streams.errors import BrokerAwayError
from signaalwissel.streams.positions import UNKNOWN_ID, Log
from signaalwissel.streams.table import TableState

log = logging.getLogger(__name__)

POLL_MS = 500
FETCHED_RECORDS = 20_000
"""Records applied before other tasks of the loop get their turn."""


class ChangelogReader:
    """Brings partition states up to the end of their changelogs; `tell` hears of every few thousand records."""

    def __init__(
        self, cluster: Cluster, patience_s: float, tell: Callable[[int], None] = lambda _records: None
    ) -> None:
        self._cluster = cluster
        self._patience_s = patience_s
        self._tell = tell
        self.records = 0

    async def read(
        self, states: Mapping[TopicPartition, TableState], logs: Mapping[TopicPartition, Log]
    ) -> set[TopicPartition]:
        """Read on where each state stands; return the partitions whose items may have changed.

        A state of another log, or of none, and one that is too old, is begun anew and read from the beginning. Cancelling
        leaves every state at a prefix of its changelog.

        Raises:
            BrokerAwayError: nothing came for `patience_s` seconds although the log goes on.
        """
        changed: set[TopicPartition] = set()
        for tp, state in states.items():
            origin, end = logs[tp]
            known = state.origin
            if known is None or not known.same(origin) or state.old or state.next_offset > end:
                if state.next_offset:
                    changed.add(tp)
                state.restart(origin)
            elif known.topic_id == UNKNOWN_ID != origin.topic_id:
                state.identified(origin)
        due = {tp: logs[tp].end for tp, state in states.items() if state.next_offset < logs[tp].end}
        if due:
            reader = await self._cluster.new_reader()
            try:
                changed |= await self._read_until(reader, due, states)
            finally:
                await reader.stop()
        for state in states.values():
            state.caught_up()
        return changed

    async def _read_until(
        self,
        reader: AIOKafkaConsumer,
        due: dict[TopicPartition, int],
        states: Mapping[TopicPartition, TableState],
    ) -> set[TopicPartition]:
        reader.assign(list(due))
        for tp in due:
            reader.seek(tp, states[tp].next_offset)
        changed: set[TopicPartition] = set()
        moved_at = time.monotonic()
        while due:
            fetched = await reader.getmany(*due, timeout_ms=POLL_MS, max_records=FETCHED_RECORDS)
            for tp in list(due):
                position = await reader.position(tp)
                if position > states[tp].next_offset:
                    moved_at = time.monotonic()
                    if self._apply(states[tp], fetched.get(tp, []), position):
                        changed.add(tp)
                if position >= due[tp]:
                    del due[tp]
            if time.monotonic() - moved_at > self._patience_s:
                raise BrokerAwayError("reading the tables' changelogs", self._patience_s)
        return changed

    def _apply(self, state: TableState, records: list[Record], position: int) -> int:
        state.apply(records, position)
        self.records += len(records)
        self._tell(len(records))
        return len(records)
