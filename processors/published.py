"""An input record as it goes onto Kafka, whoever publishes it: key, bytes, CloudEvents id and type (design 2).

In: a signal, a lifecycle event or a task update. Out: what a producer sends.
"""

from typing import NamedTuple

from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import write_early_signal
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent, TrajectoryEventKind
from signaalwissel.schemas.trajectory_event_codec import write_trajectory_event

SIGNAL_TYPE = "nl.vroegsignalering.signaal-ontvangen"
TASK_UPDATE_TYPE = "nl.schuldhulpverlening.taak-gemeld"


class Published(NamedTuple):
    """A record as it goes onto Kafka; `kind` is its CloudEvents type."""

    key: bytes
    value: bytes
    event_id: str
    kind: str


def published(record: EarlySignal | TrajectoryEvent | TaskUpdate) -> Published:
    """What a producer sends for a record; raises DoesNotFit where the schema cannot carry it."""
    if isinstance(record, EarlySignal):
        key = f"{record.partner.partner_id}/{record.signal_id}"
        event_id = f"{record.municipality}/{key}/{record.received_at}"
        return Published(key.encode(), write_early_signal(record), event_id, SIGNAL_TYPE)
    if isinstance(record, TaskUpdate):
        value = codec("TaskUpdate").encode(record)
        return Published(record.task_id.encode(), value, record.update_id, TASK_UPDATE_TYPE)
    key_of_all = trajectory_key(record.municipality, record.trajectory_id)
    return Published(key_of_all, write_trajectory_event(record), record.event_id, event_type(record.kind))


def event_type(kind: TrajectoryEventKind) -> str:
    """The CloudEvents type of a lifecycle event."""
    return "nl.schuldhulpverlening.traject-" + kind.lower().replace("_", "-")
