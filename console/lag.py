"""Lag: how much worker and sink still have to read."""

from collections.abc import Mapping

from kafka import TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError
from signaalwissel.console import runtime
from signaalwissel.console.connections import reader
from signaalwissel.console.reading_lag import lag_of
from signaalwissel.console.settings import Settings
from signaalwissel.console.topics import admin
from signaalwissel.processors.emissions import INTAKE_COMMANDS, RESIDENT_EVENTS
from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.health import lag as sink_lag
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

_PATIENCE_S = 20.0
_PAUSE_S = 0.5
_FINDING_ITS_COORDINATOR = (
    CoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
    # Named already, and not yet told so itself; or a broker that just handed the group on.
    NotCoordinatorError,
)


def total_lag(settings: Settings) -> int:
    """Offsets that intake, matcher and sink have yet to pass, all partitions together."""
    sink = sink_lag(
        open_engine(runtime.database_url(settings), name="signaalwissel-lag"), runtime.sink_settings(settings)
    )
    return stream_lag(settings) + sum(partition.lag for partition in sink.values())


def stream_lag(settings: Settings) -> int:
    """Offsets that intake and matcher have yet to pass."""
    names = runtime.names(settings)
    read_by = {
        names.intake_app: [*names.signal_inputs(), *names.trajectory_inputs(), names(INTAKE_COMMANDS)],
        names.matcher_app: [names(RESIDENT_EVENTS)],
    }
    committed = committed_offsets(settings, list(read_by))
    with reader(settings) as consumer:
        return sum(
            partition.lag
            for group, topics in read_by.items()
            for partition in lag_of(consumer, topics, committed[group]).values()
        )


def _young(error: BaseException) -> bool:
    return isinstance(error.__cause__, _FINDING_ITS_COORDINATOR)


@retry(
    retry=retry_if_exception(_young),
    stop=stop_after_delay(_PATIENCE_S),
    wait=wait_fixed(_PAUSE_S),
    reraise=True,
)
def committed_offsets(settings: Settings, groups: list[str]) -> Mapping[str, Mapping[TopicPartition, int]]:
    """The groups' committed offsets; a young broker, or one that ends, needs a moment."""
    with admin(settings) as client:
        offsets = client.list_group_offsets(groups)
    return {
        group: {
            partition: entry.offset
            for partition, entry in offsets.get(group, {}).items()
            if entry.offset >= 0
        }
        for group in groups
    }
