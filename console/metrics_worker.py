"""Metrics of intake and matcher, from what the engine counts per chunk and per commit.

Flows in: a running app; its plain numbers are copied, nothing of it is asked to work. Flows out: metrics. Names of
`messaging_*` follow the semantic conventions of OpenTelemetry.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from signaalwissel.console.metrics import (
    Labels,
    age_s,
    counter,
    gauge,
    histogram,
    named_counter,
    named_histogram,
)
from signaalwissel.processors.progress import record_age_ms
from signaalwissel.streams.app import ChunkApp
from signaalwissel.streams.clock import now_ms

_KAFKA = {"messaging_system": "kafka"}


class WorkerMetrics(Collector):
    """What a worker tells.

    Args:
        stage: Intake or matcher.
        app: Its app.
    """

    def __init__(self, stage: str, app: ChunkApp) -> None:
        self._labels = {"stage": stage}
        self._app = app

    def collect(self) -> Iterable[Metric]:
        yield from self._reading()
        yield from self._messages()
        yield from self._committing()
        yield from self._assignments()
        yield from self._state()

    def _reading(self) -> Iterator[Metric]:
        stats = self._app.stats
        lag = stats.lag()
        now, unread = now_ms(), []
        for tp, behind in lag.items():
            age_ms = record_age_ms(now, stats.handled_ms.get(tp), stats.caught_up_ms.get(tp))
            if age_ms is not None:
                unread.append((self._at(tp.topic, tp.partition), age_ms / 1000 if behind else 0.0))
        yield gauge(
            "lag_records",
            "Offsets that are to be read, as of the last look; a few may be markers of transactions.",
            [(self._at(tp.topic, tp.partition), float(behind)) for tp, behind in lag.items()],
        )
        yield gauge(
            "oldest_unread_seconds", "How old the oldest unread record is at most; 0 without one.", unread
        )
        yield histogram("chunk_records", "Records of one chunk.", [(self._labels, stats.chunk_records)])
        yield self._count(
            "dropped_chunks", "Chunks that a rebalance overtook; read again.", stats.dropped_chunks
        )

    def _messages(self) -> Iterator[Metric]:
        stats = self._app.stats
        yield named_counter(
            "messaging_client_consumed_messages",
            "Records of handled chunks.",
            self._by_topic(stats.read_by_topic, "poll"),
        )
        yield named_counter(
            "messaging_client_sent_messages",
            "Committed records, those of the tables' changelogs included.",
            self._by_topic(stats.sent_by_topic, "send"),
        )
        yield named_histogram(
            "messaging_process_duration_seconds",
            "How long the handler took for a chunk.",
            [(self._of_topic(topic, "process"), took) for topic, took in stats.handling_s.copy().items()],
        )

    def _committing(self) -> Iterator[Metric]:
        stats = self._app.stats
        yield self._count("transactions", "Committed transactions.", stats.commits)
        yield histogram(
            "commit_duration_seconds", "How long commits took.", [(self._labels, stats.committing_s)]
        )
        age = age_s(stats.last_commit_monotonic)
        yield gauge(
            "last_commit_age_seconds",
            "Time since the last commit; it grows while there is nothing to do.",
            [] if age is None else [(self._labels, age)],
        )
        yield self._count("sweeps", "Rounds of housekeeping of one partition.", stats.sweeps)

    def _assignments(self) -> Iterator[Metric]:
        stats = self._app.stats
        partitions = {tp.partition for tp in stats.next_offsets.copy()}
        yield self._now("assigned_partitions", "Partitions that this process has.", len(partitions))
        yield self._now("in_recovery", "1 while tables and positions are restored.", stats.in_recovery)
        yield self._now("cold_start_gate_open", "0 while signals wait for trajectories.", stats.gate_open)
        yield self._count("rebalances", "Assignments received.", stats.rebalances)
        yield self._count("recovered_records", "Changelog records read by recoveries.", stats.recovered)
        yield self._count(
            "cold_start_timeouts", "Times that signals went on before all trajectories.", stats.gate_timeouts
        )
        yield self._count(
            "losses_accepted",
            "Partitions that went on behind records that Kafka had deleted.",
            stats.losses_accepted,
        )

    def _state(self) -> Iterator[Metric]:
        sizes = {
            table.name: [state.size() for state in dict(table.held).values()]
            for table in self._app.chunk_tables
        }
        yield gauge(
            "state_entries",
            "Entries of a table; on disk an estimate.",
            [
                ({**self._labels, "table": name}, float(sum(one.entries for one in found)))
                for name, found in sizes.items()
            ],
        )
        yield gauge(
            "state_disk_bytes",
            "What a table takes on disk; 0 where it is in memory.",
            [
                ({**self._labels, "table": name}, float(sum(one.disk_bytes for one in found)))
                for name, found in sizes.items()
            ],
        )

    def _at(self, topic: str, partition: int) -> Labels:
        return {**self._labels, "topic": topic, "partition": str(partition)}

    def _of_topic(self, topic: str, operation: str) -> Labels:
        about = {"messaging_operation_name": operation, "messaging_destination_name": topic}
        return {**self._labels, **_KAFKA, **about}

    def _by_topic(self, counts: Mapping[str, int], operation: str) -> Iterator[tuple[Labels, float]]:
        # A copy, because the app's own thread goes on counting.
        for topic, count in dict(counts).items():
            yield self._of_topic(topic, operation), float(count)

    def _count(self, name: str, about: str, value: int) -> Metric:
        return counter(name, about, [(self._labels, float(value))])

    def _now(self, name: str, about: str, value: float) -> Metric:
        return gauge(name, about, [(self._labels, float(value))])
