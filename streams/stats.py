"""What the engine tells about itself.

Flows in: counts from the processor, the transactions and the recovery. Flows out: plain numbers for a metrics
endpoint and for health checks; the engine decides nothing by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from signaalwissel.processors.distribution import RECORDS, SECONDS, Distribution


@dataclass(slots=True)
class EngineStats:
    """Counters since the process started, and where it stands.

    Attributes:
        chunks: chunks that were handled.
        records: records in them.
        dropped_chunks: chunks that a rebalance overtook; their records are read again.
        outputs: records sent, without changelog records.
        changes: changelog records sent.
        commits: committed transactions.
        advances: those that moved the group's offsets on; a sweep commits too, and reads nothing.
        in_hand: records of the chunk under way, 0 between chunks.
        sweeps: sweeps of one partition.
        recovered: changelog records read by recoveries.
        rebalances: assignments received.
        losses_accepted: partitions, of inputs and of tables, that went on behind a loss because `accept_loss` was set.
        gate_timeouts: times the cold-start gate opened because its bound passed.
        last_commit_monotonic: `time.monotonic()` of the last commit, None before the first.
        in_recovery: True from a revocation until input is read again, and at the start.
        gate_open: False while topics are held back.
        next_offsets: per input partition the offset to read next.
        committed_offsets: per input partition the offset before which all is committed, from the assignment on.
        end_offsets: per input partition the end of the committed log, as of the last look.
        looked_monotonic: `time.monotonic()` of that look, and of the question before it; None before the first.
        stream_times_ms: per partition number the highest Kafka timestamp handled.
        handled_ms: per input partition the highest Kafka timestamp handled by this process.
        caught_up_ms: per input partition when it was last found with nothing to read, epoch milliseconds.
        chunk_records: how many records chunks had.
        handling_s: per input topic, how long the handler took for a chunk.
        committing_s: how long commits took, the waiting for outputs under way included.
        read_by_topic: records of handled chunks, per input topic.
        sent_by_topic: committed records per output topic, those of changelogs included.
    """

    chunks: int = 0
    records: int = 0
    dropped_chunks: int = 0
    outputs: int = 0
    changes: int = 0
    commits: int = 0
    advances: int = 0
    in_hand: int = 0
    sweeps: int = 0
    recovered: int = 0
    rebalances: int = 0
    losses_accepted: int = 0
    gate_timeouts: int = 0
    last_commit_monotonic: float | None = None
    looked_monotonic: float | None = None
    in_recovery: bool = True
    gate_open: bool = True
    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    committed_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    end_offsets: Mapping[TopicPartition, int] = field(default_factory=dict)
    stream_times_ms: dict[int, int] = field(default_factory=dict)
    handled_ms: dict[TopicPartition, int] = field(default_factory=dict)
    caught_up_ms: dict[TopicPartition, int] = field(default_factory=dict)
    chunk_records: Distribution = field(default_factory=lambda: Distribution(RECORDS))
    handling_s: dict[str, Distribution] = field(default_factory=dict)
    committing_s: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    read_by_topic: dict[str, int] = field(default_factory=dict)
    sent_by_topic: dict[str, int] = field(default_factory=dict)

    def note_chunk(self, topic: str, records: int, took_s: float) -> None:
        """Count a chunk that was handled."""
        self.chunks += 1
        self.records += records
        self.chunk_records.note(records)
        self.read_by_topic[topic] = self.read_by_topic.get(topic, 0) + records
        took = self.handling_s.get(topic)
        if took is None:
            took = self.handling_s[topic] = Distribution(SECONDS)
        took.note(took_s)

    def note_sent(self, topic: str, records: int) -> None:
        """Count the records of a batch that was committed."""
        self.sent_by_topic[topic] = self.sent_by_topic.get(topic, 0) + records

    def note_commit(self, began_s: float, ended_s: float) -> None:
        """Count a commit, by a clock that never goes back."""
        self.commits += 1
        self.committing_s.note(ended_s - began_s)
        self.last_commit_monotonic = ended_s

    def note_recovered(self, records: int) -> None:
        """Count changelog records that a recovery has read."""
        self.recovered += records

    def uncommitted(self) -> dict[TopicPartition, int]:
        """Records (markers included) per assigned input partition that are unread, or handled and not committed."""
        committed = self.committed_offsets.copy()
        return {
            tp: max(self.end_offsets.get(tp, offset), offset) - committed.get(tp, offset)
            for tp, offset in self.next_offsets.copy().items()
        }

    def lag(self) -> dict[TopicPartition, int]:
        """Records (markers included) per assigned input partition that are not handled yet."""
        # A copy, because a health check asks from a thread of its own.
        return {
            tp: max(self.end_offsets.get(tp, offset) - offset, 0)
            for tp, offset in self.next_offsets.copy().items()
        }
