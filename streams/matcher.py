"""The matcher's handler: `resident-events` in, routes, corrections, decisions and dead letters out.

The rules are `processors.matcher`; here records are taken apart, tables handed over and emissions published.
"""

from collections.abc import Mapping, Sequence

from signaalwissel.processors.dead_letters import About, DeadLetters, Source
from signaalwissel.processors.emissions import Emission
from signaalwissel.processors.housekeeping import sweep_match_key
from signaalwissel.processors.matcher import Clock, Matcher
from signaalwissel.processors.matcher_state import MatcherState
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.reading import UNREADABLE, refusal_of
from signaalwissel.processors.rejection import Rejected, RejectionCode
from signaalwissel.processors.retirement import retire_match_key
from signaalwissel.processors.rotation import is_step
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.internal import Header
from signaalwissel.schemas.rotation import MatchRotation
from signaalwissel.streams.chunk import ChunkHandler, Outputs, Record
from signaalwissel.streams.clock import now_ms
from signaalwissel.streams.publishing import Publisher, event_time
from signaalwissel.streams.slices import Slices
from signaalwissel.streams.table import PartitionedTable
from signaalwissel.streams.topics import (
    MATCHER_POLICIES,
    MATCHER_RECENTS,
    MATCHER_ROTATIONS,
    MATCHER_TRAJECTORIES,
    Names,
)
from signaalwissel.streams.tracing import NO_STEP
from signaalwissel.streams.walks import Walk

_SLICE = 500


class MatcherHandler(ChunkHandler):
    """Runs the matcher's step over chunks.

    Args:
        tables: Its tables by name.
        policies: The policy of each municipality.
        publisher: Publishes what the rules emit.
        dead_letters: Makes dead letters of this stage.
        names: Topic names.
    """

    def __init__(
        self,
        tables: Mapping[str, PartitionedTable],
        policies: Policies,
        publisher: Publisher,
        dead_letters: DeadLetters,
        names: Names,
    ) -> None:
        self._trajectories = tables[MATCHER_TRAJECTORIES]
        self._recents = tables[MATCHER_RECENTS]
        self._archive = tables[MATCHER_POLICIES]
        self._rotations = tables[MATCHER_ROTATIONS]
        self._policies = policies
        self._matcher = Matcher(policies)
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._names = names
        self._states: dict[int, MatcherState] = {}
        self._slices = Slices(self._match_keys, _SLICE)
        self._walk = Walk(self._rotations, self._match_keys, self._retire)

    def handle(self, partition: int, records: Sequence[Record], outputs: Outputs) -> None:
        state = self._states[partition]
        now = now_ms()
        time = event_time(now)
        tracing = self._publisher.tracing
        for record in records:
            step = tracing.step(record) if record.headers else NO_STEP
            emissions = self._emissions(state, record, now)
            if emissions:
                self._publisher.publish(outputs, emissions, step.headers, time)
            if step is not NO_STEP:
                step.end(emissions)

    def on_recovered(self, partition: int) -> None:
        state = MatcherState(self._trajectories, self._recents, self._archive, self._rotations)
        state.load(
            self._trajectories.keys_of(partition),
            self._recents.items_of(partition),
            self._archive.keys_of(partition),
            self._rotations.items_of(partition),
        )
        self._states[partition] = state

    def on_revoked(self, partition: int) -> None:
        self._states.pop(partition, None)
        self._slices.forget(partition)
        self._walk.restart(partition)

    def sweep(self, partition: int, stream_time_ms: int, outputs: Outputs) -> None:
        """Forget what no rule can need any more, a slice of the keys at a time; it publishes nothing."""
        state = self._states[partition]
        for match_key in self._slices.next(partition):
            sweep_match_key(state, match_key, self._policies, stream_time_ms)
        self._walk.advance(partition)

    def _emissions(self, state: MatcherState, record: Record, now: int) -> list[Emission]:
        try:
            if record.key is None or record.value is None:
                raise Rejected(RejectionCode.NULL_VALUE, None, "an internal record has a key and a value")
            if is_step(record.value):
                return self._retired(state, record)
            return self._matcher.step(state, record.key, record.value, Clock(record.timestamp, now))
        except Rejected as refusal:
            return [self._refused(record, refusal)]
        except UNREADABLE as error:
            # Nobody but intake and sink may write here; what somebody wrote all the same is kept and shown.
            return [self._refused(record, refusal_of(error))]

    def _retired(self, state: MatcherState, record: Record) -> list[Emission]:
        if state.retired.retire(codec("RotationStep").decode(record.value or b"")):
            self._walk.restart(record.partition)
            self._walk.advance(record.partition)
        return []

    def _retire(
        self, partition: int, match_key: bytes, rotations: Mapping[str, MatchRotation]
    ) -> list[Emission]:
        retire_match_key(self._states[partition], match_key, rotations)
        return []

    def _refused(self, record: Record, refusal: Rejected) -> Emission:
        return self._dead_letters.of(source_of(record, self._names), refusal, About())

    def _match_keys(self, partition: int) -> list[bytes]:
        return list(self._states[partition].match_keys())


def source_of(record: Record, names: Names) -> Source:
    """A Kafka record as the rules see where it came from."""
    headers = tuple(Header(name, value) for name, value in record.headers)
    return Source(
        names.bare(record.topic),
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        headers,
    )
