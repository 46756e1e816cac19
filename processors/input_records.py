"""An input record as it goes onto Kafka: the prescribed key, the bytes and its CloudEvents identity (design 2).

In: a signal, a lifecycle event or a task update. Out: what a partner or case system publishes of it.
"""

from typing import NamedTuple

from signaalwissel.processors.emissions import SIGNALS, TASK_UPDATES, TRAJECTORIES
from signaalwissel.processors.identifiers import trajectory_key
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.early_signal_codec import write_early_signal
from signaalwissel.schemas.followup import TaskUpdate
from signaalwissel.schemas.signal import EarlySignal
from signaalwissel.schemas.trajectory import TrajectoryEvent
from signaalwissel.schemas.trajectory_event_codec import write_trajectory_event

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
    """The record with its key and identity; raises DoesNotFit where a value has no place in the schema."""
    if isinstance(record, EarlySignal):
        key = f"{record.partner.partner_id}/{record.signal_id}"
        event_id = f"{record.municipality}/{key}/{record.received_at}"
        kind = "nl.vroegsignalering.signaal-ontvangen"
        return Published(SIGNALS, key.encode(), write_early_signal(record), event_id, kind)
    if isinstance(record, TaskUpdate):
        value, kind = codec("TaskUpdate").encode(record), "nl.schuldhulpverlening.taak-gemeld"
        return Published(TASK_UPDATES, record.task_id.encode(), value, record.update_id, kind)
    key_of_all = trajectory_key(record.municipality, record.trajectory_id)
    kind = "nl.schuldhulpverlening.traject-" + record.kind.lower().replace("_", "-")
    return Published(TRAJECTORIES, key_of_all, write_trajectory_event(record), record.event_id, kind)
