"""An input record as it goes onto Kafka, whoever publishes it: key, bytes and CloudEvents identity (design 2).

In: a signal, a lifecycle event or a task update. Out: what a partner or case system sends of it.
"""

from typing import NamedTuple

from signaalwissel.processors.emissions import SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import write_early_signal
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.trajectory_event_codec import write_trajectory_event

SIGNAL_TYPE = "nl.vroegsignalering.signaal-ontvangen"
TASK_UPDATE_TYPE = "nl.schuldhulpverlening.taak-gemeld"

InputRecord = EarlySignal | TrajectoryEvent | TaskUpdate


class Published(NamedTuple):
    """A record as it goes onto Kafka; `kind` is its CloudEvents type, `topic` has no prefix."""

    topic: str
    key: bytes
    value: bytes
    event_id: str
    kind: str

    def headers(self, source: str, time: bytes) -> list[tuple[str, bytes]]:
        """The CloudEvents headers.

        Args:
            source: Who publishes, as a URN.
            time: When it was logged, as CloudEvents writes a moment.
        """
        return [
            ("ce_id", self.event_id.encode()),
            ("ce_source", source.encode()),
            ("ce_specversion", b"1.0"),
            ("ce_type", self.kind.encode()),
            ("ce_time", time),
            ("content-type", b"application/avro"),
        ]


def published(record: InputRecord) -> Published:
    """What a producer sends for a record; raises DoesNotFit where the schema cannot carry it."""
    if isinstance(record, EarlySignal):
        key = f"{record.partner.partner_id}/{record.signal_id}"
        event_id = f"{record.municipality}/{key}/{record.received_at}"
        return Published(SIGNALS, key.encode(), write_early_signal(record), event_id, SIGNAL_TYPE)
    if isinstance(record, TaskUpdate):
        value = codec("TaskUpdate").encode(record)
        return Published(TASK_UPDATES, record.task_id.encode(), value, record.update_id, TASK_UPDATE_TYPE)
    key_of_all = trajectory_key(record.municipality, record.trajectory_id)
    value, kind = write_trajectory_event(record), event_type(record.kind)
    return Published(TRAJECTORIES, key_of_all, value, record.event_id, kind)


def event_type(kind: TrajectoryEventKind) -> str:
    """The CloudEvents type of a lifecycle event."""
    return "nl.schuldhulpverlening.traject-" + kind.lower().replace("_", "-")
